"""Vectors kept on disk, so that no text is embedded twice."""

import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.ports import Embedder, Role
from rag_llm_system.infrastructure.embedders.vector_file import VectorFile, encoder_key


class CacheReport(NamedTuple):
    """Texts since the cache was opened: found there or given twice in a call, and embedded."""

    hits: int
    misses: int


class CachedEmbedder:
    """An encoder that asks another one only for what is not in the SQLite file yet (see :class:`VectorFile`).

    A text whose vector is there is not embedded again for its token vectors: it is no TokenEmbedder, and one that
    keeps those (``CachedTokenEmbedder``) stands behind it.
    """

    def __init__(self, embedder: Embedder, path: Path, *, limit_mb: int = 1024) -> None:
        self._embedder = embedder
        self._file = VectorFile(
            path, limit_mb=limit_mb, name="embedding cache", setting="EMBEDDING_CACHE_MB"
        )
        self._counting = threading.Lock()
        self._hits = self._misses = 0

    @property
    def model_id(self) -> str:
        return self._embedder.model_id

    @property
    def revision(self) -> str:
        return self._embedder.revision

    @property
    def dimension(self) -> int:
        return self._embedder.dimension

    @property
    def max_tokens(self) -> int:
        return self._embedder.max_tokens

    @property
    def report(self) -> CacheReport:
        return CacheReport(self._hits, self._misses)

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        return self._embedder.token_spans(text)

    def embed(self, texts: Sequence[str], *, role: Role = "document") -> Vectors:
        if not texts:
            return self._embedder.embed(texts, role=role)
        encoder = encoder_key(self._embedder, role)
        found = dict(self._file.found(encoder, texts))
        missing = [text for text in dict.fromkeys(texts) if text not in found]
        if missing:
            made = self._embedder.embed(missing, role=role)
            new = {t: v.astype("<f4").tobytes() for t, v in zip(missing, made, strict=True)}
            self._file.put(encoder, new)
            found |= new
        with self._counting:
            self._hits += len(texts) - len(missing)
            self._misses += len(missing)
        return np.stack([np.frombuffer(found[text], "<f4") for text in texts])

    def forget(self, texts: Iterable[str]) -> int:
        """Remove the vectors of these texts, of every encoder and role, from the disk as well; how many there were."""
        return self._file.forget(texts)

    def close(self) -> None:
        """The cache alone; whoever made the encoder closes it."""
        self._file.close()
