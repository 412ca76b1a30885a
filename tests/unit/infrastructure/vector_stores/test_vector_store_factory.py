"""The factory: names, the documented ``qdrant``, and arguments that a store does not take."""

from pathlib import Path

import pytest

from rag_llm_system.domain.errors import ConfigurationError, UnknownName
from rag_llm_system.infrastructure.vector_stores.factory import VectorStoreFactory
from rag_llm_system.infrastructure.vector_stores.memory import MemoryVectorStore
from rag_llm_system.infrastructure.vector_stores.qdrant_adapter import QdrantAdapter
from rag_llm_system.infrastructure.vector_stores.qdrant_edge_adapter import QdrantEdgeAdapter


def test_qdrant_without_an_address_is_the_embedded_engine(tmp_path: Path) -> None:
    store = VectorStoreFactory.create("qdrant", path=tmp_path / "qdrant")

    assert isinstance(store, QdrantEdgeAdapter)
    assert not (tmp_path / "qdrant").exists()  # nothing is made before something is written


@pytest.mark.parametrize("address", [{"host": "127.0.0.1", "port": 1}, {"url": "https://q.test"}])
def test_qdrant_with_an_address_is_the_server(address: dict[str, str]) -> None:
    store = VectorStoreFactory.create("qdrant", **address)

    assert isinstance(store, QdrantAdapter)
    store.close()


def test_a_store_may_be_named_by_its_path() -> None:
    path = "rag_llm_system.infrastructure.vector_stores.memory:MemoryVectorStore"

    assert isinstance(VectorStoreFactory.create(path), MemoryVectorStore)


def test_an_unknown_store_is_an_error_that_lists_the_known() -> None:
    with pytest.raises(UnknownName, match="memory, qdrant-edge, qdrant-server"):
        VectorStoreFactory.create("qrdant")


@pytest.mark.parametrize(
    ("backend", "arguments", "takes"),
    [
        ("memory", {"path": "x"}, "no arguments"),
        ("qdrant", {}, "path"),
        ("qdrant", {"path": "x", "dimension": 3}, "path"),
        ("qdrant-server", {"host": "x", "key": "y"}, "api_key"),
    ],
)
def test_a_wrong_argument_is_an_error_that_says_what_the_store_takes(
    backend: str, arguments: dict[str, object], takes: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"it takes: .*{takes}"):
        VectorStoreFactory.create(backend, **arguments)
