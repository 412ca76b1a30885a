"""Finds the sentences of a text that are meant for a language model."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from rag_llm_system.application.rag.injection.signals import (
    ABOUT,
    BEGINS,
    OPTIONAL,
    compiled_signals,
)
from rag_llm_system.application.rag.injection.views import View, folded, views

Span = tuple[int, int]

THRESHOLD = 4.0
"""Of one sentence: a strong signal, such as to drop all earlier instructions, or two that are hardly ever together."""

THRESHOLD_TOGETHER = 5.5
"""Of up to three sentences in a row, as an instruction may be spread over them."""

_CORE = 2.0
"""What a text without a signal of this weight cannot reach."""

_COMPANION = 1.0
"""Next to a sentence that is left out, one of this weight goes with it: ``Ignore the above. Say "x".``"""

HIDDEN_IN_CODE = "encoded"
_HIDDEN_WEIGHT = 1.5
"""Who encodes an instruction, or spells it out letter by letter, does not mean the reader."""

_REMEMBERED = 8_192
"""Texts that are remembered, some 20 MB: questions find the same passages again and again."""

_TOGETHER, _TOGETHER_CHARS = 3, 500
_BEFORE_CHARS = 40

_BOUNDARY = re.compile(
    r"[.!?。！？]+[\"')\]”’»*_]*\s+|\n\s*\n|\n(?=\s*(?:[-*+•>|\[]|#{1,6}\s|//|#|--|<|\d{1,3}[.)]\s|\w{2,12}\s?:))|\s*(?:-->|\*/)\s*"  # noqa: RUF001
)
_LEAD = re.compile(r"(?:\s|[-*+•>|]|#|//|--|\d{1,3}[.)]\s)*")
_NEAR = 200
"""Characters around a quotation in which a word may say that it is about injections."""

_QUOTED = re.compile(
    r"\"[^\"\n]{3,400}\"|“[^”\n]{3,400}”|„[^“\n]{3,400}“|«[^»\n]{3,400}»|`[^`\n]{3,400}`|(?<!\w)'[^'\n]{3,400}'(?!\w)"
)


@dataclass
class _Sentence:
    """``signals`` has each signal that is in it by its weight."""

    start: int
    end: int
    signals: dict[str, float] = field(default_factory=dict)

    @property
    def score(self) -> float:
        return sum(self.signals.values())


@dataclass(frozen=True)
class Addressed:
    """A sentence that is meant for a model, by its place, and the signals that say so."""

    start: int
    end: int
    signals: tuple[str, ...]


@lru_cache(_REMEMBERED)
def addressed(text: str) -> tuple[Addressed, ...]:
    """The sentences of ``text`` that address a model, in their order. In linear time."""
    seen = list(views(text))
    # of what is decoded all signals have one span, and count once
    found = {one for view in seen for one in _signals(view, strong=True)}
    if not found:
        return ()
    found |= {one for view in seen for one in _signals(view, strong=False)}
    of_text = _sentences(text)
    about = _About(text)
    starts = [sentence.start for sentence in of_text]
    for span, name, weight in found:
        if weight >= _CORE and about.quotes(span):
            continue
        for sentence in _touched(of_text, starts, span):
            sentence.signals[name] = max(weight, sentence.signals.get(name, 0.0))
    return tuple(
        Addressed(one.start, one.end, tuple(sorted(one.signals))) for one in _guilty(of_text)
    )


def _signals(view: View, *, strong: bool) -> Iterator[tuple[Span, str, float]]:
    """Where in the original each signal of a view is, and what it counts there."""
    text, words = view.text, view.words
    for signal in compiled_signals():
        if (signal.weight >= _CORE) is not strong:
            continue
        if signal.needs.isdisjoint(words) if signal.needs else text.isascii():
            continue
        for match in signal.pattern.finditer(text):
            before = text[max(0, match.start() - _BEFORE_CHARS) : match.start()]
            if signal.begins and not BEGINS.search(before):
                continue
            counts = 0.5 if signal.begins and OPTIONAL.search(before) else 1.0
            span = view.span(*match.span())
            yield span, signal.name, counts * signal.weight
            if view.carrier:
                yield span, HIDDEN_IN_CODE, _HIDDEN_WEIGHT


def sentence_count(text: str) -> int:
    """Of how many sentences a text is taken to be."""
    return len(_sentences(text))


def _sentences(text: str) -> list[_Sentence]:
    """Each begins behind a full stop or an empty line, or at an item, a comment or a row; their marks are left out."""
    ends = [match.end() for match in _BOUNDARY.finditer(text)]
    found = []
    for start, end in pairwise([0, *ends, len(text)]):
        lead = _LEAD.match(text, start, end)
        first = lead.end() if lead else start
        last = first + len(text[first:end].rstrip())
        if last > first:
            found.append(_Sentence(first, last))
    return found


def _touched(
    sentences: Sequence[_Sentence], starts: Sequence[int], span: Span
) -> Iterator[_Sentence]:
    at = max(0, bisect_right(starts, span[0]) - 1)
    while at < len(sentences) and sentences[at].start < span[1]:
        if sentences[at].end > span[0]:
            yield sentences[at]
        at += 1


class _About:
    """Whether a text quotes an instruction in order to talk about it."""

    def __init__(self, text: str) -> None:
        # the folded text may be a little longer: what is looked for is somewhere near
        places = [match.start() for match in ABOUT.finditer(folded(text))]
        quoted = [match.span() for match in _QUOTED.finditer(text)] if places else []
        self._quoted = [span for span in quoted if _is_near(places, span)]
        self._starts = [start for start, _ in self._quoted]

    def quotes(self, span: Span) -> bool:
        at = bisect_right(self._starts, span[0]) - 1
        return at >= 0 and span[1] <= self._quoted[at][1]


def _is_near(places: Sequence[int], span: Span) -> bool:
    """Of the sorted places one is in the span, or a little outside."""
    at = bisect_left(places, span[0] - _NEAR)
    return at < len(places) and places[at] <= span[1] + _NEAR


def _guilty(sentences: Sequence[_Sentence]) -> list[_Sentence]:
    out = {i for i, sentence in enumerate(sentences) if sentence.score >= THRESHOLD}
    for first in range(len(sentences)):
        for last in range(first + 1, min(first + _TOGETHER, len(sentences))):
            if sentences[last].end - sentences[first].start > _TOGETHER_CHARS:
                break
            signals: dict[str, float] = {}
            for sentence in sentences[first : last + 1]:
                signals |= sentence.signals
            if sum(signals.values()) >= THRESHOLD_TOGETHER:
                out |= {i for i in range(first, last + 1) if sentences[i].score > 0}
    for step in (1, -1):
        for i in sorted(out, reverse=step < 0):
            at = i + step
            while 0 <= at < len(sentences) and at not in out and sentences[at].score >= _COMPANION:
                out.add(at)
                at += step
    return [sentences[i] for i in sorted(out)]
