"""Fits a sum of small decision trees by gradient boosting, deterministically and with numpy alone.

Friedman (2001), "Greedy function approximation"; thresholds are looked for among quantiles and trees grow at their
best leaf, as in LightGBM (Ke et al. 2017).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Tree = float | list[Any]

_RIDGE = 1.0  # keeps leaves of few rows small


@dataclass(frozen=True)
class Growth:
    """How many trees of what size; ``share`` of the columns is looked at for each tree, so that trees differ."""

    trees: int = 60
    leaves: int = 8
    rate: float = 0.15
    share: float = 0.3
    bins: int = 64
    min_rows: int = 60
    seed: int = 0


@dataclass
class _Leaf:
    rows: Ints
    sums: Floats  # gradient, curvature, rows: of each column and bin
    gain: float = 0.0
    column: int = 0
    last_bin: int = 0
    children: list["_Leaf"] = field(default_factory=list)
    value: float = 0.0


def fit(
    numbers: NDArray[np.float32], labels: Floats, weights: Floats, growth: Growth
) -> tuple[float, list[Tree]]:
    """Start and trees of the log-odds that a row's label is 1. A tree is a leaf's part, or
    [column, threshold, tree of the rows up to it, tree of the others].
    """
    edges = [_edges(column, growth.bins) for column in numbers.T]
    bins = np.stack(
        [np.searchsorted(edge, column) for edge, column in zip(edges, numbers.T, strict=True)], 1
    )
    share = float(np.average(labels, weights=weights))
    start = float(np.log(share / (1 - share)))
    odds = np.full(len(labels), start)
    chooser = np.random.default_rng(growth.seed)
    trees = []
    for _ in range(growth.trees):
        usable = np.less(chooser.random(numbers.shape[1]), growth.share)
        chances = 1 / (1 + np.exp(-odds))
        slopes = weights * (chances - labels), weights * chances * (1 - chances)
        root, leaves = _grow(bins, slopes, usable, growth)
        for leaf in leaves:
            gradient, curvature = (part[leaf.rows].sum() for part in slopes)
            leaf.value = round(float(-growth.rate * gradient / (curvature + _RIDGE)), 5)
            odds[leaf.rows] += leaf.value
        trees.append(_written(root, edges))
    return start, trees


def _edges(column: NDArray[np.float32], bins: int) -> NDArray[np.float32]:
    return np.unique(np.quantile(column, np.linspace(0, 1, bins + 1)[1:-1], method="lower"))


def _grow(
    bins: Ints, slopes: tuple[Floats, Floats], usable: NDArray[np.bool_], growth: Growth
) -> tuple[_Leaf, list[_Leaf]]:
    every = np.arange(len(bins))
    root = _leaf(every, _sums(bins, slopes, every, growth), usable, growth)
    leaves = [root]
    while len(leaves) < growth.leaves:
        best = max(leaves, key=lambda leaf: leaf.gain)
        if best.gain <= 0:
            break
        low = bins[best.rows, best.column] <= best.last_bin
        parts = best.rows[low], best.rows[~low]
        small = int(len(parts[1]) < len(parts[0]))
        sums = _sums(bins, slopes, parts[small], growth)
        both = [sums, best.sums - sums] if small == 0 else [best.sums - sums, sums]
        best.children = [
            _leaf(rows, part, usable, growth) for rows, part in zip(parts, both, strict=True)
        ]
        leaves = [leaf for leaf in leaves if leaf is not best] + best.children
    return root, leaves


def _sums(bins: Ints, slopes: tuple[Floats, Floats], rows: Ints, growth: Growth) -> Floats:
    columns = bins.shape[1]
    cells = (bins[rows] + np.arange(columns) * growth.bins).ravel()
    parts = [np.repeat(part[rows], columns) for part in slopes]
    parts.append(np.ones(len(cells)))
    size = columns * growth.bins
    return np.stack(
        [np.bincount(cells, part, size).reshape(columns, growth.bins) for part in parts]
    )


def _leaf(rows: Ints, sums: Floats, usable: NDArray[np.bool_], growth: Growth) -> _Leaf:
    low = sums.cumsum(axis=2)
    total = low[:, :, -1:]
    high = total - low
    gains = _worth(low) + _worth(high) - _worth(total)
    few = np.minimum(low[2], high[2]) < growth.min_rows
    gains[few | ~usable[:, None]] = 0.0
    column, last_bin = divmod(int(gains.argmax()), growth.bins)
    return _Leaf(rows, sums, float(gains[column, last_bin]), column, last_bin)


def _worth(sums: Floats) -> Floats:
    return np.asarray(sums[0] ** 2 / (sums[1] + _RIDGE))


def _written(leaf: _Leaf, edges: Sequence[NDArray[np.float32]]) -> Tree:
    if not leaf.children:
        return leaf.value
    low, high = (_written(child, edges) for child in leaf.children)
    return [leaf.column, float(edges[leaf.column][leaf.last_bin]), low, high]
