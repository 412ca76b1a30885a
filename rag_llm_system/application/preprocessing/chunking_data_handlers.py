"""Chunkers: text -> spans. A chunk is a slice of the cleaned text, never a rewritten copy.

Every chunker keeps one promise: each character that is not white space lies in at least one span.
"""

import bisect
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from langchain_text_splitters import Language, RecursiveCharacterTextSplitter

from rag_llm_system.application.preprocessing.cleaning_data_handlers import code_or_prose

Span = tuple[int, int]
Tokenize = Callable[[str], Sequence[Span]]


@dataclass(frozen=True, slots=True)
class ChunkSize:
    """How long a chunk may get, when it is long enough to end, and how much it repeats."""

    unit: Literal["chars", "tokens"]
    maximum: int
    minimum: int = 0
    overlap: int = 0


def Chars(minimum: int, maximum: int) -> ChunkSize:
    return ChunkSize("chars", maximum, minimum)


def Tokens(maximum: int, overlap: int) -> ChunkSize:
    """Of the encoder's own tokenizer."""
    return ChunkSize("tokens", maximum, overlap=overlap)


Chunker = Callable[[str, ChunkSize, Tokenize, str], Iterator[Span]]
"""``(text, size, tokenize, language) -> spans`` in order; ``language`` is "" for prose."""

_PARAGRAPH = re.compile(r"\n[ \t]*\n+")
_SENTENCE = re.compile(r"(?<=[.!?:])[\"')\]]*\s+|\n")
_WORD = re.compile(r"\s+")
_HEADING = re.compile(r"#{1,6} \S")
_BEFORE_HEADING = re.compile(r"\n(?=#{1,6} \S)")
_PROSE_LANGUAGES = {"markdown", "text"}
_LANGCHAIN_NAMES = {"javascript": "js", "typescript": "ts"}


def by_paragraph(
    text: str,
    size: ChunkSize,
    tokenize: Tokenize,
    language: str = "",  # noqa: ARG001 - chunkers share one signature
) -> Iterator[Span]:
    """Paragraphs packed up to the maximum; a heading starts a new chunk once the minimum is reached.

    A code block stays in one chunk, however long; other paragraphs that are too long are cut at
    sentences, then words.
    """
    measure = _measure(text, size, tokenize)
    blocks = _code_blocks(text)
    pieces: list[Span] = []
    for span in _cut_outside(text, _PARAGRAPH, blocks):
        if span in blocks:
            pieces.append(span)
        else:
            pieces += _split(text, span, (_SENTENCE, _WORD), size, measure)
    return _pack(text, pieces, size, measure)


def by_code(text: str, size: ChunkSize, tokenize: Tokenize, language: str = "") -> Iterator[Span]:
    """Cut before classes and functions of that language, then blank lines, lines and words."""
    measure = _measure(text, size, tokenize)
    pieces = _split(text, (0, len(text)), (*_boundaries(language), _WORD), size, measure)
    return _pack(text, pieces, size, measure)


def by_sentence(
    text: str,
    size: ChunkSize,
    tokenize: Tokenize,
    language: str = "",  # noqa: ARG001 - chunkers share one signature
) -> Iterator[Span]:
    """Cut after paragraphs, then sentences, then words."""
    measure = _measure(text, size, tokenize)
    pieces = _split(text, (0, len(text)), (_PARAGRAPH, _SENTENCE, _WORD), size, measure)
    return _pack(text, pieces, size, measure)


def windows(text: str, limit: int, overlap: int, tokenize: Tokenize) -> list[Span]:
    """Spans of at most ``limit`` tokens that cover the text; neighbours share about ``overlap`` tokens.

    A slice may give more tokens than its part of the whole did (a word cut in two), so each window
    is counted again by itself.
    """
    tokens = tokenize(text)
    if len(tokens) <= limit:
        return [(0, len(text))]
    spans: list[Span] = []
    first = 0
    while first < len(tokens):
        start = tokens[first][0] if spans else 0
        last = min(first + limit, len(tokens)) - 1
        while True:
            last = _word_end(tokens, first, last)
            end = tokens[last][1] if last + 1 < len(tokens) else len(text)
            excess = len(tokenize(text[start:end])) - limit
            if excess <= 0 or last == first:
                break
            last = max(first, last - excess)
        spans.append((start, end))
        if last + 1 == len(tokens):
            break
        first = max(first + 1, last + 1 - overlap)
    return spans


def _word_end(tokens: Sequence[Span], first: int, last: int) -> int:
    """The last token of a whole word at or before ``last``; ``last`` itself when there is none."""
    for position in range(last, first, -1):
        if position + 1 == len(tokens) or tokens[position + 1][0] > tokens[position][1]:
            return position
    return last


Measure = Callable[[Span], int]


def _measure(text: str, size: ChunkSize, tokenize: Tokenize) -> Measure:
    if size.unit == "chars":
        return lambda span: span[1] - span[0]
    tokens = tokenize(text)
    starts, ends = [start for start, _ in tokens], [end for _, end in tokens]
    return lambda span: max(
        0, bisect.bisect_left(starts, span[1]) - bisect.bisect_right(ends, span[0])
    )


def _boundaries(language: str) -> list[re.Pattern[str]]:
    """From coarse to fine: LangChain's separators of a language, each cut before its keyword."""
    if language in _PROSE_LANGUAGES:
        return [_BEFORE_HEADING, _PARAGRAPH, _SENTENCE]
    try:
        known = Language(_LANGCHAIN_NAMES.get(language, language))
        separators = RecursiveCharacterTextSplitter.get_separators_for_language(known)
    except ValueError:
        separators = ["\n\n", "\n"]
    return [_before_line(s) for s in separators if s.strip() or "\n" in s]


def _before_line(separator: str) -> re.Pattern[str]:
    """A cut after the separator's line breaks, so that a keyword begins its own piece."""
    body = separator.lstrip("\n")
    breaks = separator[: len(separator) - len(body)] or ""
    return re.compile(re.escape(breaks) + (f"(?={re.escape(body)})" if body else ""))


def _split(
    text: str,
    span: Span,
    boundaries: Sequence[re.Pattern[str]],
    size: ChunkSize,
    measure: Measure,
) -> list[Span]:
    """Pieces that fit, by the coarsest boundary that helps; without any, by halving."""
    if measure(span) <= size.maximum or span[1] - span[0] <= 1:
        return [span]
    if not boundaries:
        middle = (span[0] + span[1]) // 2
        halves = ((span[0], middle), (middle, span[1]))
        return [piece for half in halves for piece in _split(text, half, (), size, measure)]
    inner = (m.end() for m in boundaries[0].finditer(text, *span))
    cuts = sorted({*span, *inner})
    return [
        piece
        for part in pairwise(cuts)
        for piece in _split(text, part, boundaries[1:], size, measure)
    ]


def _pack(text: str, pieces: Sequence[Span], size: ChunkSize, measure: Measure) -> Iterator[Span]:
    """Join neighbours while they fit; a next chunk repeats trailing pieces within the overlap."""
    pieces = [piece for piece in pieces if text[slice(*piece)].strip()]
    first = 0
    while first < len(pieces):
        last = first
        while last + 1 < len(pieces) and _joins(text, pieces, first, last + 1, size, measure):
            last += 1
        yield _trimmed(text, (pieces[first][0], pieces[last][1]))
        following = last + 1
        while following < len(pieces) and following - 1 > first:
            repeated = (pieces[following - 1][0], pieces[last][1])
            longer = (pieces[following - 1][0], pieces[last + 1][1])
            if measure(repeated) > size.overlap or measure(longer) > size.maximum:
                break
            following -= 1
        first = following


def _joins(  # noqa: PLR0917 - the packer's own state, passed to keep the loop readable
    text: str,
    pieces: Sequence[Span],
    first: int,
    candidate: int,
    size: ChunkSize,
    measure: Measure,
) -> bool:
    so_far = (pieces[first][0], pieces[candidate - 1][1])
    starts_section = _HEADING.match(text, pieces[candidate][0])
    if size.minimum and starts_section and measure(so_far) >= size.minimum:
        return False
    return measure((so_far[0], pieces[candidate][1])) <= size.maximum


def _trimmed(text: str, span: Span) -> Span:
    """Without blank lines at the start and white space at the end; a first line's indent stays."""
    start, end = span
    lead = re.compile(r"(?:[ \t]*\n)*").match(text, start, end)
    start = lead.end() if lead else start
    return start, start + len(text[start:end].rstrip())


def _code_blocks(text: str) -> list[Span]:
    """Spans of the runs of code lines, line ends of the last one not included."""
    found: list[Span] = []
    at, previous = 0, False
    for is_code, line in code_or_prose(text):
        if is_code and previous:
            found[-1] = (found[-1][0], at + len(line))
        elif is_code:
            found.append((at, at + len(line)))
        previous = is_code
        at += len(line) + 1
    return found


def _cut_outside(text: str, boundary: re.Pattern[str], blocks: Iterable[Span]) -> list[Span]:
    """Cut the text at a boundary, and at both ends of each block but never inside one."""
    blocks = list(blocks)
    cuts = {0, len(text)}
    cuts |= {edge for block in blocks for edge in block}
    for match in boundary.finditer(text):
        if not any(start < match.end() < end for start, end in blocks):
            cuts.add(match.end())
    return [part for part in pairwise(sorted(cuts)) if part[0] < part[1]]
