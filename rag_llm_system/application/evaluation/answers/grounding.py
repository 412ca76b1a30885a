"""The titles that an answer names, and whether its context has them.

A title is what stands between ``**`` marks; in an answer without any, what stands in quotation marks; in one without
these either, a run of two or more capitalised words that is neither in the context nor in the question, and each title
of the context that occurs. A mark that is opened and never closed names what follows it: a title that breaks off is no
title of the context. Case, punctuation and a year in parentheses do not matter.
"""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rag_llm_system.application.dataset.overlap import normalised
from rag_llm_system.application.evaluation.answers.asked import Asked
from rag_llm_system.application.evaluation.answers.intervals import Measured

_BOLD = re.compile(r"\*\*(?:(?P<title>[^*\n]+?)\*\*|(?P<broken>(?=\w)[^*\n(!?]*))")
_QUOTED = re.compile(r"[\"\u201c](?P<title>[A-Z0-9][^\"\u201c\u201d\n]{0,80}?)[,.!?]?[\"\u201d]")
_SMALL = "a|an|and|at|by|de|for|from|in|la|of|on|or|the|to|with"
_TITLE_CASE = re.compile(
    rf"\b[A-Z][\w'\u2019]*(?:\s+(?:(?:{_SMALL})\s+)*[A-Z0-9][\w'\u2019]*)+", re.UNICODE
)
_YEAR = re.compile(r"\s*\((?:19|20)\d\d\)\s*$")


class NamedTitle(NamedTuple):
    """``start`` and ``end`` are characters of the answer, marks aside."""

    title: str
    start: int
    end: int
    in_context: bool


def named_titles(answer: str, asked: Asked) -> list[NamedTitle]:
    """In the order in which they stand in the answer."""
    known = {key(title) for title in asked.titles}
    context = f" {normalised(asked.context)} "

    def is_known(title: str) -> bool:
        return key(title) in known if known else f" {key(title)} " in context

    for mark in (_BOLD, _QUOTED):
        if marked := [
            NamedTitle(title, *found.span(found.lastgroup or 0), is_known(title))
            for found in mark.finditer(answer)
            if (title := found[found.lastgroup or 0].strip())
        ]:
            return marked
    return _unmarked(answer, asked)


def grounded(answer: str, asked: Asked) -> Measured | None:
    """1 when the answer names a title and only titles of the context; rows that call for none do not count."""
    if not asked.titles or (asked.missing and not asked.picks):
        return None
    named = _other_than_asked(named_titles(answer, asked), asked)
    return Measured(float(bool(named) and all(title.in_context for title in named)))


def hallucinated(answer: str, asked: Asked) -> Measured | None:
    """The share of the named titles that the context lacks, weighed by how many are named.

    Of a film that the library lacks, the answer has to give the title: one that the question has is not made up.
    """
    if not asked.titles:
        return None
    named = _other_than_asked(named_titles(answer, asked), asked)
    if not named:
        return Measured(0.0, 0.0)
    return Measured(sum(not title.in_context for title in named) / len(named), len(named))


def right_picks(answer: str, asked: Asked) -> Measured | None:
    """1 when as many titles are named as the row asks for, each once, and each is one that fits."""
    if not asked.picks:
        return None
    named = [key(t.title) for t in _other_than_asked(named_titles(answer, asked), asked)]
    fitting = {key(title) for title in asked.matches or asked.picks}
    right = len(named) == len(set(named)) == len(asked.picks) and fitting.issuperset(named)
    return Measured(float(right))


def invents(answer: str, asked: Asked) -> bool:
    """Whether a title is named that neither the context nor the question has."""
    return any(
        not title.in_context for title in _other_than_asked(named_titles(answer, asked), asked)
    )


def key(title: str) -> str:
    """Two spellings of one title have the same key."""
    return normalised(_YEAR.sub("", title))


def mentioned(text: str, titles: Iterable[str]) -> list[str]:
    """Those of the titles that occur in the text, as whole words."""
    words = f" {normalised(text)} "
    return [title for title in titles if key(title) and f" {key(title)} " in words]


def _unmarked(answer: str, asked: Asked) -> list[NamedTitle]:
    allowed = f" {normalised(f'{asked.context} {asked.question}')} "
    found = [
        NamedTitle(title, *_place(answer, title), in_context=True)
        for title in mentioned(answer, asked.titles)
    ]
    taken = [range(title.start, title.end) for title in found]
    for run in _TITLE_CASE.finditer(answer):
        inside = any(run.start() < span.stop and span.start < run.end() for span in taken)
        if not inside and f" {normalised(run[0])} " not in allowed:
            found.append(NamedTitle(run[0], *run.span(), in_context=False))
    return sorted(found, key=lambda title: title.start)


def _place(answer: str, title: str) -> tuple[int, int]:
    """Where a title that occurs stands; (0, 0) when only its words do, with other marks between them."""
    start = answer.casefold().find(title.casefold())
    return (start, start + len(title)) if start >= 0 else (0, 0)


def _other_than_asked(named: Sequence[NamedTitle], asked: Asked) -> list[NamedTitle]:
    if not asked.missing:
        return list(named)
    return [t for t in named if t.in_context or not mentioned(asked.question, [t.title])]
