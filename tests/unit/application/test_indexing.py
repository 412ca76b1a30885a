"""The index holds what the documents say, and a run touches only what changed."""

from collections.abc import Iterable

import pytest

from rag_llm_system.application.indexing import Indexer, LoadReport, cleaned_documents
from rag_llm_system.domain.documents import CleanedDocument
from rag_llm_system.domain.errors import DataError, IncompatibleCollection
from rag_llm_system.domain.ports import Record
from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
from rag_llm_system.infrastructure.vector_stores.memory import MemoryVectorStore
from tests.unit.application.builders import cleaned

LONG = " ".join(f"Sentence number {i} tells one more thing." for i in range(120))


def run(
    store: MemoryVectorStore, documents: Iterable[CleanedDocument], **encoder: int
) -> tuple[Indexer, LoadReport]:
    indexer = Indexer(store, HashingEmbedder(**encoder))  # type: ignore[arg-type]
    records = list(indexer.embed_changed(documents))
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
    contents = {r.payload["content"] for r in store.scan("article_chunks_embedded")}
    assert contents == {"Now short.", "Short."}


def test_a_document_of_which_points_are_missing_is_completed() -> None:
    store = MemoryVectorStore()
    documents = [cleaned("http://a.example/1", LONG)]
    run(store, documents)
    some = next(iter(store.scan("article_chunks_embedded")))
    store.delete("article_chunks_embedded", [some.id])

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

    for record in records:
        window = record.payload["content"][
            record.payload["window_start"] : record.payload["window_end"]
        ]
        assert len(encoder.token_spans(window)) <= 10
    assert indexer.report.windows == len(records) > indexer.report.chunks


def test_another_encoder_is_refused() -> None:
    store = MemoryVectorStore()
    run(store, [cleaned("http://a.example/1", "Short.")])
    with pytest.raises(IncompatibleCollection):
        run(store, [cleaned("http://a.example/2", "Other.")], dimension=32)


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
