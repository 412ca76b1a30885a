"""Cross-encoders of sentence-transformers, such as those trained on MS MARCO."""

import math
import time
from collections.abc import Sequence

import torch
from safetensors import SafetensorError
from sentence_transformers import CrossEncoder
from transformers.utils import logging as transformers_logging

from rag_llm_system.domain.errors import ConfigurationError

# Between two looks at the clock; 20 to 60 ms a text on one core, with four layers of MiniLM.
_TEXTS_AT_ONCE = 8
# Of similar length, as the library sorts them: little is computed for padding, and more gain nothing on a processor.
_BATCH_TEXTS = 4

# torch asserts that it was made for CUDA
_CANNOT_LOAD = (OSError, ValueError, RuntimeError, KeyError, AssertionError, SafetensorError)


class CrossEncoderReranker:
    """The sigmoid of what the model says; what is longer than its window is cut.

    ``model_id`` is a folder or a name on the hub, downloaded once. ``device`` auto: CUDA, else MPS, else the
    processor. Texts are scored from the first one on, the first few in any case, and no further than can be expected to
    be ready in ``time_limit_s``: there may be fewer scores than texts.
    """

    def __init__(
        self,
        model_id: str = "cross-encoder/ms-marco-MiniLM-L-4-v2",
        device: str = "auto",
        *,
        time_limit_s: float = math.inf,
    ) -> None:
        transformers_logging.disable_progress_bar()
        self._time_limit_s = time_limit_s
        self._model = _loaded(model_id, None if device == "auto" else device)
        if self._model.num_labels != 1:
            raise ConfigurationError(
                f"{model_id!r} sorts texts into {self._model.num_labels} classes and is no reranker; set "
                "RERANKING_CROSS_ENCODER_MODEL_ID to one, or RERANKER=late-interaction"
            )

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        scores: list[float] = []
        started = now = time.perf_counter()
        longest_s = 0.0
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            if start and now + longest_s > started + self._time_limit_s:
                break
            pairs = [(question, text) for text in texts[start : start + _TEXTS_AT_ONCE]]
            scores += self._model.predict(
                pairs,
                batch_size=_BATCH_TEXTS,
                activation_fn=torch.nn.Sigmoid(),
                show_progress_bar=False,
            ).tolist()
            before, now = now, time.perf_counter()
            longest_s = max(longest_s, now - before)
        return scores


def _loaded(model_id: str, device: str | None) -> CrossEncoder:
    """What was downloaded before is taken as it is, without the network."""
    try:
        try:
            return CrossEncoder(model_id, device=device, local_files_only=True)
        except OSError:
            return CrossEncoder(model_id, device=device)
    except _CANNOT_LOAD as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise ConfigurationError(
            f"cross-encoder {model_id!r} cannot be loaded ({reason}); set RERANKING_CROSS_ENCODER_MODEL_ID to a "
            "folder or a model that was downloaded, or RERANKER=late-interaction, which needs none"
        ) from error
