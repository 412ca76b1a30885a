"""Finds the headings and the prose of a Markdown text, as slices of that text."""

import re
from collections.abc import Iterator
from typing import Literal

from rag_llm_system.domain.documents import Value

MIN_CHARS = 100
MAX_CHARS = 900
"""Bounds of a passage: shorter ones say little, longer ones are several answers."""

_HEADING = re.compile(r"#{1,6}\s+(?P<text>.*?)\s*#*\s*$")
_FENCE = re.compile(r" {0,3}(```|~~~)")
_NOT_PROSE = re.compile(r"[ \t]{2,}|[-*+>|<!#](?!\*?\w)|[>|<!#]|\d{1,3}\\?[.)]\s|\[\^")
_LINK = re.compile(r"!?\[(?P<text>[^\]]*)\]\([^)]*\)")
_SENTENCE_END = re.compile(
    r"\.[\"'\u201d\u2019)*_]*(?=\s|$)"
)  # with the quotes and marks that close
_PARAGRAPH_END = re.compile(r"\n[ \t]*\n")
_ABBREVIATION = re.compile(r"(?:\b(?:e\.g|i\.e|etc|vs|cf|al|Fig|Eq|No|Dr|Mr|Mrs|Ms|St)|\b[A-Z])$")


class Passage(Value):
    """The leading sentences of a section, or of what follows them in it; ``text`` is verbatim, from ``start`` on.

    ``follows`` tells whether it goes on where the passage before it ends, with nothing in between.
    """

    heading: str
    ordinal: int
    text: str
    start: int = 0
    follows: bool = False


class _Block(Value):
    kind: Literal["heading", "prose", "other"]
    start: int
    end: int
    heading: str = ""


def passages(text: str) -> Iterator[Passage]:
    """In the order of the text; what comes before the first heading has the heading ""."""
    heading, ordinal, last_end = "", 0, len(text)
    run: list[_Block] = []
    for block in [*_blocks(text), _Block(kind="heading", start=len(text), end=len(text))]:
        if block.kind == "prose":
            run.append(block)
        if run and (block.kind != "prose" or block.end - run[0].start >= MIN_CHARS):
            start = run[0].start
            passage = _leading_sentences(text[start : run[-1].end])
            run = []
            if passage:
                follows = ordinal > 0 and not text[last_end:start].strip()
                yield Passage(
                    heading=heading, ordinal=ordinal, text=passage, start=start, follows=follows
                )
                ordinal, last_end = ordinal + 1, start + len(passage)
        if block.kind == "heading":
            heading, ordinal = block.heading, 0


def sentence_ends(text: str) -> list[int]:
    """Where sentences end with a full stop; a known abbreviation or an initial is no end."""
    return [
        match.end()
        for match in _SENTENCE_END.finditer(text)
        if not text[match.end() :].lstrip()[:1].islower()
        and not _ABBREVIATION.search(text, 0, match.start())
    ]


def unwrapped(text: str) -> str:
    """Prose with its paragraphs on one line each: line ends within them are the page's, not the author's."""
    return "\n\n".join(
        " ".join(part.split()) for part in _PARAGRAPH_END.split(text) if part.strip()
    )


def _leading_sentences(text: str) -> str:
    end = max((end for end in sentence_ends(text) if end <= MAX_CHARS), default=0)
    return text[:end] if end >= MIN_CHARS else ""


def _blocks(text: str) -> Iterator[_Block]:
    """Headings, paragraphs of prose, and everything else: lists, tables, quotes, code."""
    start, end, fence = 0, 0, ""
    for line in re.finditer(r"[^\n]*\n?", text):
        content = line.group()
        mark = _FENCE.match(content)
        heading = None if fence else _HEADING.match(content)
        if mark and fence in {"", mark.group(1)}:
            fence = "" if fence else mark.group(1)
        if content.strip() and not heading:
            end = line.end()
            continue
        if fence:
            continue
        if end > start:
            yield _paragraph(text, start, end)
        if heading:
            yield _Block(
                kind="heading",
                start=line.start(),
                end=line.end(),
                heading=_plain(heading.group("text")),
            )
        start = end = line.end()
    if end > start:
        yield _paragraph(text, start, end)


def _paragraph(text: str, start: int, end: int) -> _Block:
    content = text[start:end].rstrip()
    prose = not (_NOT_PROSE.match(content) or _FENCE.search(content) or _LINK.search(content))
    return _Block(
        kind="prose" if prose and sentence_ends(content) else "other",
        start=start,
        end=start + len(content),
    )


def _plain(heading: str) -> str:
    """A heading without its Markdown: links become their text, marks go."""
    return " ".join(_LINK.sub(r"\g<text>", heading).replace("`", "").replace("*", "").split())
