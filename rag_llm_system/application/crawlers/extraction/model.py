"""How likely each block of a page belongs to its content: a few small decision trees, fitted on labelled pages.

Gradient boosting (Friedman 2001); ``python -m tools.fit_extraction`` writes the trees and says how they were measured.
"""

import json
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag_llm_system.application.crawlers.extraction.traits import NAMES, Numbers

TREES_FILE = "trees.json"
Tree = float | Sequence[Any]
"""A leaf's part of the sum, or (column, threshold, tree where the number is at most that, tree where it is more)."""


def chances_of(traits: Numbers) -> NDArray[np.float64]:
    """One probability for each row of traits."""
    start, trees = _trees()
    return probabilities(traits, start, trees)


def probabilities(traits: Numbers, start: float, trees: Sequence[Tree]) -> NDArray[np.float64]:
    total = np.full(len(traits), start)
    for tree in trees:
        total += _values(traits, tree)
    return np.asarray(1.0 / (1.0 + np.exp(-total)))


def _values(traits: Numbers, tree: Tree) -> NDArray[np.float64]:
    if isinstance(tree, float | int):
        return np.float64(tree) * np.ones(len(traits))
    column, threshold, low, high = tree
    part: NDArray[np.bool_] = traits[:, column] <= threshold
    return np.where(part, _values(traits, low), _values(traits, high))


@cache  # part of the code, read once
def _trees() -> tuple[float, list[Tree]]:
    model = json.loads(files(__package__).joinpath(TREES_FILE).read_text(encoding="utf-8"))
    columns = [NAMES.index(name) for name in model["names"]]
    return model["start"], [_placed(tree, columns) for tree in model["trees"]]


def _placed(tree: Tree, columns: Sequence[int]) -> Tree:
    if isinstance(tree, float | int):
        return float(tree)
    name, threshold, low, high = tree
    return columns[name], threshold, _placed(low, columns), _placed(high, columns)
