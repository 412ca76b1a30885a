"""Scores answers about films against the films they were given: grounded, in format, with the right facts and picks."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from rag_llm_system.application.dataset.movies.films import Film
from rag_llm_system.application.dataset.movies.rows import film_of_fact
from rag_llm_system.application.evaluation.bootstrap import Interval, mean_interval
from rag_llm_system.domain.datasets import TrainingRow
from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.errors import DataError

_NAMED = re.compile(r"\*\*(.+?)\*\*(?: \((\d{4})\))?")
_REFUSAL = re.compile(r"\b(?:isn't|is not|don't have|do not have|is missing)\b")
_SENTENCE_END = re.compile(r"(?<=[a-z)][.!?]) (?=[A-Z])")
_SENTENCE_ENDS = ("!", "?", ".")


class FilmScores(Value):
    """One answer. ``named`` bold titles, of which ``hallucinated`` are in no fact; the others have facts to be right.

    ``grounded``: at least one bold title, and every one is of the context. ``format``: it begins with a capital
    letter, every bold mark is closed, every bold title is followed by a year, it ends a sentence and was not cut.
    ``year``, ``plot`` and ``cast`` count titles whose sentence has the right one; ``cast`` means that no one is named
    beside a film of another context film's cast. ``picks``: exactly the films a row asks for, in order; ``matching``:
    only films that fit the question. ``refusal`` is None unless the film asked for is absent.
    """

    kind: str
    grounded: bool
    format: bool
    named: int
    hallucinated: int
    year: int
    plot: int
    cast: int
    picks: bool
    matching: bool
    refusal: bool | None = None


class FilmReport(Value):
    """Shares of answers, and of titles for ``hallucinated``, ``year``, ``plot`` and ``cast``, with 95 % intervals.

    A share of which there is no case, such as the year of a film when none was named, is None.
    """

    answers: int
    titles: int
    grounded: Interval
    format: Interval
    picks: Interval
    matching: Interval
    hallucinated: Interval | None
    year: Interval | None
    plot: Interval | None
    cast: Interval | None
    refusal: Interval | None
    grounded_by_kind: Mapping[str, float]
    picks_by_kind: Mapping[str, float]


def score_film_answer(answer: str, row: TrainingRow, ended: bool) -> FilmScores:
    """The scores of ``answer`` to the last question of ``row``; ``ended`` says that it stopped by itself.

    Raises DataError when the row is not one of ``film_rows``.
    """
    films = _films(row)
    picks, matches = _titles(row, "picks"), _titles(row, "matches")
    found = list(_NAMED.finditer(answer))
    names = [match[1] for match in found]
    told = [
        (films[match[1]], match[2], text)
        for match, text in zip(found, _passages(answer, found), strict=True)
        if match[1] in films
    ]
    grounded = bool(names) and len(told) == len(names)
    kind = str(row.metadata["kind"])
    return FilmScores(
        kind=kind,
        grounded=grounded,
        format=ended and _in_format(answer, found),
        named=len(names),
        hallucinated=len(names) - len(told),
        year=sum(year == str(film.year) for film, year, _ in told),
        plot=sum(film.plot in text for film, _, text in told),
        cast=sum(_own_cast(film, text, films.values()) for film, _, text in told),
        picks=names == picks,
        matching=grounded and set(names) <= set(matches),
        refusal=bool(_REFUSAL.search(answer)) if kind == "absent" else None,
    )


def film_report(scores: Sequence[FilmScores]) -> FilmReport:
    """All scores together; titles count one by one, answers one by one. Raises DataError when there are none."""
    if not scores:
        raise DataError("no answer was scored; evaluate on at least one row")
    told = [score.named - score.hallucinated for score in scores]
    kinds = sorted({score.kind for score in scores})
    of_kind = {kind: [score for score in scores if score.kind == kind] for kind in kinds}
    return FilmReport(
        answers=len(scores),
        titles=sum(score.named for score in scores),
        grounded=_share([score.grounded for score in scores]),
        format=_share([score.format for score in scores]),
        picks=_share([score.picks for score in scores]),
        matching=_share([score.matching for score in scores]),
        hallucinated=_of_titles([s.hallucinated for s in scores], [s.named for s in scores]),
        year=_of_titles([score.year for score in scores], told),
        plot=_of_titles([score.plot for score in scores], told),
        cast=_of_titles([score.cast for score in scores], told),
        refusal=_share_or_none([s.refusal for s in scores if s.refusal is not None]),
        grounded_by_kind={k: sum(s.grounded for s in v) / len(v) for k, v in of_kind.items()},
        picks_by_kind={k: sum(s.picks for s in v) / len(v) for k, v in of_kind.items()},
    )


def titles_named(answer: str, titles: Collection[str]) -> tuple[str, ...]:
    """The bold titles of ``answer`` that are among ``titles``: asked without a context, what was memorised."""
    known = {title.casefold() for title in titles}
    return tuple(match[1] for match in _NAMED.finditer(answer) if match[1].casefold() in known)


def _films(row: TrainingRow) -> dict[str, Film]:
    """The films that the messages before the answer list, by title."""
    lines = [line for message in row.messages[:-1] for line in message.content.splitlines()]
    films = [film for line in lines if (film := film_of_fact(line)) is not None]
    if not films or "kind" not in row.metadata:
        raise DataError(
            f"row {row.document_id!r} lists no films or says no kind; score rows of the film generator"
        )
    return {film.title: film for film in films}


def _titles(row: TrainingRow, key: str) -> list[str]:
    titles = row.metadata.get(key)
    if not isinstance(titles, list):
        raise DataError(
            f"row {row.document_id!r} has no list of {key} in its metadata; score rows of the film generator"
        )
    return titles


def _in_format(answer: str, found: Sequence[re.Match[str]]) -> bool:
    return (
        bool(found)
        and all(match[2] for match in found)
        and answer.count("**") == 2 * len(found)
        and answer[:1].isupper()
        and answer.rstrip().endswith(_SENTENCE_ENDS)
    )


def _passages(answer: str, found: Sequence[re.Match[str]]) -> list[str]:
    """What is said of each title: from the start of its sentence to the sentence of the next title."""
    starts = [
        max((end.end() for end in _SENTENCE_END.finditer(answer, 0, match.start())), default=0)
        for match in found
    ]
    return [
        answer[start:end] for start, end in zip(starts, [*starts, len(answer)][1:], strict=True)
    ]


def _own_cast(film: Film, text: str, films: Iterable[Film]) -> bool:
    others = {name for other in films for name in other.cast} - set(film.cast)
    return not any(name in text for name in others)


def _share(values: Sequence[bool]) -> Interval:
    return mean_interval({f"{n:06d}": float(value) for n, value in enumerate(values)})


def _share_or_none(values: Sequence[bool]) -> Interval | None:
    return _share(values) if values else None


def _of_titles(counts: Sequence[int], totals: Sequence[int]) -> Interval | None:
    """The share of titles, drawn one by one."""
    return _share_or_none(
        [n < count for count, total in zip(counts, totals, strict=True) for n in range(total)]
    )
