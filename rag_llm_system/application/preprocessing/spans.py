"""Spans of a text: how long they are, how they are split where they must be, and joined while they fit."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

Span = tuple[int, int]
Tokenize = Callable[[str], Sequence[Span]]
Measure = Callable[[Span], int]


@dataclass(frozen=True, slots=True)
class ChunkSize:
    """How long a chunk may get, when it is long enough to end, and how much it repeats."""

    unit: Literal["chars", "tokens"]
    maximum: int
    minimum: int = 0
    overlap: int = 0

    @property
    def enough(self) -> int:
        """What a chunk must reach to end before a heading or a definition: half of the maximum when nothing is said."""
        return self.minimum or self.maximum // 2


def Chars(minimum: int, maximum: int) -> ChunkSize:
    return ChunkSize("chars", maximum, minimum)


def Tokens(maximum: int, overlap: int) -> ChunkSize:
    """Of the encoder's own tokenizer."""
    return ChunkSize("tokens", maximum, overlap=overlap)


class Piece(NamedTuple):
    """One chunk to be: ``text[start:end]``, the headings above its start and the symbol that it is or lies in.

    ``symbols`` and ``around`` as in ``chunks.Chunk``; only some chunkers read them.
    """

    start: int
    end: int
    headings: tuple[str, ...] = ()
    symbol: str = ""
    symbols: tuple[str, ...] = ()
    around: tuple[str, ...] | None = None


Chunker = Callable[[str, ChunkSize, Tokenize, str], Iterable[Piece]]
"""``(text, size, tokenize, language) -> pieces`` in order; ``language`` is "" for prose."""


class Part(NamedTuple):
    """What is not cut further. One that opens a section or a definition begins a chunk where it may, and repeats
    nothing of the one before."""

    start: int
    end: int
    opens: bool = False


def measure_of(text: str, size: ChunkSize, tokenize: Tokenize) -> Measure:
    """The length of a span in the unit of ``size``; the text is tokenized once."""
    if size.unit == "chars":
        return lambda span: span[1] - span[0]
    tokens = tokenize(text)
    starts, ends = [start for start, _ in tokens], [end for _, end in tokens]
    return lambda span: max(0, bisect_left(starts, span[1]) - bisect_right(ends, span[0]))


def split(
    text: str, span: Span, boundaries: Sequence[re.Pattern[str]], limit: int, measure: Measure
) -> Iterator[Span]:
    """Spans within the limit that tile ``span``, by the coarsest boundary that helps; without any, by halving."""
    if measure(span) <= limit or span[1] - span[0] <= 1:
        yield span
    elif not boundaries:
        middle = (span[0] + span[1]) // 2
        yield from split(text, (span[0], middle), (), limit, measure)
        yield from split(text, (middle, span[1]), (), limit, measure)
    else:
        inner = (found.end() for found in boundaries[0].finditer(text, *span))
        for part in pairwise(sorted({*span, *inner})):
            yield from split(text, part, boundaries[1:], limit, measure)


def pack(text: str, parts: Iterable[Part], size: ChunkSize, measure: Measure) -> Iterator[Span]:
    """Join neighbours while they fit; the next chunk repeats trailing parts within the overlap."""
    parts = [part for part in parts if text[part.start : part.end].strip()]
    first = 0
    while first < len(parts):
        start = parts[first].start
        end = first + 1
        while end < len(parts) and measure((start, parts[end].end)) <= size.maximum:
            if parts[end].opens and measure((start, parts[end - 1].end)) >= size.enough:
                break
            end += 1
        end = _without_last_heading(text, parts, first, end)
        yield trimmed(text, (start, parts[end - 1].end))
        first = _repeated_from(parts, first, end, size, measure)


def _without_last_heading(text: str, parts: Sequence[Part], first: int, end: int) -> int:
    """A heading stays with what it heads: at the end of a full chunk it moves into the next."""
    while end < len(parts) and end - 1 > first and _is_lone_heading(text, parts[end - 1]):
        end -= 1
    return end


# A line with number signs, or one that is underlined, and perhaps overlined
_LONE_HEADING = re.compile(r"\s*(?:#{1,6}\s[^\n]*|(?:([^\w\s])\1+\s*\n)?[^\n]+\n([^\w\s])\2*)\s*")
_MAX_HEADING_CHARS = 500


def _is_lone_heading(text: str, part: Part) -> bool:
    return (
        part.opens
        and part.end - part.start < _MAX_HEADING_CHARS
        and bool(_LONE_HEADING.fullmatch(text, part.start, part.end))
    )


def _repeated_from(
    parts: Sequence[Part], first: int, end: int, size: ChunkSize, measure: Measure
) -> int:
    """Where the next chunk starts: before ``end`` by as many parts as the overlap holds."""
    following = end
    while end < len(parts) and following - 1 > first and not parts[following].opens:
        repeated = (parts[following - 1].start, parts[end - 1].end)
        longer = (parts[following - 1].start, parts[end].end)
        if measure(repeated) > size.overlap or measure(longer) > size.maximum:
            break
        following -= 1
    return following


_LEADING_BLANK_LINES = re.compile(r"(?:[ \t]*\n)*")


def trimmed(text: str, span: Span) -> Span:
    """Without blank lines at the start and white space at the end; a first line's indent stays."""
    start, end = span
    if lead := _LEADING_BLANK_LINES.match(text, start, end):
        start = lead.end()
    return start, start + len(text[start:end].rstrip())
