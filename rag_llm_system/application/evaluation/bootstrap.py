"""How certain a mean over queries is: percentile intervals of the bootstrap (Efron 1979).

Queries are drawn with replacement, as often as there are queries; the interval holds the middle 95 % of the means of
10,000 such draws. Two runs on the same queries are compared by the differences query by query (the paired bootstrap,
Sakai 2006), which is far sharper than comparing two intervals: what makes a query hard is the same for both.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.errors import DataError

RESAMPLES = 10_000
SEED = 7
LEVEL = 0.95

_DRAWN_AT_ONCE = 4_000_000  # queries, 32 MB


class Interval(Value):
    """The mean of a measure over queries, and the ends of its 95 % interval."""

    mean: float
    low: float
    high: float


def mean_interval(
    values: Mapping[str, float], *, resamples: int = RESAMPLES, seed: int = SEED
) -> Interval:
    """Of a measure per query. The same values and seed give the same interval, whatever the order of the queries.

    Raises DataError when there are no queries.
    """
    if not values:
        raise DataError("no query was measured; an interval needs at least one")
    ordered = np.array([values[query] for query in sorted(values)], dtype=np.float64)
    tail = 50 * (1 - LEVEL)
    low, high = np.percentile(_means(ordered, resamples, seed), (tail, 100 - tail))
    return Interval(mean=float(ordered.mean()), low=float(low), high=float(high))


def paired_difference(
    a: Mapping[str, float],
    b: Mapping[str, float],
    *,
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Interval:
    """The mean of ``a - b`` over the queries of both, which must be the same, and its interval.

    ``a`` is significantly worse than ``b`` when ``high < 0``, and better when ``low > 0``. The arguments are measures
    per query, as ``metrics.per_query`` gives them. Raises DataError when the queries differ or there are none.
    """
    if differing := sorted(a.keys() ^ b.keys()):
        raise DataError(
            f"the two runs are not of the same queries: {len(differing)} are in one alone, such as {differing[0]!r}"
        )
    return mean_interval(
        {query: a[query] - b[query] for query in a}, resamples=resamples, seed=seed
    )


def _means(values: npt.NDArray[np.float64], resamples: int, seed: int) -> npt.NDArray[np.float64]:
    """The mean of each resample, shape (resamples,)."""
    random = np.random.default_rng(seed)
    rows = max(1, _DRAWN_AT_ONCE // len(values))
    parts = [
        values[random.integers(len(values), size=(min(rows, resamples - start), len(values)))].mean(
            axis=1
        )
        for start in range(0, resamples, rows)
    ]
    return np.concatenate(parts)
