"""The index holds what the documents say, and a run touches only what changed."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from rag_llm_system.application.indexing import (
    Indexer,
    LoadReport,
    cleaned_documents,
    live_collections,
)
from rag_llm_system.application.preprocessing.categories import CATEGORIES
from rag_llm_system.application.preprocessing.chunking_data_handlers import Chars
from rag_llm_system.application.preprocessing.dispatchers import CleaningDispatcher
from rag_llm_system.domain.documents import Author, CleanedDocument
from rag_llm_system.domain.errors import DataError, IncompatibleCollection
from rag_llm_system.domain.ports import CollectionSpec, Record
from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
from rag_llm_system.infrastructure.vector_stores.memory import MemoryVectorStore
from tests.unit.application.builders import cleaned, document

LONG = " ".join(f"Sentence number {i} tells one more thing." for i in range(120))


def run(
    store: MemoryVectorStore, documents: Iterable[CleanedDocument], **encoder: int
) -> tuple[Indexer, LoadReport]:
    indexer = Indexer(store, HashingEmbedder(**encoder))  # type: ignore[arg-type]
    given = list(documents)
    indexer.load_cleaned(given)
    records = list(indexer.embed_changed(given))
    return indexer, indexer.load_chunks(records)


def test_a_first_run_embeds_everything_and_a_second_nothing() -> None:
    store = MemoryVectorStore()
    documents = [cleaned("http://a.example/1", LONG), cleaned("http://a.example/2", "Short.")]

    first, loaded = run(store, documents)
    second, again = run(store, documents)

    assert first.report.embedded_documents == 2
    assert first.report.windows == loaded.written == store.count("article_chunks_embedded")
    assert (second.report.embedded, second.report.unchanged_documents) == (0, 2)
    assert (again.written, again.removed) == (0, 0)


def test_an_edit_replaces_the_points_of_its_document_alone() -> None:
    store = MemoryVectorStore()
    run(store, [cleaned("http://a.example/1", LONG), cleaned("http://a.example/2", "Short.")])

    indexer, loaded = run(
        store,
        [cleaned("http://a.example/1", "Now short."), cleaned("http://a.example/2", "Short.")],
    )

    assert indexer.report.embedded_documents == 1
    assert loaded.removed > 0
    contents = {r.payload["content"] for r in store.scan(live(store))}
    assert contents == {"Now short.", "Short."}


def test_a_document_of_which_points_are_missing_is_completed() -> None:
    store = MemoryVectorStore()
    documents = [cleaned("http://a.example/1", LONG)]
    run(store, documents)
    some = next(iter(store.scan(live(store))))
    store.delete(live(store), [some.id])

    indexer, _ = run(store, documents)

    assert indexer.report.embedded_documents == 1
    assert store.count("article_chunks_embedded") == indexer.report.windows


def test_documents_with_the_same_text_keep_their_own_points() -> None:
    store = MemoryVectorStore()
    run(store, [cleaned("http://a.example/1", "Same."), cleaned("http://a.example/2", "Same.")])
    assert store.count("article_chunks_embedded") == 2


def test_no_window_outgrows_the_encoder_and_none_is_lost() -> None:
    store = MemoryVectorStore()
    encoder = HashingEmbedder(max_tokens=10)
    indexer = Indexer(store, encoder)
    records = list(indexer.embed_changed([cleaned("http://a.example/1", LONG)]))

    contents = {
        r.payload["chunk_id"]: r.payload["content"] for r in records if not r.payload["window"]
    }
    for record in records:
        payload = record.payload
        window = contents[payload["chunk_id"]][payload["window_start"] : payload["window_end"]]
        assert len(encoder.token_spans(window)) <= 10
    assert indexer.report.windows == len(records) > indexer.report.embedded


def live(store: MemoryVectorStore) -> str:
    return store.aliases()["article_chunks_embedded"]


def test_another_encoder_gets_collections_of_its_own_and_goes_live_when_they_are_complete() -> None:
    store = MemoryVectorStore()
    documents = [cleaned("http://a.example/1", LONG), cleaned("http://a.example/2", "Short.")]
    run(store, documents)
    before = live(store)

    indexer, loaded = run(store, documents, dimension=32)

    assert loaded.switched
    assert indexer.report.why == {"another encoder": 2}
    assert live(store) != before
    assert store.count(before) == store.count(live(store))
    assert {s.dimension for n, s in store.collections().items() if n in before} == {64}


def test_until_then_answers_come_from_the_old_one() -> None:
    store = MemoryVectorStore()
    documents = [cleaned("http://a.example/1", LONG), cleaned("http://a.example/2", "Short.")]
    run(store, documents)
    before = live(store)

    indexer = Indexer(store, HashingEmbedder(dimension=32))
    loaded = indexer.load_chunks(list(indexer.embed_changed(documents[:1])))

    assert (loaded.switched, loaded.waiting) == (False, 1)
    assert live(store) == before
    with pytest.raises(IncompatibleCollection, match="TEXT_EMBEDDING_MODEL_ID"):
        live_collections(store, HashingEmbedder(dimension=32))


def test_going_back_to_the_old_encoder_embeds_only_what_changed_meanwhile() -> None:
    store = MemoryVectorStore()
    run(store, [cleaned("http://a.example/1", LONG), cleaned("http://a.example/2", "Short.")])
    edited = [cleaned("http://a.example/1", LONG), cleaned("http://a.example/2", "Edited.")]
    run(store, edited, dimension=32)

    indexer, loaded = run(store, edited)

    assert loaded.switched
    assert indexer.report.why == {"edited": 1}


def test_collections_of_an_earlier_version_are_named_with_the_way_out() -> None:
    store = MemoryVectorStore()
    store.ensure("article_chunks_embedded", CollectionSpec(dimension=64, encoder="hashing"))
    with pytest.raises(IncompatibleCollection, match=r"earlier version; .* poe drop-vectors"):
        run(store, [cleaned("http://a.example/1", "Short.")])


def test_what_is_no_longer_in_the_data_warehouse_leaves_the_index() -> None:
    store = MemoryVectorStore()
    kept, gone = cleaned("http://a.example/1", LONG), cleaned("http://a.example/2", "Short.")
    run(store, [kept, gone])

    _, loaded = run(store, [kept])

    assert (loaded.gone, loaded.removed) == (1, 1)
    left = {r.payload["document_id"] for n in store.collections() for r in store.scan(n)}
    assert left == {kept.id}


def test_a_run_over_some_authors_removes_nobody_elses_documents() -> None:
    store = MemoryVectorStore()
    ada = Author.named("Ada Example")
    own = {"author_id": ada.id, "author_full_name": ada.full_name}
    hers, other = cleaned("http://a.example/1", "Hers.", **own), cleaned("http://b.example", "His.")
    indexer = Indexer(store, HashingEmbedder())
    indexer.load_cleaned([hers, other])

    report = indexer.load_cleaned([], authors=[ada.id])

    assert (report.gone, report.collections["cleaned_articles"]) == (1, 1)


def test_an_emptied_data_warehouse_does_not_empty_the_index() -> None:
    store = MemoryVectorStore()
    indexer = Indexer(store, HashingEmbedder())
    indexer.load_cleaned(cleaned(f"http://a.example/{n}", "Text.") for n in range(30))

    with pytest.raises(DataError, match=r"30 of 30 documents .* --set max_removed_share=1"):
        indexer.load_cleaned([], max_removed_share=0.5)

    assert store.count("cleaned_articles") == 30
    assert indexer.load_cleaned([], max_removed_share=1).gone == 30


def test_the_report_says_why_documents_were_written() -> None:
    store = MemoryVectorStore()
    links = [f"http://a.example/{n}" for n in range(4)]
    indexer = Indexer(store, HashingEmbedder())
    indexer.load_cleaned(cleaned(link, f"Text of {link}.") for link in links[:3])

    report = indexer.load_cleaned(
        [
            cleaned(links[0], f"Text of {links[0]}."),
            cleaned(links[1], "Edited."),
            cleaned(links[3], f"Text of {links[2]}."),
            cleaned("http://a.example/new", "New."),
        ]
    )

    assert report.why == {"edited": 1, "moved": 1, "new": 1}
    assert (report.unchanged, report.gone) == (1, 1)


def test_another_cleaner_that_gives_the_same_text_embeds_nothing() -> None:
    store = MemoryVectorStore()
    given = document("http://a.example/1", "Plain.")
    newer = {n: replace(c, version=c.version + 1) for n, c in CATEGORIES.items()}
    run(store, [CleaningDispatcher().dispatch(given)])  # type: ignore[list-item]

    again = CleaningDispatcher(newer).dispatch(given)
    report = Indexer(store, HashingEmbedder()).load_cleaned([again])  # type: ignore[list-item]
    indexer, _ = run(store, [again])  # type: ignore[list-item]

    assert report.why == {"cleaner changed": 1}
    assert indexer.report.embedded == 0


def test_another_chunk_size_cuts_every_document_of_its_category_anew() -> None:
    store = MemoryVectorStore()
    post = cleaned("http://a.example/p", "A post.", category="posts")
    documents = [cleaned("http://a.example/1", LONG), post]
    run(store, documents)
    before = store.count(live(store), where={"window": 0})
    smaller = {
        **CATEGORIES,
        "articles": replace(CATEGORIES["articles"], chunk_size=Chars(200, 400)),
    }

    indexer = Indexer(store, HashingEmbedder(), smaller)
    indexer.load_chunks(list(indexer.embed_changed(documents)))

    assert indexer.report.why == {"chunk settings changed": 1}
    assert store.count(live(store), where={"window": 0}) > 2 * before


def test_points_that_were_not_stored_fail_the_load() -> None:
    class Forgetful(MemoryVectorStore):
        def upsert(self, name: str, records: Iterable[Record]) -> int:  # type: ignore[override]
            return super().upsert(name, list(records)[1:])

    with pytest.raises(DataError, match="1 of 2 points were not stored"):
        run(
            Forgetful(),
            [cleaned("http://a.example/1", "One."), cleaned("http://a.example/2", "Two.")],
        )


def test_a_text_that_gives_no_chunk_fails_instead_of_vanishing() -> None:
    blank = cleaned("http://a.example/1", "Text.").model_copy(update={"text": " "})
    with pytest.raises(DataError, match="1 characters gave no chunk"):
        run(MemoryVectorStore(), [blank])


def test_progress_counts_every_document_once() -> None:
    store, seen = MemoryVectorStore(), []
    documents = [cleaned(f"http://a.example/{n}", LONG) for n in range(3)]
    run(store, documents[:1])
    list(Indexer(store, HashingEmbedder()).embed_changed(documents, seen.append))
    assert sum(seen) == 3


def test_cleaned_documents_come_back_as_they_were() -> None:
    store = MemoryVectorStore()
    indexer = Indexer(store, HashingEmbedder())
    documents = [
        cleaned("http://a.example/1", "One.", metadata={"language": "en", "tags": ["a", "b"]}),
        cleaned("http://a.example/p", "Two.", category="posts"),
    ]

    first = indexer.load_cleaned(documents)
    again = indexer.load_cleaned(documents)

    assert (first.written, again.written, again.unchanged) == (2, 0, 2)
    assert {d.id: d for d in cleaned_documents(store)} == {d.id: d for d in documents}
