"""How good one ranking is, as trec_eval and BEIR measure it.

A ranking is a list of documents, best first, each once; its order is all that counts. A query that is judged counts,
also one that found nothing, or for which there is nothing to find: its figures are 0.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import log2
from statistics import fmean
from types import MappingProxyType

Ranking = Sequence[str]

Grades = Mapping[str, int]
"""Document to relevance; what is not named, or not above 0, is not relevant."""

PerQuery = Mapping[str, float]
"""A measure of each query."""


def ndcg(ranking: Ranking, grades: Grades, depth: int = 10) -> float:
    """trec_eval's ``ndcg_cut``: the gain of the first ``depth`` documents by that of the best ranking; at most 1.

    The gain is linear: relevance / log2(rank + 1) (Järvelin and Kekäläinen 2002, with the discount from rank 1 on).
    """
    best = _gain(sorted(grades.values(), reverse=True)[:depth])
    return _gain([grades.get(document, 0) for document in ranking[:depth]]) / best if best else 0.0


def recall(ranking: Ranking, grades: Grades, depth: int) -> float:
    """trec_eval's ``recall``: the share of the relevant documents that are among the first ``depth``."""
    relevant = _relevant(grades)
    return len(relevant.intersection(ranking[:depth])) / len(relevant) if relevant else 0.0


def reciprocal_rank(ranking: Ranking, grades: Grades, depth: int = 10) -> float:
    """trec_eval's ``recip_rank`` with ``-M depth``: 1 / the rank of the first relevant document, 0 behind ``depth``."""
    relevant = _relevant(grades)
    found = (rank for rank, each in enumerate(ranking[:depth], start=1) if each in relevant)
    return 1 / next(found, float("inf"))


METRICS: Mapping[str, Callable[[Ranking, Grades], float]] = MappingProxyType(
    {
        "ndcg@10": partial(ndcg, depth=10),
        "recall@10": partial(recall, depth=10),
        "recall@100": partial(recall, depth=100),
        "mrr@10": partial(reciprocal_rank, depth=10),
    }
)
DEPTH = 100
"""How many documents of a ranking the measures look at."""


def per_query(
    metric: str, rankings: Mapping[str, Ranking], judged: Mapping[str, Grades]
) -> dict[str, float]:
    """One of :data:`METRICS` for each judged query; one without a ranking has found nothing."""
    measure = METRICS[metric]
    return {query: measure(rankings.get(query, ()), grades) for query, grades in judged.items()}


def mean(values: PerQuery) -> float:
    """Of all queries; 0 when there are none."""
    return fmean(values.values()) if values else 0.0


def _relevant(grades: Grades) -> set[str]:
    return {document for document, grade in grades.items() if grade > 0}


def _gain(relevances: Sequence[int]) -> float:
    return sum(max(grade, 0) / log2(rank + 1) for rank, grade in enumerate(relevances, start=1))
