"""Retrieval searches every category, gives each chunk once, and never answers from another encoder."""

from dataclasses import replace

import pytest

from rag_llm_system.application.indexing import Indexer
from rag_llm_system.application.preprocessing.categories import CATEGORIES
from rag_llm_system.application.preprocessing.chunking_data_handlers import Tokens
from rag_llm_system.application.rag.retriever import ContextRetriever
from rag_llm_system.domain.errors import ConfigurationError, IncompatibleCollection
from rag_llm_system.domain.queries import Query
from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
from rag_llm_system.infrastructure.tracing.off import OffTracer
from rag_llm_system.infrastructure.vector_stores.memory import MemoryVectorStore
from tests.unit.application.builders import cleaned

LONG_CHUNKS = {
    **CATEGORIES,
    "posts": replace(CATEGORIES["posts"], chunk_size=Tokens(10_000, overlap=0)),
}


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
    assert [c.relevance for c in found] == sorted((c.relevance for c in found), reverse=True)


def test_every_category_is_searched(store: MemoryVectorStore) -> None:
    found = retriever(store).search(Query(text="adapters"), k=20)
    assert {c.category for c in found} == {"articles", "posts", "repositories"}


def test_a_chunk_of_several_windows_is_given_once(store: MemoryVectorStore) -> None:
    found = retriever(store).search(Query(text="adapters again"), k=20)
    assert len({c.chunk_id for c in found}) == len(found)


def test_a_chunk_comes_whole_with_the_window_that_matched_best(store: MemoryVectorStore) -> None:
    text = "flour water " * 60 + "zebra " * 20 + "end."
    indexer = Indexer(store, HashingEmbedder())
    indexer.load_chunks(indexer.embed_changed([cleaned("http://a.example/z", text)]))

    [found] = retriever(store).search(Query(text="zebra"), k=1)

    start, end = found.window
    assert found.content == text[found.start : found.end] == text
    assert "zebra" in text[start:end]
    assert end - start < len(text)


def test_many_windows_of_few_chunks_do_not_crowd_out_the_others(store: MemoryVectorStore) -> None:
    """Of one post with two hundred windows all are closer than any other chunk."""
    indexer = Indexer(store, HashingEmbedder(), LONG_CHUNKS)
    long = cleaned("http://a.example/p", "flour water " * 3_000, category="posts")
    indexer.load_chunks(indexer.embed_changed([long]))

    found = retriever(store).search(Query(text="flour water"), k=4)

    assert len({c.chunk_id for c in found}) == 4


def test_a_chunk_that_is_only_half_written_is_left_out(store: MemoryVectorStore) -> None:
    name = store.aliases()["article_chunks_embedded"]
    firsts = store.scan(name, where={"link": "http://a.example/long", "window": 0})
    store.delete(name, [record.id for record in firsts])

    found = retriever(store).search(Query(text="Adapters, again and again."), k=20)

    assert "http://a.example/long" not in {c.link for c in found}
    assert len(found) == 4


def test_a_chunk_of_a_file_knows_its_lines(store: MemoryVectorStore) -> None:
    text = "import os\n\n\ndef adapters():\n    return os\n"
    metadata = {"language": "python", "source_file": "src/llama.py"}
    indexer = Indexer(store, HashingEmbedder())
    indexer.load_chunks(
        indexer.embed_changed(
            [cleaned("http://a.example/f", text, category="repositories", metadata=metadata)]
        )
    )

    [found] = retriever(store).search(Query(text="os", where={"source_file": "src/llama.py"}), k=1)

    assert (found.source_file, found.start_line, found.end_line) == ("src/llama.py", 1, 5)


def test_conditions_narrow_the_search(store: MemoryVectorStore) -> None:
    found = retriever(store).search(Query(text="adapters", where={"language": "python"}), k=5)
    assert [c.link for c in found] == ["http://a.example/code"]


def test_an_empty_store_gives_nothing() -> None:
    assert retriever(MemoryVectorStore()).search(Query(text="anything")) == []


def test_a_question_longer_than_the_window_is_read_whole(store: MemoryVectorStore) -> None:
    question = "bread needs flour " * 30
    assert retriever(store).search(Query(text=question), k=1)[0].link == "http://a.example/bread"


@pytest.mark.parametrize("k", [0, -1, 1001])
def test_a_senseless_k_is_refused(store: MemoryVectorStore, k: int) -> None:
    with pytest.raises(ConfigurationError, match="from 1 to 1000"):
        retriever(store).search(Query(text="bread"), k=k)


def test_an_empty_question_is_refused(store: MemoryVectorStore) -> None:
    with pytest.raises(ConfigurationError, match="empty"):
        retriever(store).search(Query(text="  "))


def test_a_collection_of_another_encoder_is_refused(store: MemoryVectorStore) -> None:
    with pytest.raises(IncompatibleCollection, match="hashing"):
        retriever(store, dimension=32).search(Query(text="bread"))
