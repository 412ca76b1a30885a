"""What a film must be to be recommended: the hard constraints of a request, one by one."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from rag_llm_system.application.movies.catalogue import FilmCatalogue
from rag_llm_system.domain.films import FilmRequest
from rag_llm_system.domain.queries import Range


class Constraint(NamedTuple):
    """``label`` tells it to the reader; ``ids`` are the films that meet it."""

    label: str
    ids: frozenset[str]


_OPEN_END = 9999


def constraints(request: FilmRequest, catalogue: FilmCatalogue) -> list[Constraint]:
    """A film whose year is not known meets no constraint on years, and no exclusion of some."""
    return list(_constraints(request, catalogue))


def _constraints(request: FilmRequest, catalogue: FilmCatalogue) -> Iterator[Constraint]:
    if request.first_year is not None or request.last_year is not None:
        first, last = request.first_year or 1, request.last_year or _OPEN_END
        yield Constraint(_years(first, last), _made_within(catalogue, first, last))
    every = frozenset(film.document_id for film in catalogue)
    for first, last in request.without_years:
        label = f"not {_years(max(first, 1), last)}"
        yield Constraint(label, every - _made_within(catalogue, max(first, 1), last))
    of_genre, with_cast = catalogue.ids_by_genre, catalogue.ids_by_cast
    by_director = catalogue.ids_by_director
    yield from _each("of the genre", request.genres, of_genre)
    yield from _any("of the genre", request.any_genres, of_genre)
    yield from _none("not of the genre", request.without_genres, of_genre, every)
    yield from _each("with", request.cast, with_cast)
    yield from _any("with", request.any_cast, with_cast)
    yield from _none("without", request.without_cast, with_cast, every)
    yield from _each("directed by", request.directors, by_director)
    yield from _any("directed by", request.any_directors, by_director)
    yield from _none("not directed by", request.without_directors, by_director, every)


Ids = Mapping[str, frozenset[str]]
_NOBODY: frozenset[str] = frozenset()


def _each(label: str, values: Sequence[str], ids: Ids) -> Iterator[Constraint]:
    for value in values:
        yield Constraint(f"{label} {value}", ids.get(value, _NOBODY))


def _any(label: str, values: Sequence[str], ids: Ids) -> Iterator[Constraint]:
    if values:
        met = _NOBODY.union(*(ids.get(value, _NOBODY) for value in values))
        yield Constraint(f"{label} {' or '.join(values)}", met)


def _none(
    label: str, values: Sequence[str], ids: Ids, every: frozenset[str]
) -> Iterator[Constraint]:
    for value in values:
        yield Constraint(f"{label} {value}", every - ids.get(value, _NOBODY))


def _made_within(catalogue: FilmCatalogue, first: int, last: int) -> frozenset[str]:
    return frozenset(film.document_id for film in catalogue if first <= film.year <= last)


def _years(first: int, last: int) -> str:
    if first == last:
        return f"from {first}"
    if last == _OPEN_END:
        return f"since {first}"
    return f"until {last}" if first <= 1 else f"from {first} to {last}"


def left_out(request: FilmRequest, seen: Iterable[str], catalogue: FilmCatalogue) -> frozenset[str]:
    """Films that the user has seen, or compares with, and so knows: they are not recommended."""
    titles = (*request.like, *request.unlike, *request.seen, *seen)
    return frozenset(
        film.document_id for title in dict.fromkeys(titles) for film in catalogue.titled(title)
    )


def filter_of(request: FilmRequest, catalogue: FilmCatalogue) -> dict[str, list[str] | Range]:
    """What of the constraints the filter language of the stores can say: it holds for every film that meets all.

    "All of" is one of them, the rarest; the rest is checked afterwards.
    """
    where: dict[str, list[str] | Range] = {}
    if request.first_year is not None or request.last_year is not None:
        where["year"] = Range(gte=request.first_year, lte=request.last_year)
    genres = _rarest(request.genres, catalogue.ids_by_genre) or list(request.any_genres)
    cast = _rarest(request.cast, catalogue.ids_by_cast) or list(request.any_cast)
    if genres:
        where["genres"] = genres
    if cast:
        where["cast"] = cast
    return where


def _rarest(values: Sequence[str], ids: Ids) -> list[str]:
    return sorted(values, key=lambda one: (len(ids.get(one, _NOBODY)), one))[:1]


def what_is_missing(
    met: Sequence[Constraint], catalogue: FilmCatalogue, known: frozenset[str]
) -> str:
    """Why no film is left: how many meet each constraint, and without which of them there would be some."""
    empty = [one.label for one in met if not one.ids]
    if empty:
        return f"no film of the index is {', and none is '.join(empty)}"
    if len(met) == 1:
        films = len(met[0].ids)
        return f"the {films} films {met[0].label} are seen or named in the request"
    told = ", ".join(f"{len(one.ids)} {one.label}" for one in met)
    note = f"no film is all of this at once: of {len(catalogue)} films {told}"
    without = [(len(_meeting_others(met, one) - known), one.label) for one in met]
    most, label = max(without)
    return f'{note}; without "{label}", {most} would be left' if most else note


def _meeting_others(met: Sequence[Constraint], one: Constraint) -> frozenset[str]:
    return frozenset.intersection(*(other.ids for other in met if other is not one))
