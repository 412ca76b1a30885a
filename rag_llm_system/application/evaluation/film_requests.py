"""Requests for films with the facts that they imply, and whether what is recommended keeps to them.

::

    {"text": "a comedy from the 90s with Bill Murray", "genres": ["Comedy"], "first_year": 1990, "last_year": 1999,
     "cast": ["Bill Murray"], "intended": {"Groundhog Day (1993)": 1, ...}}

The facts were written down by a person who read the sentence; a film is held against its own record. Nothing here asks
how an assistant understood anything.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from rag_llm_system.application.evaluation.bootstrap import Interval, mean_interval
from rag_llm_system.application.evaluation.metrics import ndcg, reciprocal_rank
from rag_llm_system.domain.documents import Value, sha256_of
from rag_llm_system.domain.errors import DataError, MissingFile
from rag_llm_system.domain.films import FilmFacts

Half = Literal["dev", "held-out"]

DEPTH = 10
"""Of a ranking, where films are intended."""

_SEVERAL = 3
"""Facts of a request from which on it counts as one that combines several."""

_NAMED = r"(?:[A-Z][\w.'\-]+[ ,]*|and |& )+"
_DIRECTED = re.compile(
    rf"(?<!to be )(?<!not )(?<!not be )\bdirected\b[^.;]{{0,80}}?\bby ({_NAMED})"
)


class AskedFilms(Value):
    """``text`` is what somebody types. All that follows must hold for every film that is recommended.

    Of ``any_genres`` and ``any_cast`` one will do. ``like``, ``unlike``, ``unwanted`` and ``seen`` are titles that the
    text speaks of, ``marked_seen`` what the user had told before: none of them may come back. ``intended`` grades
    films, "Title (year)", where it is certain what is meant; ``impossible``: no film meets all of it, and none is the
    right answer.
    """

    text: str = Field(min_length=1)
    first_year: int | None = None
    last_year: int | None = None
    genres: tuple[str, ...] = ()
    any_genres: tuple[str, ...] = ()
    without_genres: tuple[str, ...] = ()
    cast: tuple[str, ...] = ()
    any_cast: tuple[str, ...] = ()
    without_cast: tuple[str, ...] = ()
    directors: tuple[str, ...] = ()
    like: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    marked_seen: tuple[str, ...] = ()
    count: int | None = Field(None, ge=1, le=10)
    intended: Mapping[str, int] = Field(default_factory=dict)
    impossible: bool = False

    @property
    def half(self) -> Half:
        """Decided by a hash of the text: who tunes looks at "dev" alone."""
        return "held-out" if int(sha256_of(self.text)[:8], 16) % 2 else "dev"

    @property
    def known(self) -> tuple[str, ...]:
        """Titles that the user has seen."""
        return (*self.seen, *self.marked_seen)

    @property
    def named(self) -> tuple[str, ...]:
        """Titles that must not come back."""
        return (*self.like, *self.unlike, *self.unwanted, *self.known)

    @property
    def kinds(self) -> tuple[str, ...]:
        """What it asks for, for tables."""
        has = {
            "years": self._has_years,
            "genres": bool(self.genres or self.any_genres),
            "cast": bool(self.cast or self.any_cast),
            "directors": bool(self.directors),
            "exclusions": bool(
                self.without_genres or self.without_cast or self.seen or self.unwanted
            ),
            "seen before": bool(self.marked_seen),
            "like a film": bool(self.like),
            "several facts": self._facts >= _SEVERAL,
        }
        if self.impossible:
            return ("impossible",)
        return tuple(kind for kind, holds in has.items() if holds) or ("a story",)

    @property
    def _has_years(self) -> bool:
        return self.first_year is not None or self.last_year is not None

    @property
    def _facts(self) -> int:
        """Every name counts, those of which one will do together."""
        each = (*self.genres, *self.without_genres, *self.cast, *self.without_cast, *self.directors)
        choices = bool(self.any_genres) + bool(self.any_cast) + bool(self.unwanted or self.known)
        return (
            len(each)
            + choices
            + len(self.like)
            + len(self.unlike)
            + self._has_years
            + bool(self.count)
        )


class RequestScore(Value):
    """One answer. ``broken`` has films and what does not hold for them, ``known`` the films that were seen.

    ``ndcg`` and ``reciprocal_rank`` are None where nothing is certain to be intended.
    """

    text: str
    half: Half
    kinds: tuple[str, ...]
    impossible: bool
    shown: tuple[str, ...]
    broken: tuple[tuple[str, str], ...] = ()
    known: tuple[str, ...] = ()
    ndcg: float | None = None
    reciprocal_rank: float | None = None

    @property
    def right(self) -> bool:
        """Films that keep to all of it; none where there is none."""
        return not self.shown if self.impossible else bool(self.shown) and not self.broken


def read_asked_films(path: Path) -> list[AskedFilms]:
    """Raises MissingFile, or DataError naming the line that is no request or that repeats one."""
    if not path.is_file():
        raise MissingFile(f"{path} is not there; name a JSON-lines file of requests for films")
    found: dict[str, AskedFilms] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            one = AskedFilms.model_validate_json(line)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise DataError(f"{path}:{number}: {where or 'line'}: {first['msg']}") from error
        if one.text in found:
            raise DataError(f"{path}:{number} asks {one.text!r} again")
        found[one.text] = one
    return list(found.values())


def film_name(film: FilmFacts) -> str:
    return f"{film.title} ({film.year})"


def broken(asked: AskedFilms, film: FilmFacts) -> tuple[str, ...]:
    """What of the request does not hold for the film, () where all does."""
    return tuple(_broken(asked, film))


def unanswerable(asked: Iterable[AskedFilms], films: Sequence[FilmFacts]) -> Iterator[str]:
    """What is wrong with requests for these films: no film meets it, some do though none should, unknown titles."""
    titles = {_letters(film.title) for film in films}
    by_name = {film_name(film): film for film in films}
    for one in asked:
        fits = any(not broken(one, film) for film in films)
        if fits == one.impossible:
            yield f"{one.text!r}: {'a film meets it' if fits else 'no film meets it'}"
        for title in one.named:
            if _letters(title) not in titles:
                yield f"{one.text!r}: there is no film {title!r}"
        for name in one.intended:
            if name not in by_name:
                yield f"{one.text!r}: there is no film {name!r}"
            elif wrong := broken(one, by_name[name]):
                yield f"{one.text!r}: {name} is intended, but {', '.join(wrong)}"


def score_films(
    asked: AskedFilms, shown: Sequence[FilmFacts], ranking: Sequence[FilmFacts]
) -> RequestScore:
    """Of the films that the user gets, and of the first ``DEPTH`` of the ranking that they are taken from."""
    names = list(dict.fromkeys(map(film_name, ranking)))
    known = set(map(_letters, asked.known))
    is_certain = bool(asked.intended) and not asked.impossible
    return RequestScore(
        text=asked.text,
        half=asked.half,
        kinds=asked.kinds,
        impossible=asked.impossible,
        shown=tuple(map(film_name, shown)),
        broken=tuple((film_name(film), wrong) for film in shown for wrong in broken(asked, film)),
        known=tuple(film_name(film) for film in shown if _letters(film.title) in known),
        ndcg=ndcg(names, asked.intended, DEPTH) if is_certain else None,
        reciprocal_rank=reciprocal_rank(names, asked.intended, DEPTH) if is_certain else None,
    )


MEASURES = ("right", "constraints hold", "answered", "rightly none", "nDCG@10", "MRR")


def film_measures(scores: Sequence[RequestScore], seed: int) -> dict[str, Interval]:
    """Means over the requests that a measure is about, with 95 % intervals; a measure about none is left out.

    "right": of all requests; "constraints hold": of the answers with films, for every film of it; "answered": of the
    possible requests; "rightly none": of the impossible ones; the others where films are intended.
    """
    per_request = {measure: film_values(measure, scores) for measure in MEASURES}
    return {
        measure: mean_interval(values, seed=seed)
        for measure, values in per_request.items()
        if values
    }


def film_values(measure: str, scores: Iterable[RequestScore]) -> dict[str, float]:
    """A measure by the text of each request that it is about."""
    return dict(_values(measure, scores))


def _values(measure: str, scores: Iterable[RequestScore]) -> Iterator[tuple[str, float]]:
    for one in scores:
        value: float | None = None
        if measure == "right":
            value = one.right
        elif measure == "constraints hold" and one.shown:
            value = not one.broken
        elif measure == "answered" and not one.impossible:
            value = bool(one.shown)
        elif measure == "rightly none" and one.impossible:
            value = not one.shown
        elif measure == "nDCG@10":
            value = one.ndcg
        elif measure == "MRR":
            value = one.reciprocal_rank
        if value is not None:
            yield one.text, float(value)


def _broken(asked: AskedFilms, film: FilmFacts) -> Iterator[str]:
    if asked.first_year is not None and film.year < asked.first_year:
        yield f"it is of {film.year}, before {asked.first_year}"
    if asked.last_year is not None and film.year > asked.last_year:
        yield f"it is of {film.year}, after {asked.last_year}"
    yield from _listed("genre", film.genres, asked.genres, asked.any_genres, asked.without_genres)
    yield from _listed("cast", film.cast, asked.cast, asked.any_cast, asked.without_cast)
    yield from (f"not directed by {name}" for name in asked.directors if not _directs(name, film))
    if _letters(film.title) in set(map(_letters, asked.named)):
        yield "it was named by the user"


def _listed(
    what: str,
    has: Iterable[str],
    wanted: Iterable[str],
    some: Sequence[str],
    unwanted: Iterable[str],
) -> Iterator[str]:
    own = set(map(_letters, has))
    yield from (f"{what} lacks {one}" for one in wanted if _letters(one) not in own)
    if some and own.isdisjoint(map(_letters, some)):
        yield f"{what} has none of {', '.join(some)}"
    yield from (f"{what} has {one}" for one in unwanted if _letters(one) in own)


def _directs(name: str, film: FilmFacts) -> bool:
    """By the record's own list, or by what its text says: many records have no such list."""
    own = set(map(_letters, film.directors))
    return _letters(name) in own or any(name in names for names in _DIRECTED.findall(film.text))


def _letters(name: str) -> str:
    """ "Robert Downey, Jr." is "Robert Downey Jr."."""
    return "".join(filter(str.isalnum, name.casefold()))
