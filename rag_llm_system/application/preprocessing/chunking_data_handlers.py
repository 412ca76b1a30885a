"""Chunkers: text -> pieces. A chunk is a slice of the cleaned text, never a rewritten copy.

Every chunker keeps one promise: each character that is not white space lies in at least one piece.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from langchain_text_splitters import Language, RecursiveCharacterTextSplitter

from rag_llm_system.application.preprocessing.code_boundaries import Outline, outline_of
from rag_llm_system.application.preprocessing.headings import Headings
from rag_llm_system.application.preprocessing.markdown import code_blocks
from rag_llm_system.application.preprocessing.spans import (
    Chars,
    Chunker,
    ChunkSize,
    Measure,
    Part,
    Piece,
    Span,
    Tokenize,
    Tokens,
    measure_of,
    pack,
    split,
)

__all__ = [
    "Chars",
    "ChunkSize",
    "Chunker",
    "Piece",
    "Span",
    "Tokenize",
    "Tokens",
    "by_code",
    "by_definition",
    "by_paragraph",
    "by_sentence",
    "windows",
]

_PARAGRAPH = re.compile(r"\n[ \t\r]*\n+")
_SENTENCE = re.compile("(?<=[.!?:])[\"')\\]\u201d\u2019]*\\s+|(?<=[\u3002\uff01\uff1f])|\\n")
_LINE = re.compile(r"\n")
_WORD = re.compile(r"\s+")
_PROSE_LANGUAGES = frozenset({"markdown", "rst", "text"})
_LANGCHAIN_NAMES = {"shell": "bash"}


def by_paragraph(
    text: str,
    size: ChunkSize,
    tokenize: Tokenize,
    language: str = "",  # noqa: ARG001 - chunkers share one signature
) -> Iterator[Piece]:
    """Articles: paragraphs packed up to the maximum; a heading starts a new chunk once the minimum is reached.

    A code block stays in one chunk, however long; other paragraphs that are too long are cut at
    sentences, then words.
    """
    return _by_section(
        text, size, measure_of(text, size, tokenize), Headings(text), whole_code=True
    )


def by_code(text: str, size: ChunkSize, tokenize: Tokenize, language: str = "") -> Iterator[Piece]:
    """Repositories: functions and classes whole where they fit, else cut at members, statements, then lines.

    A chunk that begins amid a function repeats trailing lines of the one before; one that begins with a definition
    repeats nothing. Documentation is cut at its headings. A language without a grammar is cut at LangChain's
    separators for it.
    """
    return _code_pieces(text, size, tokenize, language)


def by_definition(
    text: str, size: ChunkSize, tokenize: Tokenize, language: str = ""
) -> Iterator[Piece]:
    """Code bases: cut as repositories are, and each piece says what begins in it and what is around it."""
    return _code_pieces(text, size, tokenize, language, told=True)


def _code_pieces(
    text: str, size: ChunkSize, tokenize: Tokenize, language: str, *, told: bool = False
) -> Iterator[Piece]:
    measure = measure_of(text, size, tokenize)
    nothing = () if told else None
    if language in _PROSE_LANGUAGES:
        headings = Headings(text, rst=language == "rst")
        for piece in _by_section(text, size, measure, headings, whole_code=False):
            yield piece._replace(around=nothing)
    elif outline := outline_of(text, language):
        for span in pack(text, _code_parts(text, outline, size, measure), size, measure):
            piece = Piece(*span, symbol=outline.symbol(span))
            if told:
                around = outline.around(span)
                piece = piece._replace(symbols=outline.symbols(span), around=around)
            yield piece
    else:
        spans = split(text, (0, len(text)), (*_separators(language), _WORD), size.maximum, measure)
        for span in pack(text, (Part(*span) for span in spans), size, measure):
            yield Piece(*span, around=nothing)


def by_sentence(
    text: str,
    size: ChunkSize,
    tokenize: Tokenize,
    language: str = "",  # noqa: ARG001 - chunkers share one signature
) -> Iterator[Piece]:
    """Posts, films, preferences: one piece where it fits, else cut after paragraphs, then sentences, then words."""
    measure = measure_of(text, size, tokenize)
    spans = split(text, (0, len(text)), (_PARAGRAPH, _SENTENCE, _WORD), size.maximum, measure)
    for span in pack(text, (Part(*span) for span in spans), size, measure):
        yield Piece(*span)


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
            end = tokens[last + 1][0] if last + 1 < len(tokens) else len(text)
            end = start + len(text[start:end].rstrip())
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


def _by_section(
    text: str, size: ChunkSize, measure: Measure, headings: Headings, *, whole_code: bool
) -> Iterator[Piece]:
    parts = _paragraph_parts(text, size, measure, headings, whole_code=whole_code)
    for span in pack(text, parts, size, measure):
        yield Piece(*span, headings=headings.above(span[0]))


def _paragraph_parts(
    text: str, size: ChunkSize, measure: Measure, headings: Headings, *, whole_code: bool
) -> Iterator[Part]:
    """Paragraphs, headings and blocks of code; sentences of paragraphs that are too long, lines of such code."""
    blocks = code_blocks(text)
    opening = set(headings.starts)
    of_code = set(blocks)
    for span in _cut_outside(text, blocks, opening):
        if span in of_code and whole_code:
            yield Part(*span)
            continue
        boundaries = (_LINE, _WORD) if span in of_code else (_SENTENCE, _WORD)
        for start, end in split(text, span, boundaries, size.maximum, measure):
            yield Part(start, end, start in opening)


def _cut_outside(text: str, blocks: Sequence[Span], opening: set[int]) -> list[Span]:
    """Cut the text after paragraphs, before headings and at both ends of each block, but never inside one."""
    cuts = {0, len(text)} | opening
    at = 0
    for start, end in [*blocks, (len(text), len(text))]:
        cuts |= {found.end() for found in _PARAGRAPH.finditer(text, at, start)} | {start, end}
        at = end
    return [part for part in pairwise(sorted(cuts)) if part[0] < part[1]]


def _code_parts(text: str, outline: Outline, size: ChunkSize, measure: Measure) -> Iterator[Part]:
    """Blocks of the outline that fit, the outermost first; a block that does not is cut at those within it."""
    waiting = [outline.tiles((0, len(text)), -1)]
    opens = False
    while waiting:
        tile = next(waiting[-1], None)
        if tile is None:
            waiting.pop()
            continue
        span, index = tile
        opens = opens or outline.defines(index)
        if measure(span) > size.maximum and outline.has_inner(index):
            waiting.append(outline.tiles(span, index))
            continue
        for start, end in split(text, span, (_PARAGRAPH, _LINE, _WORD), size.maximum, measure):
            yield Part(start, end, opens)
            opens = False


def _separators(language: str) -> list[re.Pattern[str]]:
    """From coarse to fine: LangChain's separators of a language, each cut before its keyword."""
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
