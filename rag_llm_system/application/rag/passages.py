"""Chunks -> passages: what adjoins is joined, what is said twice is kept once."""

import re
from collections.abc import Iterable, Sequence
from operator import attrgetter

from rag_llm_system.domain.answers import ContextChunk

_SHINGLE_WORDS = 5
_NEAR = 0.8
"""Share of one text's shingles that another one has for it to be a copy: one that was edited, and no other text."""

Span = tuple[int, int]

_PARAGRAPH_END = 2
_WORD = re.compile(r"\w+|[^\w\s]+")


def joined(chunks: Iterable[ContextChunk]) -> list[ContextChunk]:
    """Chunks of one document that overlap or adjoin become one, without a text twice; documents keep their order.

    A passage has the id, score, relevance and window of its best chunk, and the headings of its first.
    """
    of_document: dict[tuple[str, str], list[ContextChunk]] = {}
    for chunk in chunks:
        of_document.setdefault((chunk.category, chunk.document_id), []).append(chunk)
    passages: list[ContextChunk] = []
    for together in of_document.values():
        first = len(passages)
        for chunk in sorted(together, key=attrgetter("start", "end", "chunk_id")):
            if len(passages) > first and _adjoins(passages[-1], chunk):
                passages[-1] = _join(passages[-1], chunk)
            else:
                passages.append(chunk)
    return passages


def _adjoins(before: ContextChunk, after: ContextChunk) -> bool:
    """Whether nothing but white space lies between: chunkers cover the rest of a text.

    Chunks of two versions of a document do not agree on what they share; they are not joined.
    """
    if not (_is_placed(before) and _is_placed(after)):
        return False
    shared = before.end - after.start
    if shared <= 0:
        return -shared <= max(_PARAGRAPH_END, after.start_line - before.end_line)
    shared_text = after.content[:shared]
    at = after.start - before.start
    return before.content[at : at + len(shared_text)] == shared_text


def _is_placed(chunk: ContextChunk) -> bool:
    return chunk.end - chunk.start == len(chunk.content)


def _join(before: ContextChunk, after: ContextChunk) -> ContextChunk:
    best = min(before, after, key=rank)
    blank = _blank(before, after)
    shift = best.start - before.start
    return best.model_copy(
        update={
            "content": before.content + blank + after.content[max(0, before.end - after.start) :],
            "start": before.start,
            "end": max(before.end, after.end),
            "window": (best.window[0] + shift, best.window[1] + shift),
            "headings": before.headings,
            "start_line": before.start_line,
            "end_line": max(before.end_line, after.end_line),
            "symbol": before.symbol if before.symbol == after.symbol else "",
            "symbols": tuple(dict.fromkeys((*before.symbols, *after.symbols))),
        }
    )


def _blank(before: ContextChunk, after: ContextChunk) -> str:
    """As long as what was cut between the two, so that places in the document stay right; ends with the line breaks."""
    gap = max(0, after.start - before.end)
    breaks = min(gap, max(_PARAGRAPH_END, after.start_line - before.end_line))
    return " " * (gap - breaks) + "\n" * breaks


def cut(chunk: ContextChunk, span: Span) -> ContextChunk:
    """``content[start:end]`` as a chunk of its own, without white space at its end."""
    start, end = span
    content = chunk.content[start:end].rstrip()
    update: dict[str, object] = {
        "content": content,
        "start": chunk.start + start,
        "end": chunk.start + start + len(content),
        "window": tuple(min(max(0, at - start), len(content)) for at in chunk.window),
    }
    if chunk.start_line:
        first_line = chunk.start_line + chunk.content.count("\n", 0, start)
        update |= {"start_line": first_line, "end_line": first_line + content.count("\n")}
    return chunk.model_copy(update=update)


def rank(chunk: ContextChunk) -> tuple[float, float, str, int, str]:
    """Sorts the best first; ties by place, never by the order in which they came."""
    return -chunk.relevance, -chunk.score, chunk.document_id, chunk.start, chunk.chunk_id


def without_copies(chunks: Iterable[ContextChunk]) -> list[ContextChunk]:
    """Each text once, in the order of its best copy; of two documents that have it, the one with more around it."""
    kept: list[tuple[ContextChunk, frozenset[tuple[str, ...]]]] = []
    for chunk in chunks:
        shingles = _shingles(chunk.content)
        for position, (other, known) in enumerate(kept):
            if other.document_id == chunk.document_id:
                continue
            shared = len(shingles & known)
            if shared >= _NEAR * len(shingles):
                break
            if shared >= _NEAR * len(known):
                kept[position] = (chunk, shingles)
                break
        else:
            kept.append((chunk, shingles))
    return [chunk for chunk, _ in kept]


def _shingles(text: str) -> frozenset[tuple[str, ...]]:
    """Runs of words and marks (Broder, 1997); a text that is shorter than one is a run itself."""
    words: Sequence[str] = _WORD.findall(text.casefold())
    last = max(1, len(words) - _SHINGLE_WORDS + 1)
    return frozenset(tuple(words[at : at + _SHINGLE_WORDS]) for at in range(last))
