"""The films of a file replace, in the data warehouse, those that its source gave before."""

import json
from pathlib import Path

import pytest

from rag_llm_system.application.forget import forget_link
from rag_llm_system.application.indexing import Indexer
from rag_llm_system.application.movies.record_mapping import FilmMapping
from rag_llm_system.application.movies.records import (
    FilmsReport,
    load_films,
    origin_of,
)
from rag_llm_system.application.preprocessing.dispatchers import CleaningDispatcher
from rag_llm_system.domain.documents import Author
from rag_llm_system.domain.errors import DataError
from rag_llm_system.infrastructure.db.memory import MemoryDocumentStore
from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
from rag_llm_system.infrastructure.vector_stores.memory import MemoryVectorStore

FILMS = Author.named("Films")


def load(
    store: MemoryDocumentStore, folder: Path, titles: str, source: Author = FILMS
) -> FilmsReport:
    path = folder / "films.jsonl"
    records = [
        {"title": title, "year": 1999, "extract": f"About {title}."} for title in titles.split()
    ]
    path.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    return load_films(path, FilmMapping(), source, store)


def titles(store: MemoryDocumentStore) -> list[str]:
    return sorted(document.title for document in store.find("movies"))


def test_films_are_stored_with_their_source_as_author(tmp_path: Path) -> None:
    store = MemoryDocumentStore()
    report = load(store, tmp_path, "Fog Rain Fog")
    assert (report.films, report.new, report.refused) == (2, 2, {"duplicate": 1})
    assert store.find_author("films") == FILMS
    assert store.count("movies", author_id=FILMS.id) == 2


def test_a_second_load_changes_nothing(tmp_path: Path) -> None:
    store = MemoryDocumentStore()
    load(store, tmp_path, "Fog Rain")
    assert load(store, tmp_path, "Fog Rain") == FilmsReport(films=2, unchanged=2)


def test_what_the_file_lacks_now_is_removed_of_this_source_alone(tmp_path: Path) -> None:
    store = MemoryDocumentStore()
    load(store, tmp_path, "Snow", Author.named("Others"))
    load(store, tmp_path, "Fog Rain")
    report = load(store, tmp_path, "Rain Wind")
    assert (report.new, report.unchanged, report.removed) == (1, 1, 1)
    assert titles(store) == ["Rain", "Snow", "Wind"]


def test_nothing_is_removed_when_the_file_holds_no_film(tmp_path: Path) -> None:
    store = MemoryDocumentStore()
    load(store, tmp_path, "Fog Rain")
    with pytest.raises(DataError, match="holds no records"):
        load(store, tmp_path, "")
    assert titles(store) == ["Fog", "Rain"]


def test_all_films_of_a_source_can_be_forgotten(tmp_path: Path) -> None:
    store, vectors = MemoryDocumentStore(), MemoryVectorStore()
    load(store, tmp_path, "Snow", Author.named("Others"))
    load(store, tmp_path, "Fog Rain")
    report = forget_link(origin_of(FILMS), store, vectors, forget_texts=lambda _: 0)
    assert report.documents == 2
    assert titles(store) == ["Snow"]


def test_an_indexed_film_is_one_chunk_that_can_be_filtered_by_its_facts(tmp_path: Path) -> None:
    store, vectors = MemoryDocumentStore(), MemoryVectorStore()
    load(store, tmp_path, "Fog Rain")
    dispatched = [CleaningDispatcher().dispatch(document) for document in store.find("movies")]
    cleaned = [document for document in dispatched if document is not None]
    indexer = Indexer(vectors, HashingEmbedder())
    indexer.load_cleaned(cleaned)
    indexer.load_chunks(indexer.embed_changed(cleaned))
    found = list(vectors.scan("movie_chunks_embedded", where={"year": 1999}))
    assert sorted(record.payload["title"] for record in found) == ["Fog", "Rain"]
    assert {record.payload["total_chunks"] for record in found} == {1}
    assert {record.payload["header"] for record in found} == {"Fog. ", "Rain. "}
