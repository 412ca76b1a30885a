"""Sentence-transformers encoders. The default MiniLM comes from an installed package, not from a hub."""

import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError

from rag_llm_system.domain.chunks import TokenVectors, Vectors
from rag_llm_system.domain.errors import ConfigurationError, DataError
from rag_llm_system.domain.ports import Role
from rag_llm_system.infrastructure.embedders.encoder_files import BUNDLED, EncoderFiles

if TYPE_CHECKING:
    from rag_llm_system.infrastructure.embedders.engines import Engine

_DTYPES = ("auto", "float32", "bfloat16", "float16")
# Tokenised and sorted by length together: more would only take memory, fewer find fewer texts of one length.
_TEXTS_AT_ONCE = 2048

# torch asserts that it was made for CUDA
_CANNOT_LOAD = (OSError, ValueError, RuntimeError, KeyError, AssertionError, SafetensorError)


class SentenceTransformerEmbedder:
    """Vectors of length 1 in float32; what does not fit the window is refused, never cut.

    ``model_id`` is the bundled model, a folder, or a name on the hub, downloaded once. ``device`` auto: CUDA, else MPS,
    else the processor. ``dtype`` auto: bfloat16 or float16 where the device is quick at it and the model stays close to
    its float32 vectors; ``float32`` is exact.

    The model is loaded by the first ``embed``; until then only its files are read, and torch is not imported. On a
    processor, models of BERT's kind give a text the same bytes whatever else is in the call; the others promise that
    for the same texts in the same calls.
    """

    def __init__(self, model_id: str = BUNDLED, device: str = "auto", dtype: str = "auto") -> None:
        if dtype not in _DTYPES:
            raise ConfigurationError(
                f"unknown number format {dtype!r}; known: {', '.join(_DTYPES)}"
            )
        self._files = EncoderFiles(model_id)
        self._device, self._dtype = device, dtype
        self._loading = threading.Lock()
        self.model_id = model_id if not Path(model_id).exists() else Path(model_id).name

    @property
    def revision(self) -> str:
        return self._files.revision

    @property
    def engine(self) -> str:
        """What was asked for; the bytes of a vector depend on it, its meaning does not."""
        return f"{self._device} {self._dtype}"

    @property
    def dimension(self) -> int:
        return self._files.dimension or self._engine.dimension

    @cached_property
    def max_tokens(self) -> int:
        tokenizer = self._files.tokenizer
        prompts = (self._files.prompt("query"), self._files.prompt("document"))
        longest = max(len(tokenizer.encode(p, add_special_tokens=False).ids) for p in prompts)
        return self._max_length - longest - tokenizer.num_special_tokens_to_add(is_pair=False)

    @property
    def _max_length(self) -> int:
        return self._files.max_length or self._engine.max_length

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        return list(self._files.tokenizer.encode(text, add_special_tokens=False).offsets)

    def embed(self, texts: Sequence[str], *, role: Role = "document") -> Vectors:
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        prompt = self._files.prompt(role)
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            some = texts[start : start + _TEXTS_AT_ONCE]
            ids = [
                e.ids for e in self._files.tokenizer.encode_batch_fast([prompt + t for t in some])
            ]
            self._refuse_too_long(ids)
            vectors[start : start + len(some)] = self._engine.embed(some, ids, prompt)
        return vectors

    def tokens(self, texts: Sequence[str]) -> list[npt.NDArray[np.int32]]:
        encodings = self._files.tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [np.array(encoding.ids, dtype=np.int32) for encoding in encodings]

    def embed_tokens(
        self, texts: Sequence[str], *, role: Role = "document"
    ) -> Sequence[TokenVectors]:
        return self.embed_with_tokens(texts, role=role)[1]

    def embed_with_tokens(
        self, texts: Sequence[str], *, role: Role = "document"
    ) -> tuple[Vectors, Sequence[TokenVectors]]:
        """All in memory: the token vectors of a text take a thousand times the room of its vector or more."""
        if not texts:
            return self.embed(texts, role=role), []
        prompt = self._files.prompt(role)
        encodings = self._files.tokenizer.encode_batch([prompt + text for text in texts])
        ids = [encoding.ids for encoding in encodings]
        self._refuse_too_long(ids)
        vectors, states = self._engine.embed_with_tokens(texts, ids, prompt)
        tokens = []
        for encoding, rows in zip(encodings, states, strict=True):
            # special tokens stand for no characters, and those of the prompt come first
            own = [
                i
                for i, (start, end) in enumerate(encoding.offsets[: len(rows)])
                if end > max(start, len(prompt))
            ]
            tokens.append(TokenVectors(np.array(encoding.ids, dtype=np.int32)[own], rows[own]))
        return vectors, tokens

    def _refuse_too_long(self, ids: Sequence[Sequence[int]]) -> None:
        over = max(map(len, ids)) - self._max_length
        if over > 0:
            raise DataError(
                f"a text of {self.max_tokens + over} tokens does not fit the encoder's {self.max_tokens}; "
                "cut it into windows first"
            )

    @property
    def _engine(self) -> "Engine":
        with self._loading:
            return self._loaded

    @cached_property
    def _loaded(self) -> "Engine":
        # torch takes seconds to import; a run that changes nothing, or finds all in the cache, never needs it
        from rag_llm_system.infrastructure.embedders.engines import load_engine

        try:
            return load_engine(self._files, self._device, self._dtype)
        except _CANNOT_LOAD as error:
            raise ConfigurationError(
                f"encoder {self.model_id!r} cannot be loaded on {self._device!r} ({_first_line(error)}); "
                f"set TEXT_EMBEDDING_MODEL_ID to a folder, a cached model or {BUNDLED!r}"
            ) from error


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
