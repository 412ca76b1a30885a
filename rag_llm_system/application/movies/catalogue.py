"""All films of the index, by id, by title and by who made them: what a request can mean."""

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from math import log1p
from sys import intern
from typing import Any

from rag_llm_system.application.movies.genres import genre_phrases
from rag_llm_system.application.movies.names import People
from rag_llm_system.application.movies.titles import Titles, shown_titles
from rag_llm_system.application.preprocessing.categories import CATEGORIES, Category
from rag_llm_system.application.rag.self_query.vocabulary import Phrases
from rag_llm_system.application.rag.sizes import FRESH_S
from rag_llm_system.domain.films import FilmFacts
from rag_llm_system.domain.ports import VectorStore

FILMS = "movies"

_FIELDS = (
    "document_id", "ordinal", "title", "year", "genres", "cast", "directors", "content", "link",
)  # fmt: skip


class FilmCatalogue:
    """Never changed: what is looked up by is made when it is first needed. Threads may share it."""

    def __init__(self, films: Iterable[FilmFacts]) -> None:
        self._films = {film.document_id: film for film in films}

    def __len__(self) -> int:
        return len(self._films)

    def __iter__(self) -> Iterator[FilmFacts]:
        return iter(self._films.values())

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(self._films)

    def film(self, document_id: str) -> FilmFacts | None:
        return self._films.get(document_id)

    def titled(self, written: str) -> tuple[FilmFacts, ...]:
        """The films that this title means, see ``Titles.named``; () for one that the index lacks."""
        return self.titles.named(written)

    def shown(self, films: Iterable[FilmFacts]) -> tuple[str, ...]:
        """Titles that mean these films and no others: with the year where several have the title."""
        return shown_titles(tuple(films), self._homonyms)

    @cached_property
    def titles(self) -> Titles:
        return Titles(self)

    @cached_property
    def people(self) -> People:
        return People(self)

    @cached_property
    def genres(self) -> Phrases:
        """The known genres by the words that name them."""
        return genre_phrases(self.known_genres)

    @cached_property
    def known_genres(self) -> tuple[str, ...]:
        return tuple(sorted({genre for film in self for genre in film.genres}))

    @cached_property
    def known_cast(self) -> tuple[str, ...]:
        return tuple(sorted({name for film in self for name in film.cast}))

    @cached_property
    def known_directors(self) -> tuple[str, ...]:
        return tuple(sorted({name for film in self for name in film.directors}))

    @cached_property
    def prominence(self) -> Mapping[str, float]:
        """By id, in [0, 1]: how many other films of the index its cast plays in, on a logarithmic scale.

        Nothing else that a film's facts hold tells how many people know it.
        """
        played = Counter(name for film in self for name in film.cast)
        others = {
            film.document_id: log1p(sum(played[name] - 1 for name in film.cast)) for film in self
        }
        most = max(others.values(), default=0.0) or 1.0
        return {document_id: number / most for document_id, number in others.items()}

    @cached_property
    def ids_by_genre(self) -> Mapping[str, frozenset[str]]:
        return _inverted((film.document_id, film.genres) for film in self)

    @cached_property
    def ids_by_cast(self) -> Mapping[str, frozenset[str]]:
        return _inverted((film.document_id, film.cast) for film in self)

    @cached_property
    def ids_by_director(self) -> Mapping[str, frozenset[str]]:
        return _inverted((film.document_id, film.directors) for film in self)

    @cached_property
    def newest_year(self) -> int:
        """0 when no year is known."""
        return max((film.year for film in self), default=0)

    @cached_property
    def _homonyms(self) -> Mapping[str, int]:
        return Counter(film.title for film in self)


def _inverted(films: Iterable[tuple[str, tuple[str, ...]]]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for document_id, values in films:
        for value in values:
            found[value].add(document_id)
    return {value: frozenset(ids) for value, ids in found.items()}


def film_catalogue(store: VectorStore, table: Mapping[str, Category] = CATEGORIES) -> FilmCatalogue:
    """Reads every film of the live collection; a film that was cut into several chunks is put together again."""
    chunks: dict[str, list[tuple[int, Mapping[str, Any]]]] = defaultdict(list)
    name = table[FILMS].chunk_collection
    for record in store.scan(name, where={"window": 0}, fields=_FIELDS):
        payload = record.payload
        chunks[payload["document_id"]].append((payload["ordinal"], payload))
    return FilmCatalogue(
        _facts([payload for _, payload in sorted(parts, key=lambda one: one[0])])
        for _, parts in sorted(chunks.items())
    )


def _facts(parts: list[Mapping[str, Any]]) -> FilmFacts:
    """A payload holds what records said: a year that is no number and a list that is text are unknown."""
    first, *more = parts
    year = first.get("year")
    return FilmFacts(
        document_id=first["document_id"],
        title=first["title"],
        year=year if isinstance(year, int) else 0,
        genres=_names(first.get("genres")),
        cast=_names(first.get("cast")),
        directors=_names(first.get("directors")),
        text=" ".join([first["content"], *(part["content"] for part in more)]),
        link=first["link"],
    )


def _names(value: object) -> tuple[str, ...]:
    # of 40,000 films the same names and genres come again and again: kept once each
    return tuple(intern(one) for one in value) if isinstance(value, list) else ()


class CurrentCatalogue:
    """The catalogue of what is live: read when it is first asked for, and again when the index has changed."""

    def __init__(
        self,
        store: VectorStore,
        table: Mapping[str, Category] = CATEGORIES,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._table, self._clock = store, table, clock
        self._lock = threading.Lock()
        self._known: tuple[object, FilmCatalogue] | None = None
        self._looked_at = float("-inf")

    def __call__(self) -> FilmCatalogue:
        with self._lock:
            if self._known is None or self._clock() - self._looked_at > FRESH_S:
                name = self._table[FILMS].chunk_collection
                state = self._store.aliases().get(name), self._store.count(name)
                if self._known is None or self._known[0] != state:
                    self._known = state, film_catalogue(self._store, self._table)
                self._looked_at = self._clock()
            return self._known[1]
