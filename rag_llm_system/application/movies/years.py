"""The years that a request asks for or refuses."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import NamedTuple

from rag_llm_system.application.movies import request_words as words
from rag_llm_system.application.movies.sentence import Sentence
from rag_llm_system.application.rag.self_query.dates import find_dates
from rag_llm_system.application.rag.self_query.days import Calendar
from rag_llm_system.application.rag.self_query.words import DECADES, word_set

_IN_A_YEAR = DECADES.keys() | {"year", "years"}
_ABOUT = word_set("set located happening happens takes place taking situated about")
_BETWEEN_SPANS = word_set("or and & to the from in of early mid late")
_CUES = word_set(
    "between since before after until from older newer earlier later prior made released pre post"
)
_PASSED = word_set("from made released films movies anything")
_LATER = word_set("later newer after onwards")
_ONWARDS = _LATER | word_set("earlier older before")
_REFUSED = word_set("no not nothing none skip skipping avoid avoiding without except excluding")
_BEFORE_CUES = _REFUSED | word_set("older newer earlier later prior") | _PASSED
_UP_TO = word_set("to until till through")
_UNDERSTOOD = word_set("no not nothing")
_UNWANTED = ("dont", "want")
_CENTURY = (2000, None)


class Years(NamedTuple):
    """First and last year, both included, None: open, as words ``[start, end)`` say."""

    first: int | None
    last: int | None
    start: int
    end: int


class YearReader:
    """Reads one request; years are counted from ``today``, "recent" from the newest film."""

    def __init__(self, sentence: Sentence, today: date, newest: int) -> None:
        self._sentence = sentence
        self._today, self._newest = today, newest or today.year
        self._calendar = Calendar(sentence.tokens, today)

    def span_at(self, position: int) -> Years | None:
        """Whole years that begin with this word: 1994, the 80s, early 2000s, last ten years, recent."""
        if position >= len(self._sentence):
            return None
        if (special := self._special(position)) is not None:
            return special
        span = self._calendar.at(position)
        if span is None or not self._tells_years(position, span.end):
            return None
        return Years(span.first.year, span.last.year, position, span.end)

    def refused_at(self, position: int) -> Years | None:
        """As ``span_at``, and up to another one: from ``1990 to 1995``."""
        one = self.span_at(position)
        if one is None or self._sentence.key(one.end) not in _UP_TO:
            return one
        other = self.span_at(one.end + 1)
        if other is None or (other.last or 0) < (one.first or 0):
            return one
        return Years(one.first, other.last, position, other.end)

    def cue_positions(self) -> list[int]:
        """Where ``before 1980`` and the like begin: what a film is about ends there."""
        keys = self._sentence.keys
        return [
            n
            for n, key in enumerate(keys)
            if key in _CUES and any(self.span_at(n + ahead) is not None for ahead in (1, 2, 3))
        ]

    def read(self, topics: Collection[int], nouns: Collection[int]) -> list[Years]:
        """All that the request asks for, in its order, not counting words that mean something else."""
        taken = {*topics, *self._sentence.gone, *self._sentence.kept}
        found = [
            self._turned(Years(_year(first), _year(last), when.start, when.end))
            for when in find_dates(self._sentence.tokens, self._today, taken, nouns)
            for first, last in [when.days]
            if self._tells_years(when.start, when.end)
        ]
        covered = {n for one in found for n in range(one.start, one.end)} | taken
        for position in range(len(self._sentence)):
            span = None if position in covered else self.span_at(position)
            if span is None or not self._is_asked_for(span):
                continue
            found.append(span)
            covered |= set(range(span.start, span.end))
        return sorted(found, key=lambda one: one.start)

    def _turned(self, found: Years) -> Years:
        """With the words in front: ``nothing older`` than; ``nothing from`` before 1985 is since 1985."""
        key, start, end = self._sentence.key, found.start, found.end
        if key(end) in {"or", "and"} and key(end + 1) in _ONWARDS:
            end += 2
            is_later = key(end - 1) in _LATER
            found = found._replace(
                first=found.first if is_later else None,
                last=None if is_later else found.last,
                end=end,
            )
        while key(start - 1) in _BEFORE_CUES and not self._sentence.ends_phrase(start - 1):
            start -= 1
        unwanted = self._sentence.starts_with(start - 2, _UNWANTED)
        start -= len(_UNWANTED) if unwanted else 0
        refused = unwanted or not _REFUSED.isdisjoint(self._sentence.keys[start : found.start])
        # "not" right in front of the cue, and "not older", are understood already
        is_apart = unwanted or key(found.start - 1) in _PASSED | (_REFUSED - _UNDERSTOOD)
        if not is_apart or not refused or None not in (found.first, found.last):
            return found._replace(start=start)
        first = found.last + 1 if found.last is not None else None
        last = found.first - 1 if found.first is not None else None
        return Years(first, last, start, found.end)

    def _is_asked_for(self, span: Years) -> bool:
        before = self._sentence.keys[max(0, span.start - 4) : span.start]
        return _ABOUT.isdisjoint(before)

    def _tells_years(self, start: int, end: int) -> bool:
        """Days and months say when somebody watches, not when a film was made."""
        keys = self._sentence.keys[start:end]
        if any(key in words.MONTH_WORDS for key in keys):
            return False
        return any(
            key in _IN_A_YEAR or (len(key.rstrip("s")) in {2, 4} and key.rstrip("s").isdigit())
            for key in keys
        ) and not {"week", "weeks", "day", "days"} & set(keys)

    def _special(self, at: int) -> Years | None:
        key = self._sentence.key
        if key(at) in words.RECENT and key(at + 1) != "than":
            return Years(self._recent, None, at, at + 1)
        if key(at) == "new" and key(at + 1) in words.FILM_NOUNS | {"release", "releases"}:
            return Years(self._recent, None, at, at + 1 + (key(at + 1).startswith("release")))
        if (key(at), key(at + 1)) in {("this", "century"), ("21st", "century")}:
            return Years(*_CENTURY, at, at + 2)
        if key(at) in {"pre", "post"} and self._sentence.tokens[at].glued:
            return self._before_or_after(at)
        if key(at) in {"last", "past"}:
            return self._decades_back(at)
        return None

    @property
    def _recent(self) -> int:
        return min(self._newest, self._today.year) - words.RECENT_YEARS + 1

    def _before_or_after(self, at: int) -> Years | None:
        span = self._calendar.at(at + 1)
        if span is None:  # the hyphen in front of it
            digits = self._sentence.key(at + 1)
            if not (len(digits) == 4 and digits.isdigit()):
                return None
            first = last = int(digits)
            end = at + 2
        else:
            first, last, end = span.first.year, span.last.year, span.end
        if self._sentence.key(at) == "pre":
            return Years(None, first - 1, at, end)
        return Years(last + 1, None, at, end)

    def _decades_back(self, at: int) -> Years | None:
        """The last decade, the past two decades."""
        key = self._sentence.key
        number = 1 if key(at + 1) == "decade" else words.NUMBER_WORDS.get(key(at + 1), 0)
        if number == 1 and key(at + 1) == "decade":
            return Years(self._today.year - 10, self._today.year, at, at + 2)
        if number and key(at + 2) == "decades":
            return Years(self._today.year - 10 * number, self._today.year, at, at + 3)
        return None


def _year(day: date | None) -> int | None:
    return day.year if day is not None else None


def combined(
    found: Sequence[Years], sentence: Sentence
) -> tuple[int | None, int | None, list[tuple[int, int]]]:
    """First and last year, and spans between them that are not meant: ``the 60s or the 90s``.

    Years joined by "or" and "and" are alternatives, others must all hold.
    """
    groups: list[list[Years]] = []
    for one in found:
        if groups and _are_alternatives(groups[-1][-1], one, sentence):
            groups[-1].append(one)
        else:
            groups.append([one])
    firsts: list[int] = []
    lasts: list[int] = []
    gaps: list[tuple[int, int]] = []
    for group in groups:
        spans = sorted((one.first or 0, one.last or 9999) for one in group)
        firsts += [spans[0][0]] if spans[0][0] else []
        end = spans[0][1]
        for first, last in spans[1:]:
            if first > end + 1:
                gaps.append((end + 1, first - 1))
            end = max(end, last)
        lasts += [end] if end != 9999 else []
    return max(firsts, default=None), min(lasts, default=None), gaps


def _are_alternatives(one: Years, other: Years, sentence: Sentence) -> bool:
    between = sentence.keys[one.end : other.start]
    joined = not between and sentence.comma_behind(one.end - 1)
    is_list = bool(between) and _BETWEEN_SPANS.issuperset(between)
    closed = None not in (one.first, one.last, other.first, other.last)
    return closed and (joined or is_list)
