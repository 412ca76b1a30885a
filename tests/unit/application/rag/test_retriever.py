"""Retrieval searches every category, gives each chunk once, and never answers from another encoder."""

import pytest

from rag_llm_system.application.indexing import Indexer
from rag_llm_system.application.rag.retriever import ContextRetriever
from rag_llm_system.domain.errors import ConfigurationError, IncompatibleCollection
from rag_llm_system.domain.queries import Query
from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
from rag_llm_system.infrastructure.tracing.off import OffTracer
from rag_llm_system.infrastructure.vector_stores.memory import MemoryVectorStore
from tests.unit.application.builders import cleaned


def retriever(store: MemoryVectorStore, **encoder: int) -> ContextRetriever:
    return ContextRetriever(store, HashingEmbedder(**encoder), OffTracer())  # type: ignore[arg-type]


@pytest.fixture
def store() -> MemoryVectorStore:
    store = MemoryVectorStore()
    indexer = Indexer(store, HashingEmbedder())
    documents = [
        cleaned("http://a.example/llama", "Llama models are fine-tuned with adapters."),
        cleaned("http://a.example/bread", "Bread needs flour, water and time."),
        cleaned("http://a.example/post", "Adapters are small.", category="posts"),
        cleaned("http://a.example/long", "Adapters, again and again. " * 40),
        cleaned(
            "http://a.example/code", "def adapters(): ...", category="repositories",
            metadata={"language": "python"},
        ),
    ]  # fmt: skip
    indexer.load_chunks(indexer.embed_changed(documents))
    return store


def test_the_closest_chunk_comes_first_and_numbers_follow_the_order(
    store: MemoryVectorStore,
) -> None:
    found = retriever(store).search(Query(text="How are Llama models fine-tuned?"), k=3)
    assert found[0].link == "http://a.example/llama"
    assert [c.n for c in found] == [1, 2, 3]
    assert [c.score for c in found] == sorted((c.score for c in found), reverse=True)


def test_every_category_is_searched(store: MemoryVectorStore) -> None:
    found = retriever(store).search(Query(text="adapters"), k=20)
    assert {c.category for c in found} == {"articles", "posts", "repositories"}


def test_a_chunk_of_several_windows_is_given_once(store: MemoryVectorStore) -> None:
    found = retriever(store).search(Query(text="adapters again"), k=20)
    assert len({c.chunk_id for c in found}) == len(found)


def test_conditions_narrow_the_search(store: MemoryVectorStore) -> None:
    found = retriever(store).search(Query(text="adapters", where={"language": "python"}), k=5)
    assert [c.link for c in found] == ["http://a.example/code"]


def test_an_empty_store_gives_nothing() -> None:
    assert retriever(MemoryVectorStore()).search(Query(text="anything")) == []


def test_a_question_longer_than_the_window_is_read_whole(store: MemoryVectorStore) -> None:
    question = "bread needs flour " * 30
    assert retriever(store).search(Query(text=question), k=1)[0].link == "http://a.example/bread"


@pytest.mark.parametrize("k", [0, -1, 101])
def test_a_senseless_k_is_refused(store: MemoryVectorStore, k: int) -> None:
    with pytest.raises(ConfigurationError, match="from 1 to 100"):
        retriever(store).search(Query(text="bread"), k=k)


def test_an_empty_question_is_refused(store: MemoryVectorStore) -> None:
    with pytest.raises(ConfigurationError, match="empty"):
        retriever(store).search(Query(text="  "))


def test_a_collection_of_another_encoder_is_refused(store: MemoryVectorStore) -> None:
    with pytest.raises(IncompatibleCollection, match="hashing"):
        retriever(store, dimension=32).search(Query(text="bread"))
