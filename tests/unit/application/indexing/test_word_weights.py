"""The weights of words follow the length of the chunks that are there."""

from rag_llm_system.application.indexing import Indexer
from rag_llm_system.application.indexing.word_weights import REFERENCE, WORDS
from rag_llm_system.application.preprocessing.terms import query_terms
from rag_llm_system.domain.documents import CleanedDocument
from rag_llm_system.domain.ports import Record
from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
from rag_llm_system.infrastructure.vector_stores.memory import MemoryVectorStore
from tests.unit.application.builders import cleaned

ALIAS = "article_chunks_embedded"
SHORT = [cleaned(f"http://a.example/{n}", f"Bread number {n}.") for n in range(4)]
LONG = [cleaned(f"http://b.example/{n}", "flour water salt yeast " * 60) for n in range(4)]


def loaded(store: MemoryVectorStore, *documents: CleanedDocument) -> int:
    """How many chunks were weighed anew."""
    indexer = Indexer(store, HashingEmbedder())
    indexer.load_cleaned(documents)
    return indexer.load_chunks(list(indexer.embed_changed(documents))).reweighed


def points(store: MemoryVectorStore) -> list[Record]:
    return list(store.scan(ALIAS, with_vectors=True))


def test_a_chunk_has_its_words_once() -> None:
    store = MemoryVectorStore()
    loaded(store, *LONG)
    for record in points(store):
        is_first = record.payload["window"] == 0
        assert bool(record.terms) == is_first
        assert (WORDS in record.payload) == is_first


def test_words_of_the_title_are_found() -> None:
    store = MemoryVectorStore()
    document = cleaned("http://a.example/t", "Mix, wait and bake.", title="Sourdough")
    loaded(store, document)
    [[hit]] = store.search_terms(ALIAS, [query_terms("sourdough")], limit=3)
    assert hit.payload["link"] == "http://a.example/t"


def test_an_index_that_grew_is_the_one_that_a_rebuild_gives() -> None:
    grown, rebuilt = MemoryVectorStore(), MemoryVectorStore()
    loaded(grown, *SHORT)
    assert loaded(grown, *SHORT, *LONG) >= len(SHORT)
    loaded(rebuilt, *SHORT, *LONG)
    assert points(grown) == points(rebuilt)


def test_weights_go_back_when_the_long_chunks_are_gone() -> None:
    store, alone = MemoryVectorStore(), MemoryVectorStore()
    loaded(store, *SHORT, *LONG)
    assert loaded(store, *SHORT) == len(SHORT)
    loaded(alone, *SHORT)
    assert points(store) == points(alone)


def test_a_run_without_changes_weighs_nothing() -> None:
    store = MemoryVectorStore()
    loaded(store, *SHORT, *LONG)
    before = points(store)
    assert loaded(store, *SHORT, *LONG) == 0
    assert points(store) == before
    assert len({r.payload[REFERENCE] for r in before if REFERENCE in r.payload}) == 1
