"""Our own encoder without its cache, on the processor."""

from collections.abc import Sequence
from pathlib import Path

from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.ports import Role
from rag_llm_system.infrastructure.embedders import EMBEDDERS
from rag_llm_system.infrastructure.loading import load
from tools.bench_embedding.contenders.engine import Engine


class _Ours:
    """``dtype`` "" lets the encoder choose, and it does not tell."""

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype
        encoder = load("embedder", "sentence-transformers", EMBEDDERS)
        self._embedder = encoder(device="cpu", dtype=dtype or "auto")

    def encode(self, texts: Sequence[str], role: Role) -> Vectors:
        vectors: Vectors = self._embedder.embed(texts, role=role)
        return vectors


def by_default(_folder: Path) -> Engine:
    return _Ours("")


def in_float32(_folder: Path) -> Engine:
    return _Ours("float32")
