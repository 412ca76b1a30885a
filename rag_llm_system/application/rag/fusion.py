"""One ranking out of two: how near a chunk is to a question in meaning, and how many of its words it has."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import NamedTuple

_RRF_RANK = 60
"""Cormack, Clarke and Büttcher 2009."""

_WORDS_WEIGHT = 0.08
"""What a word that only one chunk has is worth beside a cosine.

Ranks and normalised scores forget how much evidence there was: RRF and z-scores take the best of ten weak matches for
as good as that of ten strong ones, and a good ranking is pulled down by a bad one (nDCG@10 on code, cosqa-dev: cosine
0.602, BM25 0.392, RRF 0.531). BM25 is a sum of log odds: left unnormalised, few and common words move little, many and
rare ones much. Chosen on scifact's train split and cosqa-dev among about 0.04, 0.06, 0.08, 0.1 and 0.12: with the
reranking of ``late_interaction`` of 100 chunks, nDCG@10 was 0.749, 0.754, 0.755, 0.754, 0.752 and 0.606, 0.604, 0.604,
0.600, 0.596."""


@dataclass(frozen=True)
class Candidate:
    """A chunk that a search found. ``words`` is its BM25 score in units of the rarest word's weight, see ``rarity``."""

    chunk_id: str
    category: str
    cosine: float
    words: float
    window: int = 0


class Ranked(NamedTuple):
    """A candidate and what it is ranked by, higher is better."""

    candidate: Candidate
    relevance: float


def rarity(chunks: int) -> float:
    """The weight of a word that one of so many chunks has: BM25 scores of collections of any size compare by it."""
    return log(1 + (chunks - 0.5) / 1.5) if chunks > 1 else 1.0


def by_evidence(found: Sequence[Candidate]) -> list[float]:
    return [one.cosine + _WORDS_WEIGHT * one.words for one in found]


def by_reciprocal_rank(found: Sequence[Candidate]) -> list[float]:
    """Reciprocal rank fusion; a chunk without any of the words has no rank among those that have some."""
    scores = dict.fromkeys((one.chunk_id for one in found), 0.0)
    near = sorted(found, key=lambda one: (-one.cosine, one.chunk_id))
    worded = sorted((one for one in found if one.words), key=lambda one: (-one.words, one.chunk_id))
    for ranking in (near, worded):
        for rank, one in enumerate(ranking, start=1):
            scores[one.chunk_id] += 1 / (_RRF_RANK + rank)
    return [scores[one.chunk_id] for one in found]


Fusion = Callable[[Sequence[Candidate]], list[float]]

FUSIONS: Mapping[str, Fusion] = {
    "dense": lambda found: [one.cosine for one in found],
    "bm25": lambda found: [one.words for one in found],
    "rrf": by_reciprocal_rank,
    "evidence": by_evidence,
}
"""By ``Stages.ranking``: one score per candidate, higher is better."""
