"""Films from records: a mapping says which field is what, each film becomes a document of the data warehouse."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from pydantic import Field

from rag_llm_system.application.movies.record_files import records_of
from rag_llm_system.application.movies.record_mapping import FilmMapping
from rag_llm_system.application.movies.record_values import (
    directors_in,
    names_of,
    plain_text,
    without_surrogates,
    year_of,
)
from rag_llm_system.domain.documents import (
    Author,
    Document,
    Scalar,
    Source,
    Value,
    canonical_link,
    document_id,
)
from rag_llm_system.domain.errors import DataError
from rag_llm_system.domain.ports import DocumentStore

FILMS = "movies"
NAMED = 5
"""So many refused records are named one by one; all are counted."""

_CAST_NAMED = 6
_LINK_SAFE = "/:@!$&'()*+,;=~%"  # % too: the fields of links are escaped already
_FACTS = re.compile(r"(?:\A|\n\n)\d{4}\.[^\n]*\Z")


class FilmsReport(Value):
    """What became of the records of a file: ``films`` + ``refused`` are all of them, ``named`` the first refused.

    ``absent`` are fields that the mapping names and no record has. ``new``, ``changed`` and ``unchanged`` are films of
    the data warehouse, ``removed`` those that the file lacks now.
    """

    films: int = 0
    refused: Mapping[str, int] = Field(default_factory=dict)
    named: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0


class Tally:
    """What has been read so far, for whoever reads the documents."""

    def __init__(self) -> None:
        self.films = 0
        self.refused: Counter[str] = Counter()
        self.named: list[str] = []
        self.fields: dict[str, None] = {}
        """All that some record has, those of the first record first."""

    def refuse(self, place: str, reason: str, of: str = "") -> None:
        self.refused[reason] += 1
        if len(self.named) < NAMED:
            self.named.append(f"{place}: {reason}{of}")

    @property
    def reasons(self) -> str:
        return ", ".join(f"{count} {reason}" for reason, count in self.refused.most_common())


def film_documents(
    path: Path, mapping: FilmMapping, source: Author, tally: Tally
) -> Iterator[Document]:
    """One document for each record that is a film, in the order of the file; the others are counted in ``tally``.

    Raises as ``records_of`` does, and DataError when not one record is a film.
    """
    read_at = datetime.now(UTC)
    places: dict[str, str] = {}
    for found in records_of(path, records=mapping.records, delimiter=mapping.delimiter):
        tally.fields.update(dict.fromkeys(map(str, found.fields)))
        film = found.wrong or _film(found.fields, mapping)
        if isinstance(film, str):
            tally.refuse(found.place, film)
            continue
        id_ = document_id(FILMS, film.link)
        if id_ in places:
            tally.refuse(found.place, "duplicate", f" of {places[id_]}")
            continue
        places[id_] = found.place
        tally.films += 1
        yield film.document(source, read_at)
    if not tally.films:
        raise DataError(_nothing(path, mapping, tally))


def load_films(
    path: Path,
    mapping: FilmMapping,
    source: Author,
    store: DocumentStore,
    each: Callable[[Iterable[Document]], Iterable[Document]] = lambda films: films,
) -> FilmsReport:
    """Into the data warehouse, where these films replace all that this source gave before.

    ``each`` may watch the films go by. Nothing is removed unless the whole file could be read.
    """
    tally = Tally()
    given: set[str] = set()

    def films() -> Iterator[Document]:
        for document in film_documents(path, mapping, source, tally):
            given.add(document.id)
            yield document

    saved = store.save(each(films()))
    store.save_author(source)
    gone = [id_ for name, id_ in store.ids_from(origin_of(source)) if name == FILMS]
    removed = store.delete(FILMS, [id_ for id_ in gone if id_ not in given])
    return FilmsReport(
        films=tally.films,
        refused=dict(tally.refused.most_common()),
        named=tuple(tally.named),
        absent=mapping.absent(tally.fields),
        removed=removed,
        **saved.model_dump(),
    )


def origin_of(source: Author) -> str:
    """What ``poe forget`` is told to remove all films of a source: ``films:my%20films``."""
    return f"films:{quote(' '.join(source.full_name.split()).casefold(), safe='')}"


def story_of(text: str) -> str:
    """What a film is about, without the line of facts that the text of its document ends with."""
    return _FACTS.sub("", text)


class _Film(Value):
    """The facts of one record; ``link`` identifies the film."""

    title: str
    year: int
    story: str
    genres: tuple[str, ...]
    cast: tuple[str, ...]
    directors: tuple[str, ...]
    link: str
    constants: Mapping[str, Scalar | list[str]]

    def document(self, source: Author, read_at: datetime) -> Document:
        lists = {"genres": self.genres, "cast": self.cast, "directors": self.directors}
        known = {name: list(names) for name, names in lists.items() if names}
        return Document(
            category=FILMS,
            platform=(urlsplit(self.link).hostname or "films").removeprefix("www."),
            title=self.title,
            text="\n\n".join(part for part in (self.story, self.facts) if part),
            author_id=source.id,
            author_full_name=source.full_name,
            source=Source(link=self.link, origin=origin_of(source), fetched_at=read_at),
            metadata={**self.constants, "year": self.year, **known},
        )

    @property
    def facts(self) -> str:
        """Behind the story: the year, and what the story does not say.

        The title is embedded before each text. On 50 questions about the films in ``examples/movies``, words and
        vectors together had a right film among the first ten in 0.98 with the facts behind the story, 0.96 with them
        before it and 0.94 without. Wikipedia's texts say nearly all of it themselves; there all ways did alike.
        """
        genres = [name for name in self.genres if not _says(self.story, name)]
        parts = [str(self.year), ", ".join(genres)]
        if self.directors and not any(name in self.story for name in self.directors):
            parts.append(f"Directed by {' and '.join(self.directors)}")
        if self.cast and not any(name in self.story for name in self.cast):
            parts.append(f"With {', '.join(self.cast[:_CAST_NAMED])}")
        return "".join(f"{part}. " for part in parts if part).rstrip()


def _says(story: str, genre: str) -> bool:
    return bool(re.search(rf"\b{re.escape(genre)}\b", story, re.IGNORECASE))


def _film(record: Mapping[str, Any], mapping: FilmMapping) -> _Film | str:
    """The film of a record, or why it is none."""
    title = plain_text(record.get(mapping.title))
    if not title:
        return "no title"
    year = year_of(record.get(mapping.year))
    if not year:
        return "no year"
    link = _link(record.get(mapping.link), mapping) or _own_link(title, year)
    story = plain_text(record.get(mapping.text))
    directors = names_of(record.get(mapping.directors), mapping.separator)
    if not directors and mapping.directors_from_text:
        directors = directors_in(story)
    genres = names_of(record.get(mapping.genres), mapping.separator)
    return _Film(
        title=title,
        year=year,
        story=story,
        genres=tuple(dict.fromkeys(mapping.genre_names.get(name, name) for name in genres)),
        cast=names_of(record.get(mapping.cast), mapping.separator),
        directors=directors,
        link=link,
        constants=mapping.constants,
    )


def _link(value: Any, mapping: FilmMapping) -> str:
    """Nothing where the record has no link, or one to a part of a page, which several films may share."""
    given = without_surrogates(value).strip() if isinstance(value, str) else ""
    if not given or "#" in given:
        return ""
    if not given.startswith(("http://", "https://")):
        given = (
            f"{mapping.link_prefix}{quote(given, safe=_LINK_SAFE)}" if mapping.link_prefix else ""
        )
    try:
        return given if canonical_link(given) else ""
    except ValueError:
        return ""


def _own_link(title: str, year: int) -> str:
    """``film:the-matrix-1999``."""
    plain = "".join(
        c for c in unicodedata.normalize("NFD", title.casefold()) if not unicodedata.combining(c)
    )
    words = "-".join(re.findall(r"\w+", plain.replace("'", "").replace("\u2019", "")))
    return f"film:{quote(words or title, safe='')}-{year}"


def _nothing(path: Path, mapping: FilmMapping, tally: Tally) -> str:
    if not tally.refused:
        return f"film records {path}: the file holds no records"
    why = f"film records {path}: no record is a film ({tally.reasons})"
    if not tally.fields:
        return f"{why}; the first: {tally.named[0]}"
    fields = ", ".join(islice(tally.fields, 12))
    return (
        f"{why}; the mapping reads title from {mapping.title!r} and year from {mapping.year!r}, the first record has "
        f"{fields}: name the right fields in the mapping"
    )
