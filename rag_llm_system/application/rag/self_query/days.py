"""Days, months, years and decades, written or told from today: ``5 March``, ``the late 90s``, ``last year``."""

import calendar
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from rag_llm_system.application.rag.self_query import words
from rag_llm_system.application.rag.self_query.text import Token

_YEAR = re.compile(r"(?:19|20)\d\d")
_DECADE = re.compile(r"(?:(19|20)(\d)0|(\d)0)s")
_DAY = re.compile(r"(0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?")
_TWO_DIGITS = re.compile(r"\d\d")
_BEFORE_MONTHS = frozenset({"in", "since", "until", "during"})
_MAX_BACK = 1000


@dataclass(frozen=True, slots=True)
class Span:
    """First and last day of what is written up to word ``end``; ``relative`` needs no preposition: ``last year``."""

    first: date
    last: date
    end: int
    relative: bool = False

    @property
    def years(self) -> int:
        return self.last.year - self.first.year + 1


class Calendar:
    """Reads one question's dates; years that are not written are those before ``today``."""

    def __init__(self, tokens: Sequence[Token], today: date) -> None:
        self._tokens = tokens
        self._today = today
        self._readers: tuple[Callable[[int], Span | None], ...] = (
            self._iso, self._day_first, self._month_first, self._year, self._decade, self._unit, self._units,
        )  # fmt: skip

    def at(self, position: int) -> Span | None:
        """What begins with this word; None when no date does."""
        spans = (read(position) for read in self._readers)
        found = next((span for span in spans if span is not None), None)
        # "last year's outage" is a topic
        return None if found is None or self._tokens[found.end - 1].possessive else found

    def _key(self, position: int) -> str:
        return self._tokens[position].key if position < len(self._tokens) else ""

    def _iso(self, at: int) -> Span | None:
        """2024-01-31 and 2024-01."""
        if not _YEAR.fullmatch(self._key(at)) or self._tokens[at].gap != "-":
            return None
        year, month, day = (self._key(at + ahead) for ahead in range(3))
        if not _TWO_DIGITS.fullmatch(month):
            return None
        if self._tokens[at + 1].gap == "-" and _TWO_DIGITS.fullmatch(day):
            return _on_day(int(year), int(month), int(day), at + 3)
        return _in_month(int(year), int(month), at + 2)

    def _day_first(self, at: int) -> Span | None:
        """5 March 2024, 5th of March."""
        day = _DAY.fullmatch(self._key(at))
        behind = at + 1 + (self._key(at + 1) == "of")
        month = words.MONTHS.get(self._key(behind))
        if day is None or month is None:
            return None
        year, end = self._year_behind(behind, month, int(day[1]))
        return _on_day(year, month, int(day[1]), end)

    def _month_first(self, at: int) -> Span | None:
        """March, March 2024, March 5, 2024; what is a verb as well counts in capitals alone."""
        month = words.MONTHS.get(self._key(at))
        # "in march" is a month, "they march" is none
        told = self._tokens[at].capital or (at > 0 and self._key(at - 1) in _BEFORE_MONTHS)
        if month is None or (self._key(at) in words.MONTHS_AND_WORDS and not told):
            return None
        day = None if self._tokens[at].ends_phrase else _DAY.fullmatch(self._key(at + 1))
        if day is None:
            year, end = self._year_behind(at, month, 1)
            return _in_month(year, month, end)
        year, end = self._year_behind(at + 1, month, int(day[1]))
        return _on_day(year, month, int(day[1]), end)

    def _year_behind(self, at: int, month: int, day: int) -> tuple[int, int]:
        """The year that follows word ``at``, and where it ends; without one, of the last time this day came."""
        year = at + 1 + (self._key(at + 1) in {"of", "in"})
        if _YEAR.fullmatch(self._key(year)):
            return int(self._key(year)), year + 1
        joint, later, of_both = (self._key(at + ahead) for ahead in (1, 2, 3))
        if joint in {"to", "and", "until"} and later in words.MONTHS and _YEAR.fullmatch(of_both):
            return int(of_both) - (month > words.MONTHS[later]), at + 1
        return self._today.year - ((month, day) > (self._today.month, self._today.day)), at + 1

    def _year(self, at: int) -> Span | None:
        """2023, 2021-2023."""
        if not _YEAR.fullmatch(self._key(at)) or (at and self._tokens[at - 1].glued):
            return None
        first = last = int(self._key(at))
        end = at + 1
        if self._tokens[at].glued:
            if not _YEAR.fullmatch(self._key(end)):
                return None
            last, end = int(self._key(end)), end + 1
        return Span(date(first, 1, 1), date(last, 12, 31), end) if first <= last else None

    def _decade(self, at: int) -> Span | None:
        """The 90s, the 1990s, late nineties."""
        part = words.DECADE_PARTS.get(self._key(at))
        here = at + (part is not None)
        digits = _DECADE.fullmatch(self._key(here))
        if digits is not None:
            century, decade, short = digits.groups()
            first = int(f"{century}{decade}0") if century else 10 * int(short)
            first += 0 if century else (1900 if first > self._today.year % 100 else 2000)
        else:
            first = words.DECADES.get(self._key(here), 0)
        if not first:
            return None
        start, end = part or (0, 9)
        return Span(
            date(first + start, 1, 1), date(first + end, 12, 31), here + 1, part is not None
        )

    def _unit(self, at: int) -> Span | None:
        """Yesterday, this month, last year."""
        key, unit, today = self._key(at), self._key(at + 1), self._today
        if key == "yesterday":
            day = today - timedelta(days=1)
            return Span(day, day, at + 1, relative=True)
        if key not in {"this", "last", "previous", "past"}:
            return None
        back = int(key != "this")
        if unit == "week" and key != "past":
            first = today - timedelta(days=today.weekday() + 7 * back)
            return Span(first, first + timedelta(days=6), at + 2, relative=True)
        if unit == "month" and key != "past":
            whole = _in_month(*_months_back(today, back), at + 2)
            return whole and Span(whole.first, whole.last, at + 2, relative=True)
        if unit == "year" and key != "past":
            year = today.year - back
            return Span(date(year, 1, 1), date(year, 12, 31), at + 2, relative=True)
        return self._back(1, unit, at + 2)

    def _units(self, at: int) -> Span | None:
        """The past 3 months, the last two weeks: up to today."""
        if self._key(at) not in {"past", "last"}:
            return None
        written = self._key(at + 1)
        number = int(written) if written.isdecimal() else words.NUMBERS.get(written, 0)
        return self._back(number, self._key(at + 2).removesuffix("s"), at + 3)

    def _back(self, number: int, unit: str, end: int) -> Span | None:
        if not 0 < number < _MAX_BACK or unit not in {"day", "week", "month", "year"}:
            return None
        return Span(_ago(self._today, number, unit), self._today, end, relative=True)


def _ago(today: date, number: int, unit: str) -> date:
    if unit in {"day", "week"}:
        return today - timedelta(days=number * (7 if unit == "week" else 1))
    year, month = _months_back(today, number * (12 if unit == "year" else 1))
    return date(year, month, min(today.day, calendar.monthrange(year, month)[1]))


def _months_back(today: date, number: int) -> tuple[int, int]:
    months = today.year * 12 + today.month - 1 - number
    return months // 12, months % 12 + 1


def _in_month(year: int, month: int, end: int) -> Span | None:
    if not 1 <= month <= 12:
        return None
    return Span(date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1]), end)


def _on_day(year: int, month: int, day: int, end: int) -> Span | None:
    try:
        there = date(year, month, day)
    except ValueError:
        return None
    return Span(there, there, end)
