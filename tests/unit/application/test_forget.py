"""What is to be forgotten is in no collection afterwards, and nothing else is touched."""

from collections.abc import Iterable, Sequence

import pytest

from rag_llm_system.application.forget import remove_from_index
from rag_llm_system.application.indexing import LOOKUP_BATCH, Indexer
from rag_llm_system.application.preprocessing.categories import CATEGORIES
from rag_llm_system.domain.documents import CleanedDocument
from rag_llm_system.domain.errors import UnknownName
from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
from rag_llm_system.infrastructure.vector_stores.memory import MemoryVectorStore
from tests.unit.application.builders import cleaned

LONG = " ".join(f"Sentence number {i} tells one more thing." for i in range(120))
COLLECTIONS = sorted(
    name for c in CATEGORIES.values() for name in (c.chunk_collection, c.cleaned_collection)
)


class WatchedStore(MemoryVectorStore):
    """Notes what is written, and how much of it at once."""

    def __init__(self) -> None:
        super().__init__()
        self.deleted: list[int] = []
        self.published: list[str] = []
        self.claimed = False

    def claim(self) -> None:
        self.claimed = True

    def delete(self, name: str, ids: Sequence[str]) -> None:
        self.deleted.append(len(ids))
        super().delete(name, ids)

    def publish(self, name: str) -> None:
        self.published.append(name)
        super().publish(name)


def indexed(store: MemoryVectorStore, documents: Iterable[CleanedDocument]) -> None:
    indexer = Indexer(store, HashingEmbedder())
    given = list(documents)
    indexer.load_cleaned(given)
    indexer.load_chunks(indexer.embed_changed(given))


def ids_of(*documents: CleanedDocument) -> list[tuple[str, str]]:
    return [(document.category, document.id) for document in documents]


def left(store: MemoryVectorStore) -> set[str]:
    """The documents of which anything is left."""
    return {record.payload["document_id"] for name in COLLECTIONS for record in store.scan(name)}


def points(store: MemoryVectorStore) -> int:
    return sum(store.count(name) for name in COLLECTIONS)


def test_all_points_of_the_documents_go_and_those_of_others_stay() -> None:
    store = MemoryVectorStore()
    gone, kept = cleaned("http://a.example/1", LONG), cleaned("http://a.example/2", LONG)
    post = cleaned("http://a.example/3", "A post.", category="posts")
    indexed(store, [gone, kept, post])
    before = points(store)

    removed = remove_from_index(ids_of(gone, post), store)

    assert removed == before - points(store) > 4
    assert left(store) == {kept.id}
    hits = store.search(
        "article_chunks_embedded", HashingEmbedder().embed(["tells"])[0], limit=1_000
    )
    assert {hit.payload["document_id"] for hit in hits} == {kept.id}


def test_what_is_only_cleaned_goes_too() -> None:
    store = MemoryVectorStore()
    document = cleaned("http://a.example/1", "Short.")
    Indexer(store, HashingEmbedder()).load_cleaned([document])

    assert remove_from_index(ids_of(document), store) == 1
    assert left(store) == set()


def test_a_category_is_part_of_what_is_forgotten() -> None:
    store = MemoryVectorStore()
    article = cleaned("http://a.example/1", "Short.")
    indexed(store, [article])

    assert remove_from_index([("posts", article.id)], store) == 0
    assert left(store) == {article.id}


def test_where_nothing_is_indexed_nothing_is_written() -> None:
    empty, store = WatchedStore(), WatchedStore()
    indexed(store, [cleaned("http://a.example/1", "Short.")])
    before = points(store)
    store.claimed = False

    for one in (empty, store):
        assert remove_from_index([], one) == 0
        assert remove_from_index(ids_of(cleaned("http://a.example/2", "Short.")), one) == 0

    assert (store.deleted, store.claimed, points(store)) == ([], False, before)
    assert (empty.published, empty.collections()) == ([], {})


def test_each_touched_collection_is_published_once_it_is_complete() -> None:
    store = WatchedStore()
    documents = [cleaned(f"http://a.example/{n}", "Short.") for n in range(LOOKUP_BATCH + 1)]
    indexed(store, documents)
    store.published.clear()

    remove_from_index(ids_of(*documents), store)

    chunks, texts = "article_chunks_embedded", "cleaned_articles"
    assert store.published == [chunks, chunks, texts, texts]
    assert points(store) == 0


def test_many_documents_are_removed_in_bounded_batches() -> None:
    store = WatchedStore()
    documents = [cleaned(f"http://a.example/{n}", "Short.") for n in range(3 * LOOKUP_BATCH)]
    indexed(store, documents)

    assert remove_from_index(ids_of(*documents, *documents), store) == 6 * LOOKUP_BATCH

    assert max(store.deleted) <= LOOKUP_BATCH
    assert left(store) == set()


def test_forgetting_twice_finds_nothing_left() -> None:
    store = MemoryVectorStore()
    document = cleaned("http://a.example/1", LONG)
    indexed(store, [document])

    assert remove_from_index(ids_of(document), store) > 0
    assert remove_from_index(ids_of(document), store) == 0


def test_an_unknown_category_is_refused() -> None:
    with pytest.raises(UnknownName, match="unknown category 'films'; known: articles"):
        remove_from_index([("films", "1")], MemoryVectorStore())
