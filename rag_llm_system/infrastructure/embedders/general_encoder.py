"""Any sentence-transformers model on any device, through the library itself."""

import logging
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Transformer
from torch import Tensor
from transformers.utils import logging as transformers_logging

from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.errors import ConfigurationError
from rag_llm_system.infrastructure.embedders.encoder_files import EncoderFiles

_log = logging.getLogger(__name__)

# Measured on 400 real chunks, 2 cores: batches of similar length up to this many tokens are the fastest.
_BATCH_TOKENS = 8192
_UNLIMITED = (
    8192  # tokens; for a model that adds up the vectors of words and has no limit of its own
)


class GeneralEncoder:
    """The same texts in the same calls give the same bytes; in another batch a text may differ in the last digits."""

    def __init__(self, files: EncoderFiles, dtype: torch.dtype, device: str) -> None:
        transformers_logging.disable_progress_bar()
        self._folder = files.folder
        self._model = SentenceTransformer(
            str(files.folder), device=device, model_kwargs={"dtype": dtype}
        )
        self.dimension = int(self._model.get_embedding_dimension() or 0)
        longest = self._model.max_seq_length
        self.max_length = int(longest) if longest and longest < _UNLIMITED else _UNLIMITED

    def embed(self, texts: Sequence[str], ids: Sequence[Sequence[int]], prompt: str) -> Vectors:
        """One row per text; their token ids say which are of similar length."""
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        for batch in _batches([len(i) for i in ids]):
            encoded = self._encoded([texts[i] for i in batch], prompt, "sentence_embedding")
            vectors[batch] = _of_length_one(encoded)
        return vectors

    def embed_with_tokens(
        self, texts: Sequence[str], ids: Sequence[Sequence[int]], prompt: str
    ) -> tuple[Vectors, list[Vectors]]:
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        tokens = [np.empty((0, 0), dtype=np.float32)] * len(texts)
        for batch in _batches([len(i) for i in ids]):
            encoded = self._encoded([texts[i] for i in batch], prompt, None)
            for position, features in zip(batch, encoded, strict=True):
                vectors[position] = _of_length_one(features["sentence_embedding"])
                tokens[position] = _of_length_one(self._states(features, ids[position]))
        return vectors, tokens

    def _encoded(
        self,
        texts: list[str],
        prompt: str,
        output_value: Literal["sentence_embedding"] | None,
    ) -> Any:
        """A tensor with a row for each text, or for None all that the model made of each text, by name."""
        return self._model.encode(
            texts,
            prompt=prompt,  # "" too: none would mean the model's own choice
            batch_size=len(texts),
            output_value=output_value,
            convert_to_numpy=False,
            convert_to_tensor=output_value is not None,
            show_progress_bar=False,
        )

    @cached_property
    def _has_states(self) -> bool:
        """Not in a model that adds up the vectors of words, whatever stands around them."""
        if isinstance(self._model[0], Transformer):
            return True
        _log.warning("%s has no vectors of single tokens, so none are compared", self._folder)
        return False

    def _states(self, features: Mapping[str, Tensor], ids: Sequence[int]) -> Tensor:
        """The rows of the text's own tokens, padding left out; no rows where the model has none."""
        if not self._has_states:
            return torch.empty(0, self.dimension)
        right = self._model.tokenizer.padding_side == "right"
        own = slice(len(ids)) if right else slice(-len(ids), None)
        if features["input_ids"][own].tolist() != list(ids):
            raise ConfigurationError(
                f"{self._folder} reads texts as other tokens than its tokenizer gives; set RERANKER to off"
            )
        return features["token_embeddings"][own]


def _of_length_one(x: Tensor) -> Vectors:
    rows: Vectors = F.normalize(x.float(), dim=-1).cpu().numpy()
    return rows


def _batches(lengths: Sequence[int]) -> list[list[int]]:
    """Positions grouped from longest to shortest, each group padded to at most ``_BATCH_TOKENS``."""
    batches: list[list[int]] = []
    for position in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        if not batches or (len(batches[-1]) + 1) * lengths[batches[-1][0]] > _BATCH_TOKENS:
            batches.append([])
        batches[-1].append(position)
    return batches
