"""How likely each block of a page belongs to its content: a few small decision trees, fitted on labelled pages.

Gradient boosting (Friedman 2001); ``python -m tools.fit_extraction`` writes the trees and says how they were measured.
"""

import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rag_llm_system.application.crawlers.extraction.traits import NAMES, Numbers

TREES_FILE = "trees.json"
Tree = float | Sequence[Any]
"""A leaf's part of the sum, or (column, threshold, tree where the number is at most that, tree where it is more)."""


class Forest(NamedTuple):
    """All nodes of all trees side by side; a leaf leads to itself, whatever the number."""

    start: float
    roots: NDArray[np.intp]
    columns: NDArray[np.intp]
    thresholds: NDArray[np.float64]
    low: NDArray[np.intp]
    high: NDArray[np.intp]
    values: NDArray[np.float64]
    depth: int


def chances_of(traits: Numbers) -> NDArray[np.float64]:
    """One probability for each row of traits."""
    return _chances(traits, _forest())


def probabilities(traits: Numbers, start: float, trees: Sequence[Tree]) -> NDArray[np.float64]:
    """The same by trees given as they are written."""
    return _chances(traits, planted(start, trees))


def planted(start: float, trees: Sequence[Tree]) -> Forest:
    """The trees as arrays: one step then goes down a level in all trees for all rows."""
    nodes: list[tuple[int, float, int, int, float]] = []
    roots, depths = zip(*(_plant(tree, nodes) for tree in trees), strict=True)
    columns, thresholds, low, high, values = zip(*nodes, strict=True)
    return Forest(
        start=start,
        roots=np.array(roots, dtype=np.intp),
        columns=np.array(columns, dtype=np.intp),
        thresholds=np.array(thresholds),
        low=np.array(low, dtype=np.intp),
        high=np.array(high, dtype=np.intp),
        values=np.array(values),
        depth=max(depths),
    )


def _plant(tree: Tree, nodes: list[tuple[int, float, int, int, float]]) -> tuple[int, int]:
    """Append a tree's nodes; the number of its root, and how many levels are below it."""
    at = len(nodes)
    if isinstance(tree, float | int):
        nodes.append((0, 0.0, at, at, float(tree)))
        return at, 0
    column, threshold, low, high = tree
    nodes.append((column, threshold, at, at, 0.0))  # its place comes before those below
    (first, one), (second, other) = _plant(low, nodes), _plant(high, nodes)
    nodes[at] = (column, threshold, first, second, 0.0)
    return at, 1 + max(one, other)


def _chances(traits: Numbers, forest: Forest) -> NDArray[np.float64]:
    rows = np.arange(len(traits))[:, np.newaxis]
    nodes = np.broadcast_to(forest.roots, (len(traits), len(forest.roots)))
    for _ in range(forest.depth):
        is_low = traits[rows, forest.columns[nodes]] <= forest.thresholds[nodes]
        nodes = np.where(is_low, forest.low[nodes], forest.high[nodes])
    total = forest.start + forest.values[nodes].sum(axis=1)
    return np.asarray(1.0 / (1.0 + np.exp(-total)))


@cache  # part of the code, read once
def _forest() -> Forest:
    model = json.loads(files(__package__).joinpath(TREES_FILE).read_text(encoding="utf-8"))
    columns = [NAMES.index(name) for name in model["names"]]
    return planted(model["start"], [_placed(tree, columns) for tree in model["trees"]])


def _placed(tree: Tree, columns: Sequence[int]) -> Tree:
    if isinstance(tree, float | int):
        return float(tree)
    name, threshold, low, high = tree
    return columns[name], threshold, _placed(low, columns), _placed(high, columns)
