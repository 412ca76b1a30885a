"""How certain a share or a mean over rows is: percentile intervals of the bootstrap over rows.

A metric has a value and a weight for each row; its mean is the sum of ``value * weight`` by the sum of the weights.
Rows are drawn with replacement, as often as there are rows, and the interval holds the middle 95 % of the draws' means.
Two models are compared on the same draws (the paired bootstrap): what makes a row hard is the same for both.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rag_llm_system.application.evaluation.answers.report import Score

RESAMPLES = 10_000
_TAILS = (2.5, 97.5)  # percent
_DRAWN_AT_ONCE = 1_000_000  # rows, 8 MB


class Measured(NamedTuple):
    """``weight`` is the tokens of a loss, the titles of a share of titles, else 1."""

    value: float
    weight: float = 1.0


PerRow = Mapping[int, Measured]
"""By the row's number; a row to which the metric does not apply is left out."""

Transform = Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]

_Array = npt.NDArray[np.float64]


def interval(rows: PerRow, *, seed: int, transform: Transform | None = None) -> Score | None:
    """None when nothing was measured: no row, or none with a weight. ``transform`` is applied to each mean."""
    columns = _columns(rows, sorted(rows))
    if columns is None:
        return None
    return _score(columns, None, seed, transform)


def difference(
    a: PerRow, b: PerRow, *, seed: int, transform: Transform | None = None
) -> Score | None:
    """The mean of ``a`` minus that of ``b`` over the rows that both have; None when one of them has none."""
    both = sorted(a.keys() & b.keys())
    columns, others = _columns(a, both), _columns(b, both)
    if columns is None or others is None:
        return None
    return _score(columns, others, seed, transform)


def _columns(rows: PerRow, order: list[int]) -> tuple[_Array, _Array] | None:
    """``value * weight`` and ``weight``, row by row."""
    weights = np.array([rows[n].weight for n in order], dtype=np.float64)
    if not weights.sum():
        return None
    return np.array([rows[n].value for n in order], dtype=np.float64) * weights, weights


def _score(
    columns: tuple[_Array, _Array],
    others: tuple[_Array, _Array] | None,
    seed: int,
    transform: Transform | None,
) -> Score:
    def estimate(drawn: npt.NDArray[np.intp]) -> _Array:
        means = _means(columns, drawn, transform)
        return means if others is None else means - _means(others, drawn, transform)

    n = len(columns[0])
    random = np.random.default_rng(seed)
    at_once = max(1, _DRAWN_AT_ONCE // n)
    drawn = np.concatenate(
        [
            estimate(random.integers(n, size=(min(at_once, RESAMPLES - start), n)))
            for start in range(0, RESAMPLES, at_once)
        ]
    )
    low, high = np.nanpercentile(drawn, _TAILS)  # a draw may hold no row with a weight
    return Score(mean=float(estimate(np.arange(n)[None])[0]), low=float(low), high=float(high), n=n)


def _means(
    columns: tuple[_Array, _Array], drawn: npt.NDArray[np.intp], transform: Transform | None
) -> _Array:
    sums, weights = columns[0][drawn].sum(axis=1), columns[1][drawn].sum(axis=1)
    means = np.full(len(sums), np.nan)
    np.divide(sums, weights, out=means, where=weights > 0)
    return means if transform is None else transform(means)
