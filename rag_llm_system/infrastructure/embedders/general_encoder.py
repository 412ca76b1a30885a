"""Any sentence-transformers model on any device, through the library itself."""

from collections.abc import Sequence

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from transformers.utils import logging as transformers_logging

from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.infrastructure.embedders.encoder_files import EncoderFiles

# Measured on 400 real chunks, 2 cores: batches of similar length up to this many tokens are the fastest.
_BATCH_TOKENS = 8192
_UNLIMITED = (
    8192  # tokens; for a model that adds up the vectors of words and has no limit of its own
)


class GeneralEncoder:
    """The same texts in the same calls give the same bytes; in another batch a text may differ in the last digits."""

    def __init__(self, files: EncoderFiles, dtype: torch.dtype, device: str) -> None:
        transformers_logging.disable_progress_bar()
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
            encoded = self._model.encode(
                [texts[i] for i in batch],
                prompt=prompt,  # "" too: none would mean the model's own choice
                batch_size=len(batch),
                convert_to_numpy=False,
                convert_to_tensor=True,
                show_progress_bar=False,
            )
            vectors[batch] = torch.nn.functional.normalize(encoded.float()).cpu().numpy()
        return vectors


def _batches(lengths: Sequence[int]) -> list[list[int]]:
    """Positions grouped from longest to shortest, each group padded to at most ``_BATCH_TOKENS``."""
    batches: list[list[int]] = []
    for position in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        if not batches or (len(batches[-1]) + 1) * lengths[batches[-1][0]] > _BATCH_TOKENS:
            batches.append([])
        batches[-1].append(position)
    return batches
