"""A question as the encoder sees it."""

from dataclasses import dataclass, replace

import numpy as np

from rag_llm_system.application.preprocessing.chunking_data_handlers import windows
from rag_llm_system.domain.chunks import TokenVectors, Vectors
from rag_llm_system.domain.ports import Embedder, TokenEmbedder

_FEEDBACK = 0.5
"""The share of what was found, in Rocchio's method (1971), beside the question's 1."""


@dataclass(frozen=True)
class Question:
    """``vector`` has length 1; ``tokens`` is None where nobody needs it."""

    text: str
    vector: Vectors
    tokens: TokenVectors | None = None

    def nearer_to(self, vectors: Vectors) -> "Question":
        """Moved towards the mean of vectors, shape (n, dimension), that probably belong to answers."""
        return replace(self, vector=_unit(self.vector + _FEEDBACK * _unit(vectors.mean(axis=0))))

    def with_variations(self, vectors: Vectors) -> "Question":
        """The mean of the question and of other ways to put it, shape (n, dimension)."""
        return replace(self, vector=_unit(np.vstack([self.vector, vectors]).mean(axis=0)))


def encoded(text: str, embedder: Embedder, *, with_tokens: bool) -> Question:
    """A question longer than the encoder's window is read as the mean of its windows."""
    spans = windows(text, embedder.max_tokens, 0, embedder.token_spans)
    parts = [text[start:end] for start, end in spans]
    if not (with_tokens and isinstance(embedder, TokenEmbedder)):
        vectors = embedder.embed(parts, role="query")
        return Question(text, _unit(vectors.mean(axis=0)))
    vectors, of_parts = embedder.embed_with_tokens(parts, role="query")
    tokens = TokenVectors(
        np.concatenate([part.tokens for part in of_parts]),
        np.concatenate([part.vectors for part in of_parts]),
    )
    return Question(text, _unit(vectors.mean(axis=0)), tokens)


def _unit(vector: Vectors) -> Vectors:
    return (vector / ((vector @ vector) ** 0.5 or 1.0)).astype(np.float32)
