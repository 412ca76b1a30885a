"""Films for a training set: read from records, each reduced to the facts that an answer may state, split by title."""

import gzip
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rag_llm_system.domain.documents import Value, sha256_of
from rag_llm_system.domain.errors import ConfigurationError, DataError, MissingFile

MAX_TITLE_CHARS = 40
MAX_PLOT_WORDS = 12
MIN_PLOT_WORDS = 4
CAST_NAMED = 2
GENRES_NAMED = 2

GENRES: Mapping[str, str] = {
    "Action": "action", "Adventure": "adventure", "Animated": "animated", "Biography": "biographical",
    "Comedy": "comedy", "Crime": "crime", "Disaster": "disaster", "Documentary": "documentary",
    "Drama": "drama", "Family": "family", "Fantasy": "fantasy", "Historical": "historical",
    "Horror": "horror", "Martial Arts": "martial arts", "Musical": "musical", "Mystery": "mystery",
    "Noir": "noir", "Political": "political", "Romance": "romance", "Satire": "satire",
    "Science Fiction": "sci-fi", "Slasher": "slasher", "Sports": "sports", "Spy": "spy",
    "Superhero": "superhero", "Supernatural": "supernatural", "Teen": "teen", "Thriller": "thriller",
    "War": "war", "Western": "western",
}  # fmt: skip
"""A record's genre to the word that questions, facts and answers share; it stands before "film"."""

_PLOT = re.compile(
    r"\b(follows|tells the story of|tells of|centers on|centers around|revolves around|chronicles|depicts"
    r"|explores|focuses on|concerns|deals with|is about)\s+([^.;:()\[\]\"*|]{20,})"
)
_NAME = re.compile(r"[A-Z][A-Za-z.'\-]+(?: [A-Z][A-Za-z.'\-]+){1,2}")
_CREDITS = re.compile(
    r",? (?:starring|and stars|(?:and )?(?:is|was) (?:played|portrayed)|played by|portrayed by)\b.*"
)
_ABBREVIATION = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|St|Jr|Sr|Lt|Col|Capt|Sgt|Gen|vs|[A-Z])$")
_CLAUSE_STARTS = frozenset(
    ("who", "whose", "whom", "which", "when", "where", "while", "after", "before", "as", "because", "and", "but",
     "during", "until", "whereupon", "since")
)  # fmt: skip
_DANGLING = _CLAUSE_STARTS | frozenset(
    ("the", "a", "an", "of", "in", "to", "with", "for", "on", "at", "by", "from", "into", "through", "that",
     "his", "her", "their", "its", "is", "are", "was", "were", "or", "also", "only", "just", "so", "then")
)  # fmt: skip


class Film(Value):
    """The facts of one film. ``plot`` is a clause in the third person, such as "follows a young thief"."""

    title: str
    year: int
    genres: tuple[str, ...]
    cast: tuple[str, ...]
    plot: str

    @property
    def bold(self) -> str:
        """How facts and answers write the film."""
        return f"**{self.title}** ({self.year})"


class FilmSplit(Value):
    """Films to train on, and films that no training row names."""

    train: tuple[Film, ...]
    held_out: tuple[Film, ...]


def read_films(path: Path) -> tuple[Film, ...]:
    """Films of JSON lines (plain or .gz) with title, year, cast, genres and extract, in the order of the file.

    A record without two names, a known genre or a sentence on the plot is left out, as is a title seen before.
    Raises DataError on a line that is not a record, or when no film is left.
    """
    films: dict[str, Film] = {}
    for record in _records(path):
        film = film_of(record)
        if film is not None:
            films.setdefault(film.title.casefold(), film)
    if not films:
        raise DataError(
            f"{path} has no film with a title, two actors, a genre and a plot; give records with"
            " title, year, cast, genres and extract"
        )
    return tuple(films.values())


def film_of(record: Mapping[str, Any]) -> Film | None:
    """The film of a record, or None when the record lacks a fact that every answer needs."""
    title = " ".join(str(record["title"]).split())
    genres = [GENRES[genre] for genre in record.get("genres") or () if genre in GENRES]
    cast = [name for name in record.get("cast") or () if _NAME.fullmatch(name) and name.isascii()]
    plot = _plot(str(record.get("extract") or ""), title)
    if not genres or len(cast) < CAST_NAMED or plot is None or not _printable(title):
        return None
    return Film(
        title=title,
        year=int(record["year"]),
        genres=tuple(dict.fromkeys(genres))[:GENRES_NAMED],
        cast=tuple(cast[:CAST_NAMED]),
        plot=plot,
    )


def split_films(films: Sequence[Film], *, held_out_share: float, seed: int) -> FilmSplit:
    """About ``held_out_share`` of the films are held out; a title's side depends on it and ``seed`` alone."""
    if not 0 < held_out_share < 1:
        raise ConfigurationError(f"held_out_share is {held_out_share}; it must be between 0 and 1")
    held_out = [_position(film, seed) < held_out_share for film in films]
    return FilmSplit(
        train=tuple(film for film, held in zip(films, held_out, strict=True) if not held),
        held_out=tuple(film for film, held in zip(films, held_out, strict=True) if held),
    )


def _position(film: Film, seed: int) -> float:
    return int(sha256_of(f"{seed}:{film.title.casefold()}")[:8], 16) / 16**8


def _records(path: Path) -> Iterator[Mapping[str, Any]]:
    if not path.is_file():
        raise MissingFile(f"film records {path}: no such file; name a .jsonl or .jsonl.gz file")
    with (
        gzip.open(path, "rt", encoding="utf-8")
        if path.suffix == ".gz"
        else path.open(encoding="utf-8") as lines
    ):
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except json.JSONDecodeError as error:
                raise DataError(
                    f"{path} line {number}: not JSON ({error.msg}); mend or remove it"
                ) from error
            if not isinstance(record, dict) or not {"title", "year"} <= record.keys():
                raise DataError(f"{path} line {number}: no title or no year; mend or remove it")
            yield record


def _printable(title: str) -> bool:
    return 2 <= len(title) <= MAX_TITLE_CHARS and title.isascii() and not set(title) & set('*|()"')


def _plot(extract: str, title: str) -> str | None:
    """A short clause on the plot, cut where a clause ends."""
    found = _PLOT.search(" ".join(extract.split()))
    if found is None:
        return None
    verb, rest = found[1], _CREDITS.sub("", found[2]).strip()
    if _ABBREVIATION.search(rest):
        return None
    words = rest.split()
    if len(words) > MAX_PLOT_WORDS:
        words = words[: _clause_end(words)]
    while words and words[-1].rstrip(",").lower() in _DANGLING:
        words.pop()
    clause = " ".join(words).rstrip(",-")
    if len(words) < MIN_PLOT_WORDS or not clause.isascii() or title.lower() in clause.lower():
        return None
    return f"{verb} {clause}"


def _clause_end(words: Sequence[str]) -> int:
    """The last place among the first words where a comma or the start of another clause allows a cut."""
    ends = [
        n
        for n in range(MIN_PLOT_WORDS, MAX_PLOT_WORDS + 1)
        if words[n - 1].endswith(",") or words[n].lower() in _CLAUSE_STARTS
    ]
    return ends[-1] if ends else 0
