"""nDCG as trec_eval and BEIR compute it."""

from collections.abc import Mapping, Sequence
from math import log2
from statistics import fmean

Grades = Mapping[str, int]
"""Document to relevance; what is not named, or not above 0, is not relevant."""


def ndcg(ranked: Sequence[str], grades: Grades, depth: int = 10) -> float:
    """Of one query: the gain of the ranking's first ``depth`` documents by that of the best ranking; at most 1.

    The gain is linear: relevance / log2(rank + 1). 0 where nothing is relevant.
    """
    best = _gain(sorted(grades.values(), reverse=True)[:depth])
    return _gain([grades.get(document, 0) for document in ranked[:depth]]) / best if best else 0.0


def mean_ndcg(
    rankings: Mapping[str, Sequence[str]], grades: Mapping[str, Grades], depth: int = 10
) -> float:
    """Over the queries that have a relevant document; a query without a ranking has found nothing."""
    judged = [query for query, of_query in grades.items() if any(g > 0 for g in of_query.values())]
    return fmean(ndcg(rankings.get(query, ()), grades[query], depth) for query in judged)


def _gain(relevances: Sequence[int]) -> float:
    return sum(max(grade, 0) / log2(rank + 1) for rank, grade in enumerate(relevances, start=1))
