"""A user's own words, as an answer or a prompt repeats them."""

import re
from collections.abc import Iterator, Sequence

from rag_llm_system.application.rag.retrieved_text import neutralised
from rag_llm_system.domain.films import SimilarPreference

_MARKS = re.compile(r"[*_`\[\]<>]+")
_QUOTES = re.compile(r"[\"\u201c\u201d]")


def quoted(text: str) -> str:
    """In double quotes, on one line, without marks that would be read as the answer's own."""
    plain = _QUOTES.sub("'", _MARKS.sub(" ", neutralised(text)))
    return f'"{" ".join(plain.split())}"'


def preference_lines(preferences: Sequence[SimilarPreference]) -> Iterator[str]:
    """``1. "I like sci-fi" (similarity: 0.679)``"""
    for n, one in enumerate(preferences, start=1):
        yield f"{n}. {quoted(one.text)} (similarity: {one.similarity:.3f})"
