"""Maximal marginal relevance: what is relevant and not yet said (Carbonell and Goldstein, 1998)."""

import re
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float64]
Similarity = Callable[[Sequence[str]], Scores]
"""Texts -> how alike each two of them are, in [0, 1]; shape (n, n)."""

_WORD = re.compile(r"\w+")


def mmr(relevance: Scores, similarity: Scores, *, diversity: float, limit: int) -> list[int]:
    """Positions in the order of choice, at most ``limit``.

    Each is the best by ``(1 - diversity) * relevance - diversity * similarity to the nearest one chosen before``, the
    first of equals; both measures should have the range [0, 1]. ``diversity`` 0 is the order of relevance.
    """
    nearest = np.zeros(len(relevance))
    open_ = np.ones(len(relevance), dtype=bool)
    chosen: list[int] = []
    while open_.any() and len(chosen) < limit:
        gain = np.where(open_, (1 - diversity) * relevance - diversity * nearest, -np.inf)
        best = int(np.argmax(gain))
        chosen.append(best)
        open_[best] = False
        nearest = np.maximum(nearest, similarity[best])
    return chosen


def word_similarity(texts: Sequence[str]) -> Scores:
    """The Jaccard coefficient of the texts' words, case aside."""
    words = [set(_WORD.findall(text.casefold())) for text in texts]
    return np.array([[_jaccard(one, other) for other in words] for one in words]).reshape(
        len(texts), len(texts)
    )


def _jaccard(one: set[str], other: set[str]) -> float:
    return len(one & other) / (len(one | other) or 1)
