"""The part of a passage that a reader is shown: what says most about the question, word for word."""

import re
from collections.abc import Iterator
from itertools import pairwise

from rag_llm_system.application.preprocessing.terms import content_words
from rag_llm_system.domain.answers import ContextChunk

QUOTE_CHARS = 300

_PIECE_END = re.compile(r"\n+|(?<=[.!?])[\"')\]]*\s+")
_WORD_END = re.compile(r"\s+")

_IN_WINDOW, _LENGTH = 0.5, 0.3
"""What it counts for, beside 1 for each word of the question, that a quote lies in the window which the encoder found
best, and that it is as long as a sentence: both together are less than a word."""

_GOOD_CHARS = 120


def shown_quote(question: str, passage: ContextChunk) -> str:
    """Whole sentences or lines, at most 300 characters, with every run of white space as one blank.

    They share most words with the question; of equals those in the window that matched best, then the first ones.
    """
    asked = content_words(question)
    pieces = [
        (start, end, len(" ".join(text.split())), asked & content_words(text))
        for start, end in _pieces(passage.content)
        if (text := passage.content[start:end]).strip()
    ]
    best, best_score = (0, 0), -1.0
    for first, (start, *_) in enumerate(pieces):
        words: set[str] = set()
        chars = -1
        for _, end, more_chars, more in pieces[first:]:
            chars += 1 + more_chars
            if chars > QUOTE_CHARS:
                break
            words |= more
            inside = _share_inside((start, end), passage.window)
            score = len(words) + _IN_WINDOW * inside + _LENGTH * _is_well_long(chars)
            if score > best_score:
                best, best_score = (start, end), score
    return " ".join(passage.content[slice(*best)].split())


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """Spans of sentences and lines; one that is too long to be shown is taken apart between words."""
    for start, end in _spans(text, _PIECE_END, 0, len(text)):
        if end - start <= QUOTE_CHARS:
            yield start, end
            continue
        at = start
        for _, word_end in _spans(text, _WORD_END, start, end):
            if word_end - at > QUOTE_CHARS and at < word_end:
                yield at, min(word_end, at + QUOTE_CHARS)
                at = word_end
        yield at, end


def _spans(text: str, boundary: re.Pattern[str], start: int, end: int) -> Iterator[tuple[int, int]]:
    ends = [found.end() for found in boundary.finditer(text, start, end)]
    return pairwise([start, *(at for at in ends if at < end), end])


def _share_inside(span: tuple[int, int], window: tuple[int, int]) -> float:
    """How much of the span lies in the window, from 0 to 1."""
    shared = min(span[1], window[1]) - max(span[0], window[0])
    return max(0, shared) / max(1, span[1] - span[0])


def _is_well_long(chars: int) -> float:
    """1 for a sentence, towards 0 for a word and for a whole paragraph."""
    if chars <= _GOOD_CHARS:
        return chars / _GOOD_CHARS
    return 1 - (chars - _GOOD_CHARS) / (QUOTE_CHARS - _GOOD_CHARS)
