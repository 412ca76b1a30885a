"""Fits the model and checks it on pages that it has not seen."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rag_llm_system.application.crawlers.extraction.article import content_of, read_page
from rag_llm_system.application.crawlers.extraction.model import Tree, probabilities
from rag_llm_system.application.crawlers.extraction.traits import NAMES
from tools.bench_extraction.pages import LabelledPage, Score, mean_score, score
from tools.fit_extraction.boosting import Growth, fit
from tools.fit_extraction.samples import Sample, half_of

# Larger and smaller models are within .003 of its F1.
_GROWTH = Growth()


@dataclass(frozen=True)
class Model:
    """Log-odds to start from and trees that add to them."""

    start: float
    trees: Sequence[Tree]

    def as_json(self) -> str:
        """One tree a line."""
        trees = ",\n".join(json.dumps(tree, separators=(",", ":")) for tree in self.trees)
        return f'{{"names": {json.dumps(NAMES)},\n"start": {self.start:.5f},\n"trees": [\n{trees}\n]}}\n'


def fitted(samples: Sequence[Sample]) -> Model:
    weights = np.concatenate([sample.weights for sample in samples])
    start, trees = fit(
        np.vstack([sample.traits for sample in samples]),
        np.concatenate([sample.labels for sample in samples]),
        weights / weights.mean(),
        _GROWTH,
    )
    return Model(start, trees)


def checked(samples: Sequence[Sample]) -> dict[str, list[tuple[LabelledPage, Score]]]:
    """Scores of each half's pages with the model of the other half, and of both."""
    halves = [[each for each in samples if half_of(each.page) == half] for half in (0, 1)]
    first = _scores(halves[0], fitted(halves[1]))
    second = _scores(halves[1], fitted(halves[0]))
    return {"half 0": first, "half 1": second, "all": first + second}


def _scores(samples: Sequence[Sample], model: Model) -> list[tuple[LabelledPage, Score]]:
    found = []
    for sample in samples:
        reading = read_page(sample.page.html(), sample.page.url)
        if reading is not None:
            chances = probabilities(sample.traits, model.start, model.trees)
            text = content_of(reading, chances.tolist()).text
            found.append((sample.page, score(text, sample.page.content)))
    return found


def check_line(name: str, scores: Sequence[tuple[LabelledPage, Score]]) -> str:
    mean = mean_score(each for _, each in scores)
    return f"{name:7} {len(scores):4} pages  P {mean.precision:.3f}  R {mean.recall:.3f}  F1 {mean.f1:.3f}"
