"""The stores of this system as they come out of its own table, with everything at its default."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.ports import CollectionSpec, Record, VectorStore
from rag_llm_system.domain.queries import Hit, Where
from rag_llm_system.infrastructure.vector_stores.factory import VectorStoreFactory
from rag_llm_system.settings import load_settings

NAME = "rag-llm-system-benchmark"
_YES_NO = {True: "yes", False: "no"}


class StoreContender:
    """One collection of a vector store; it is made by the first write."""

    def __init__(self, store: VectorStore, spec: CollectionSpec) -> None:
        self._store, self._spec = store, spec
        self._made = False

    @property
    def traits(self) -> Mapping[str, str]:
        said = self._store.capabilities.model_dump()
        return {name: _YES_NO.get(value, value) for name, value in said.items()}

    def upsert(self, records: Sequence[Record]) -> None:
        if not self._made:
            self._store.ensure(NAME, self._spec)
            self._made = True
        self._store.upsert(NAME, records)

    def publish(self) -> None:
        self._store.publish(NAME)

    def search(self, vector: Vectors, *, limit: int, where: Where | None = None) -> list[Hit]:
        return self._store.search(NAME, vector, limit=limit, where=where)

    def search_batch(self, vectors: Vectors, *, limit: int) -> list[list[Hit]]:
        return self._store.search_batch(NAME, vectors, limit=limit)

    def close(self) -> None:
        self._store.close()


def qdrant_edge(folder: Path, spec: CollectionSpec) -> StoreContender:
    return StoreContender(VectorStoreFactory.create("qdrant-edge", path=folder), spec)


def faiss(folder: Path, spec: CollectionSpec) -> StoreContender:
    return StoreContender(VectorStoreFactory.create("faiss", path=folder), spec)


def chroma(folder: Path, spec: CollectionSpec) -> StoreContender:
    return StoreContender(VectorStoreFactory.create("chroma", path=folder), spec)


def qdrant_server(_folder: Path, spec: CollectionSpec) -> StoreContender:
    """The server that the settings name."""
    return StoreContender(_server(), spec)


def clear_server() -> None:
    """Remove the collection of the benchmark from that server."""
    with closing(_server()) as store:
        store.drop(NAME)


def _server() -> VectorStore:
    from rag_llm_system.bootstrap import vector_store  # more than an embedded store needs

    return vector_store(load_settings(), "qdrant-server")
