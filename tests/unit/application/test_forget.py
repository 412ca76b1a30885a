"""What is to be forgotten is in no collection afterwards, and nothing else is touched."""

from collections.abc import Iterable, Sequence

import pytest

from rag_llm_system.application.forget import forget_link, remove_from_index
from rag_llm_system.application.indexing import Indexer
from rag_llm_system.application.indexing.cleaned import LOOKUP_BATCH
from rag_llm_system.application.preprocessing.dispatchers import CleaningDispatcher
from rag_llm_system.domain.crawling import LinkState
from rag_llm_system.domain.documents import CleanedDocument, Document, Source
from rag_llm_system.domain.errors import ConfigurationError, UnknownName
from rag_llm_system.infrastructure.db.memory import MemoryDocumentStore
from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
from rag_llm_system.infrastructure.vector_stores.memory import MemoryVectorStore
from tests.unit.application.builders import AUTHOR, FETCHED, cleaned, document

LONG = " ".join(f"Sentence number {i} tells one more thing." for i in range(120))


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
    return {
        record.payload["document_id"] for name in store.collections() for record in store.scan(name)
    }


def points(store: MemoryVectorStore) -> int:
    return sum(store.count(name) for name in store.collections())


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

    chunks, texts = store.aliases()["article_chunks_embedded"], "cleaned_articles"
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


def test_the_collections_of_every_encoder_are_searched() -> None:
    store = MemoryVectorStore()
    gone = cleaned("http://a.example/1", LONG)
    indexed(store, [gone])
    other = Indexer(store, HashingEmbedder(dimension=32))
    other.load_chunks(list(other.embed_changed([gone])))

    remove_from_index(ids_of(gone), store)

    assert left(store) == set()


class Warehouse(MemoryDocumentStore):
    """Holds these documents and the state of their links."""

    def __init__(self, *given: Document) -> None:
        super().__init__()
        self.save_author(AUTHOR)
        self.save(given)
        self.save_links(
            LinkState(author_id=AUTHOR.id, link=link, status="fetched")
            for link in {one.source.origin or one.link for one in given}
        )


def clean(given: Document) -> CleanedDocument:
    made = CleaningDispatcher().dispatch(given)
    assert made is not None
    return made


def a_file(name: str) -> Document:
    source = Source(
        link=f"https://code.example/repo/{name}",
        origin="https://code.example/repo",
        fetched_at=FETCHED,
    )
    return document(source.link, f"print('{name}')", category="repositories", source=source)


def test_forgetting_a_link_leaves_nothing_of_it_anywhere() -> None:
    page, other = document("https://a.example/1", LONG), document("https://a.example/2", "Short.")
    warehouse, store, forgotten = Warehouse(page, other), MemoryVectorStore(), list[str]()
    indexed(store, [clean(page), clean(other)])

    report = forget_link(
        "HTTPS://A.example/1#part",
        warehouse,
        store,
        forget_texts=lambda texts: forgotten.extend(texts) or len(forgotten),
    )

    assert (report.documents, report.vectors) == (1, len(forgotten))
    assert report.points == len(forgotten) + 1
    assert set(" ".join(forgotten).split()) >= set(LONG.split())
    assert [d.link for d in warehouse.find("articles")] == [other.link]
    assert warehouse.find_link(AUTHOR.id, page.link) is None
    assert left(store) == {other.id}


def test_forgetting_a_repository_forgets_its_files() -> None:
    files = [a_file("one.py"), a_file("two.py")]
    warehouse, store = Warehouse(*files), MemoryVectorStore()
    indexed(store, map(clean, files))

    report = forget_link(
        "https://code.example/repo", warehouse, store, forget_texts=lambda texts: len(list(texts))
    )

    assert (report.documents, report.vectors) == (2, 2)
    assert left(store) == set()


def test_a_link_that_gave_nothing_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"nothing is stored of https://a\.example/9"):
        forget_link(
            "https://a.example/9", Warehouse(), MemoryVectorStore(), forget_texts=lambda _: 0
        )


def test_what_the_data_warehouse_lost_already_is_still_removed_from_the_index() -> None:
    """A run that was killed after the data warehouse, or a document that was imported into the index alone."""
    store, page = MemoryVectorStore(), document("https://a.example/1", LONG)
    indexed(store, [clean(page)])

    report = forget_link(page.link, Warehouse(), store, forget_texts=lambda _: 0)

    assert report.documents == 0
    assert report.points > 0
    assert left(store) == set()
