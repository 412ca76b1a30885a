"""Conditions made of what was found, with the words that tell them to the reader."""

from calendar import month_name, monthrange
from collections.abc import Collection, Mapping, Sequence
from datetime import date

from rag_llm_system.application.rag.self_query.vocabulary import (
    AUTHOR,
    CAST,
    CATEGORY,
    GENRES,
    LANGUAGE,
    PLATFORM,
    PUBLISHED,
    REPOSITORY,
    YEAR,
    Vocabulary,
)
from rag_llm_system.domain.queries import Condition, Range

_LABELS: Mapping[str, str] = {
    AUTHOR: "by {}",
    PLATFORM: "on {}",
    CATEGORY: "in {}",
    REPOSITORY: "in the repository {}",
    LANGUAGE: "in files of {}",
    GENRES: "of the genre {}",
    CAST: "with {}",
}
Days = tuple[date | None, date | None]
"""First and last day, both included; None: open."""


def any_of(field: str, values: Collection[str], evidence: str) -> Condition:
    """Equality for one value, "any of" for several, in the order in which they were found."""
    found = list(dict.fromkeys(values))
    return Condition(
        field=field,
        condition=found[0] if len(found) == 1 and field not in _LISTS else found,
        label=_LABELS[field].format(" or ".join(found)),
        evidence=evidence,
    )


_LISTS = frozenset({GENRES, CAST})
"""A film has several of them."""


def none_of(excluded: Sequence[str], vocabulary: Vocabulary, evidence: str) -> Condition | None:
    """The filter language knows no "not": any of all other authors. None when there are no others."""
    others = [name for name in vocabulary.known(AUTHOR) if name not in excluded]
    if not others:
        return None
    label = f"not by {' or '.join(dict.fromkeys(excluded))}"
    return Condition(field=AUTHOR, condition=others, label=label, evidence=evidence)


def within(field: str, days: Days, evidence: str) -> Condition:
    """``published_on`` counts days as 20240131, ``year`` years."""
    first, last = days
    number = _day_number if field == PUBLISHED else _year_number
    return Condition(
        field=field,
        condition=Range(
            gte=None if first is None else number(first), lte=None if last is None else number(last)
        ),
        label=_days_label(_whole_years(days) if field == YEAR else days),
        evidence=evidence,
    )


def _day_number(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day


def _year_number(day: date) -> int:
    return day.year


def _whole_years(days: Days) -> Days:
    first, last = days
    return first and date(first.year, 1, 1), last and date(last.year, 12, 31)


def _days_label(days: Days) -> str:
    start, end = _written(days)
    if not start or not end:
        return f"since {start}" if start else f"until {end}"
    return f"from {start}" if start == end else f"from {start} to {end}"


def _written(days: Days) -> tuple[str, str]:
    """Both ends, "" for an open one: as years where they are whole years, else as months or as days."""
    first, last = days
    whole_months = (first is None or first.day == 1) and (
        last is None or last.day == monthrange(last.year, last.month)[1]
    )
    from_january = first is None or first.month == 1
    to_december = last is None or last.month == 12
    if whole_months and from_january and to_december:
        return f"{first.year}" if first else "", f"{last.year}" if last else ""
    start, end = (f"{month_name[one.month]} {one.year}" if one else "" for one in days)
    if whole_months:
        return start, end
    return f"{first.day} {start}" if first else "", f"{last.day} {end}" if last else ""
