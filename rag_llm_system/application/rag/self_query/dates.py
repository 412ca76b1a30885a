"""When a question's sources must be from: what prepositions make of the dates in it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from rag_llm_system.application.rag.self_query import words
from rag_llm_system.application.rag.self_query.conditions import Days
from rag_llm_system.application.rag.self_query.days import Calendar, Span
from rag_llm_system.application.rag.self_query.text import Token

_IN = words.word_set("in from of during throughout on")
_UNTIL = frozenset({"until", "till", "through"})
_LATER = frozenset({"newer than", "later than"})
_REFUSED = frozenset({"no", "not", "nothing"})
_SOONER = frozenset({"older than", "earlier than", "prior to"})
_ONWARDS = ("on ", "onward", "and later", "or later", "and after")
_PASSED = frozenset({"the", "year", "years", "month"})
_ABOUT = words.word_set(
    "set located happening happens happened takes taking place situated as about"
)
"""``set in 1944`` is what a film is about, not when it was made."""
_MADE = frozenset({"made", "released", "filmed", "shot"})
_TO = {"between": frozenset({"and"}), "from": frozenset({"to", "until", "till", "through"})}


@dataclass(frozen=True, slots=True)
class When:
    """Days that words ``[start, end)`` ask for."""

    days: Days
    start: int
    end: int


def find_dates(
    tokens: Sequence[Token], today: date, taken: Collection[int], nouns: Collection[int]
) -> list[When]:
    """``taken`` are words that mean something else, ``nouns`` those that a year may stand in front of."""
    calendar = Calendar(tokens, today)
    keys = [token.key for token in tokens]
    found: list[When] = []
    position = 0
    while position < len(tokens):
        span = None if position in taken else calendar.at(position)
        if span is None:
            position += 1
            continue
        when = _when(keys, position, span, calendar)
        if when is None and span.end in nouns:
            when = When((span.first, span.last), position, span.end)
        if when is not None:
            found.append(when)
        position = when.end if when else span.end
    return found


def _when(keys: Sequence[str], start: int, span: Span, calendar: Calendar) -> When | None:
    """What the words around a date make of it; None when they do not make it a condition."""
    cue = start - 1
    while cue >= 0 and keys[cue] in _PASSED:
        cue -= 1
    before = ["", "", "", *keys[: cue + 1]][-3:]
    if before[1] in _ABOUT or before[2] in {"about", "regarding"}:
        return None
    told = before[2] in {"in", "during"} and before[1] not in words.WRITTEN | _MADE
    if told and span.years > 1 and "about" in keys[:cue]:
        return None  # films about children in the 90s
    joints = _TO.get(before[2], ())
    if span.end + 1 < len(keys) and keys[span.end] in joints:
        until = calendar.at(span.end + 1)
        if until is not None and until.last >= span.first:
            return When((span.first, until.last), cue, until.end)
    days = _days(before, span, f"{' '.join(keys[span.end : span.end + 2])} ")
    if days is not None:
        return When(days, cue, span.end)
    return When((span.first, span.last), start, span.end) if span.relative else None


def _days(before: Sequence[str], span: Span, behind: str) -> Days | None:
    """``before`` are the three words in front, ``behind`` the two that follow."""
    earliest, earlier, key = before
    compared = f"{earlier} {key}"
    refused = (earliest if compared in _LATER | _SOONER else earlier) in _REFUSED
    later = key == "after" or compared in _LATER
    sooner = key == "before" or compared in _SOONER
    onwards = key in _IN and behind.startswith(_ONWARDS)
    if key == "since" or onwards or (sooner and refused):
        return span.first, None
    if key in _UNTIL or compared == "up to" or (later and refused):
        return None, span.last
    if later:
        return span.last + timedelta(days=1), None
    if sooner:
        return None, span.first - timedelta(days=1)
    return (span.first, span.last) if key in _IN else None
