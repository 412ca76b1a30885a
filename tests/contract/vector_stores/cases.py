"""How each vector store of the table is opened for its contract, and small builders for what is put in."""

import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import numpy as np
import pytest
from qdrant_client import QdrantClient

from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.errors import MissingExtra
from rag_llm_system.domain.ports import CollectionSpec, Record, VectorStore
from rag_llm_system.domain.queries import Where
from rag_llm_system.infrastructure.loading import load
from rag_llm_system.infrastructure.vector_stores import VECTOR_STORES

PREFIX = "contract_"
"""All names here begin with it: on a real server nothing else is touched."""

NAME = PREFIX + "chunks"
OTHER = PREFIX + "others"
SPEC = CollectionSpec(
    dimension=3, encoder="toy", keyword_fields=("author_id",), integer_fields=("year",)
)
DOUBLE_WARNS = [  # the server's double says what it does not imitate
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant"),
    pytest.mark.filterwarnings("ignore:Local mode performs exact:UserWarning"),
]
EAST, NORTH = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)


def _open_server(cls: Callable[..., VectorStore], folder: Path) -> VectorStore:
    """A real one where TEST_QDRANT_URL names it, else its client's double."""
    url = os.environ.get("TEST_QDRANT_URL")
    return cls(url=url) if url else cls(client=QdrantClient(":memory:"))


def _reopen_server(cls: Callable[..., VectorStore], folder: Path) -> VectorStore:
    """As ``_open_server``, with a double that keeps what it has in a folder: thirty times slower."""
    url = os.environ.get("TEST_QDRANT_URL")
    return cls(url=url) if url else cls(client=QdrantClient(path=str(folder)))


_OPENERS: dict[str, Callable[[Any, Path], VectorStore]] = {
    "memory": lambda cls, folder: cls(),
    "qdrant-edge": lambda cls, folder: cls(path=folder),
    "qdrant-server": _open_server,
    "faiss": lambda cls, folder: cls(path=folder),
    "chroma": lambda cls, folder: cls(path=folder),
}
_REOPENERS = {**_OPENERS, "qdrant-server": _reopen_server}

BACKENDS = sorted(VECTOR_STORES)
FOR_THREADS = [
    name for name in BACKENDS if name != "qdrant-server" or os.environ.get("TEST_QDRANT_URL")
]
"""A real server is; its client's double is made for one thread."""
LASTING = [name for name in BACKENDS if name != "memory"]
"""What they keep outlives the process."""
IN_FOLDERS = [name for name in LASTING if name != "qdrant-server"]
"""They keep it in a folder, which several processes may open."""
READ_ELSEWHERE = [name for name in IN_FOLDERS if name != "chroma"]
"""Other processes may read them meanwhile."""
WITH_LIVE_IDF = [
    name for name in BACKENDS if name != "qdrant-server" or "TEST_QDRANT_URL" not in os.environ
]
"""Deleted points weigh no more at once; a real server counts them for a while."""


def open_backend(backend: str, folder: Path, *, lasting: bool = False) -> VectorStore:
    """The store of that name; ``lasting``: opened again on the same folder, it has what it had."""
    opener = (_REOPENERS if lasting else _OPENERS).get(backend)
    if opener is None:
        pytest.fail(f"say in {__file__} how the vector store {backend!r} is opened")
    try:
        cls = load("vector store", backend, VECTOR_STORES)
    except MissingExtra as missing:
        pytest.skip(f"{backend}: {missing}")
    return opener(cls, folder)


def remove_all(store: VectorStore) -> None:
    """What the contract made."""
    store.point_aliases({alias: None for alias in store.aliases() if alias.startswith(PREFIX)})
    for name in store.collections():
        if name.startswith(PREFIX):
            store.drop(name)


def point_id(n: int) -> str:
    return str(uuid5(NAMESPACE_URL, f"point {n}"))


def at_angle(degrees: float) -> tuple[float, float, float]:
    """A vector whose cosine to EAST is that of the angle."""
    return math.cos(math.radians(degrees)), math.sin(math.radians(degrees)), 0.0


def a_record(n: int, vector: tuple[float, ...] = EAST, /, **payload: Any) -> Record:
    return Record(id=point_id(n), vector=vector, payload=payload)


def query(*vectors: tuple[float, ...]) -> Vectors:
    """One vector as a row, EAST by default; several as rows of an array."""
    rows = np.array(vectors or (EAST,), dtype=np.float32)
    return rows if len(vectors) > 1 else rows[0]


def payloads(
    store: VectorStore, where: Where | None = None, name: str = NAME
) -> list[Mapping[str, Any]]:
    return [record.payload for record in store.scan(name, where=where)]


def random_rows(count: int, dimension: int, seed: int) -> Vectors:
    """Rows of length 1."""
    rows = np.random.default_rng(seed).normal(size=(count, dimension))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
