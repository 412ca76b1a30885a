"""The part of the prompt that holds the facts: numbered passages within a budget."""

import math
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from rag_llm_system.application.rag.diversity import Similarity, mmr, word_similarity
from rag_llm_system.application.rag.passages import Span, cut, joined, rank, without_copies
from rag_llm_system.application.rag.prompt_templates import source_text
from rag_llm_system.domain.answers import ContextChunk

CONTEXT_TOKENS = 3000
"""Less than half of the 8K window that the documented models have: question and answer need room too."""

_CHARS_PER_TOKEN = 3.0
_SEPARATOR = "\n\n"
_BOUNDARIES = (
    re.compile(r"\n+|(?<=[.!?])[\"')\]]*\s+"),
    re.compile(r"\s+"),
)
"""Where a passage may be cut: at the end of a line or a sentence, or else of a word."""


def tokens_by_length(text: str) -> int:
    """An upper estimate for a model whose tokenizer is not at hand: English has 4.5 characters a token, code 3."""
    return math.ceil(len(text) / _CHARS_PER_TOKEN)


@dataclass(frozen=True, slots=True)
class ContextBuilder:
    """Makes of ranked chunks the passages that a prompt has room for.

    ``budget_tokens`` is what :func:`formatted` may have at most by ``count_tokens``, the lines above the sources
    included; ``window_tokens`` is what prompt and answer may have together, None for no bound. ``diversity`` in (0, 1)
    prefers passages that say something else than those before, as ``similarity`` sees it; 0 is the order of relevance.
    """

    count_tokens: Callable[[str], int] = tokens_by_length
    budget_tokens: int = CONTEXT_TOKENS
    diversity: float = 0.0
    similarity: Similarity = word_similarity
    window_tokens: int | None = None

    def build(self, chunks: Sequence[ContextChunk]) -> list[ContextChunk]:
        """Passages, numbered from 1: the best document first, those of one document in its own order.

        Copies are left out, neighbours joined. The last chunk that has no room is cut around its best window.
        """
        taken: list[ContextChunk] = []
        left = self.budget_tokens
        for chunk in self._ranked(without_copies(sorted(chunks, key=rank))):
            cost = self._cost(chunk)
            if cost > left:
                # half a sentence is better than no source, but not better than one source less
                boundaries = _BOUNDARIES[:1] if taken else _BOUNDARIES
                taken.extend(self._part(chunk, left, boundaries))
                break
            taken.append(chunk)
            left -= cost
        passages = _numbered(joined(taken))
        # a tokenizer may need more for the whole than for its parts
        while taken and self.count_tokens(formatted(passages)) > self.budget_tokens:
            taken.pop()
            passages = _numbered(joined(taken))
        return passages

    def _ranked(self, chunks: list[ContextChunk]) -> list[ContextChunk]:
        if not self.diversity or not chunks:
            return chunks
        relevance = np.array([chunk.relevance for chunk in chunks])
        order = mmr(
            (relevance - relevance.min()) / (np.ptp(relevance) or 1.0),
            self.similarity([chunk.content for chunk in chunks]),
            diversity=self.diversity,
            limit=len(chunks),
        )
        return [chunks[position] for position in order]

    def _cost(self, chunk: ContextChunk) -> int:
        return self.count_tokens(source_text(chunk) + _SEPARATOR)

    def _part(
        self, chunk: ContextChunk, left: int, boundaries: Iterable[re.Pattern[str]]
    ) -> list[ContextChunk]:
        """The most of a chunk around its best window that fits; [] where nothing does."""
        for boundary in boundaries:
            parts = [cut(chunk, span) for span in _growing(chunk.content, chunk.window, boundary)]
            if fitting := bisect_right(parts, left, key=self._cost):
                return [parts[fitting - 1]]
        return []


def formatted(passages: Sequence[ContextChunk]) -> str:
    """What a prompt shows of the passages."""
    return _SEPARATOR.join(map(source_text, passages))


def _numbered(passages: Sequence[ContextChunk]) -> list[ContextChunk]:
    return [passage.model_copy(update={"n": n}) for n, passage in enumerate(passages, start=1)]


def _growing(text: str, window: Span, boundary: re.Pattern[str]) -> Iterator[Span]:
    """Spans of whole pieces, each within the next: from the window's start to its end, then to both sides in turn."""
    ends = [m.end() for m in boundary.finditer(text) if m.end() < len(text)]
    pieces = list(pairwise([0, *ends, len(text)]))
    first = last = bisect_right(ends, window[0])
    yield pieces[first]
    while first > 0 or last < len(pieces) - 1:
        within = last < len(pieces) - 1 and pieces[last + 1][0] < window[1]
        if last < len(pieces) - 1:
            last += 1
            yield pieces[first][0], pieces[last][1]
        if first > 0 and not within:
            first -= 1
            yield pieces[first][0], pieces[last][1]
