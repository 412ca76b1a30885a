"""An answer without a language model: the sentences of the sources that come closest to the question."""

import re
from collections.abc import Iterator, Sequence

from rag_llm_system.application.preprocessing.chunking_data_handlers import windows
from rag_llm_system.application.preprocessing.cleaning_data_handlers import code_or_prose
from rag_llm_system.domain.answers import ContextChunk
from rag_llm_system.domain.ports import Embedder

_SENTENCES = 3
_CANDIDATE_CHUNKS = 5
_MIN_CHARS, _MAX_CHARS = 25, 500
_SENTENCE_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]*[A-Z0-9`*])")
_KEEP_SHARE = 0.7
"""Of the best sentence's cosine: what falls below says less about the question than it distracts."""

_MARKDOWN = re.compile(r"^\s*(?:#{1,6}|[-*+]|\d+[.)]|>)\s+|\*\*|__")

PREAMBLE = "From the sources, word for word:"
"""Tells the reader that nothing here was written by a model."""


class ExtractiveWriter:
    """Quotes up to three sentences, each with its source, in the order of the sources."""

    model_id = "extractive"

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    def write(self, question: str, chunks: Sequence[ContextChunk]) -> Iterator[str]:
        """Pieces of the answer; nothing when no source has a quotable sentence."""
        candidates = [
            (chunk.n, sentence)
            for chunk in chunks[:_CANDIDATE_CHUNKS]
            for sentence in sentences(chunk.content)
        ]
        if not candidates:
            return
        yield PREAMBLE
        for n, sentence in self._closest(question, candidates):
            yield f"\n- {sentence} [{n}]"

    def _closest(
        self, question: str, candidates: Sequence[tuple[int, str]]
    ) -> list[tuple[int, str]]:
        texts = [self._readable(text) for text in (question, *(s for _, s in candidates))]
        vectors = self._embedder.embed(texts)
        scores = vectors[1:] @ vectors[0]
        ranked = sorted(range(len(candidates)), key=lambda i: (-float(scores[i]), i))
        picked: dict[str, int] = {}
        for position in ranked:
            if scores[position] >= _KEEP_SHARE * scores[ranked[0]]:
                picked.setdefault(candidates[position][1].casefold(), position)
            if len(picked) == _SENTENCES:
                break
        return [candidates[position] for position in sorted(picked.values())]

    def _readable(self, text: str) -> str:
        """The part of a text that the encoder can read; only a monstrous sentence is longer."""
        limit = self._embedder.max_tokens
        start, end = windows(text, limit, 0, self._embedder.token_spans)[0]
        return text[start:end]


def sentences(text: str) -> list[str]:
    """Whole sentences of the prose, without Markdown and comment marks; code is not quoted."""
    paragraphs: list[list[str]] = [[]]
    for is_code, line in code_or_prose(text):
        if is_code or not line.strip() or line.lstrip().startswith(("#", "|")):
            paragraphs.append([])
        elif _MARKDOWN.match(line) and line.lstrip()[:2] != "**":
            paragraphs.append([line])
        else:
            paragraphs[-1].append(line)
    found = (
        _MARKDOWN.sub("", sentence).strip(" \t\"'#")
        for lines in paragraphs
        for sentence in _SENTENCE_END.split(" ".join(map(str.strip, lines)))
    )
    return [s for s in found if _MIN_CHARS <= len(s) <= _MAX_CHARS and s.endswith((".", "!", "?"))]
