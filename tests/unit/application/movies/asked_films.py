"""Builders for tests of requests and recommendations: a small catalogue of real films, and an index of some films."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from rag_llm_system.application.indexing import Indexer
from rag_llm_system.application.movies.catalogue import FilmCatalogue, film_catalogue
from rag_llm_system.application.movies.recommender import FilmRecommender
from rag_llm_system.application.movies.request import understand
from rag_llm_system.application.preprocessing.dispatchers import CleaningDispatcher
from rag_llm_system.domain.documents import Document
from rag_llm_system.domain.films import FilmFacts, FilmRequest
from rag_llm_system.domain.ports import Embedder
from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
from rag_llm_system.infrastructure.tracing.off import OffTracer
from rag_llm_system.infrastructure.vector_stores.memory import MemoryVectorStore
from tests.unit.application.builders import document

_FOLDER = Path(__file__).parents[3] / "data" / "film_requests"
TODAY = date(2026, 11, 22)


def rows(name: str) -> Iterator[dict[str, Any]]:
    with (_FOLDER / f"{name}.jsonl").open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def real_films() -> FilmCatalogue:
    return FilmCatalogue(
        FilmFacts(document_id=f"{row['title']}-{row['year']}", **row) for row in rows("films")
    )


def understood(text: str, catalogue: FilmCatalogue) -> FilmRequest:
    return understand(text, catalogue, today=lambda: TODAY)


def as_labelled(request: FilmRequest) -> dict[str, Any]:
    """What was found, as the files of cases write it."""
    found = request.model_dump(mode="json", exclude={"text", "labels"})
    return {name: value for name, value in found.items() if value not in ([], None, "")}


def film_document(title: str, year: int, story: str, **facts: Sequence[str]) -> Document:
    lists = {name: list(values) for name, values in facts.items()}
    link = f"https://films.example/{year}/{title.replace(' ', '_')}"
    metadata = {"year": year, **lists}
    return document(link, story, category="movies", title=title, metadata=metadata)


class FilmIndex:
    """Films in a store in memory, with all that recommends them."""

    def __init__(self, films: Iterable[Document], embedder: Embedder | None = None) -> None:
        self.embedder: Embedder = embedder or HashingEmbedder(dimension=256)
        self.store = MemoryVectorStore()
        self._add(films)
        self.catalogue = film_catalogue(self.store)

    def _add(self, films: Iterable[Document]) -> None:
        cleaned = [one for one in map(CleaningDispatcher().dispatch, films) if one is not None]
        indexer = Indexer(self.store, self.embedder)
        indexer.load_chunks(indexer.embed_changed(cleaned))

    def recommender(self, **options: Any) -> FilmRecommender:
        return FilmRecommender(
            self.store, self.embedder, lambda: self.catalogue, OffTracer(), **options
        )

    def titles(self, text: str, k: int = 5, **options: Any) -> list[str]:
        """Of the films recommended for a sentence, best first."""
        request = understood(text, self.catalogue)
        found = self.recommender().recommend(request, k=k, **options)
        return [one.film.title for one in found.candidates]
