"""Reranking without another model: every token of the question looks for the nearest token of the text.

MaxSim of ColBERT (Khattab and Zaharia 2020) over the token vectors that the encoder makes on its way to one vector for
the text, each token of the question weighed by how rare it is in the index.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
import numpy.typing as npt

from rag_llm_system.domain.chunks import TokenVectors, Vectors


@dataclass(frozen=True)
class TokenRarity:
    """In how many of a sample of texts each token is."""

    texts: int
    texts_with: Counter[int]

    @classmethod
    def of(cls, texts: Iterable[npt.NDArray[np.int32]]) -> "TokenRarity":
        counted: Counter[int] = Counter()
        number = 0
        for tokens in texts:
            counted.update(set(tokens.tolist()))
            number += 1
        return cls(number, counted)

    def weights(self, tokens: npt.NDArray[np.int32]) -> Vectors:
        """Inverse document frequency as in BM25, shape (n,)."""
        known = (self.texts_with[token] for token in tokens.tolist())
        found = [log(1 + (self.texts - n + 0.5) / (n + 0.5)) for n in known]
        return np.array(found, dtype=np.float32)


def max_similarities(
    question: TokenVectors, weights: Vectors, texts: Sequence[Sequence[TokenVectors]]
) -> list[float]:
    """For each text the weighted mean, over the question's tokens, of the cosine to the nearest of its tokens.

    A text is one or several parts, and a token may find its nearest in any of them.
    """
    total = float(weights.sum())
    return [_similarity(question.vectors, weights, parts) / (total or 1.0) for parts in texts]


def _similarity(question: Vectors, weights: Vectors, parts: Sequence[TokenVectors]) -> float:
    nearest = [(part.vectors @ question.T).max(axis=0) for part in parts if len(part.tokens)]
    return float(np.max(nearest, axis=0) @ weights) if nearest else 0.0
