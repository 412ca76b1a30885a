"""From measured rows to scores and comparisons."""

from collections.abc import Mapping, Sequence

import numpy as np

from rag_llm_system.application.evaluation.answers.intervals import (
    PerRow,
    Transform,
    difference,
    interval,
)
from rag_llm_system.application.evaluation.answers.report import (
    FINETUNED,
    METRICS,
    Comparison,
    ModelScores,
    Score,
    verdict_of,
)

RowsOfModels = Mapping[str, Mapping[str, PerRow]]
"""Measured rows by model and metric."""

_DERIVED: Mapping[str, tuple[str, Transform]] = {"perplexity": ("loss", np.exp)}


def scored(models: RowsOfModels, *, seed: int) -> list[ModelScores]:
    """Each metric that has something measured, in the order of METRICS, parts behind their metric."""
    return [ModelScores(name=name, metrics=_scores(rows, seed)) for name, rows in models.items()]


def compared(models: RowsOfModels, *, seed: int) -> list[Comparison]:
    """The fine-tuned model with each of the others, metric by metric, on the rows that both were measured on."""
    own = models.get(FINETUNED, {})
    return [
        comparison
        for against, rows in models.items()
        if against != FINETUNED
        for metric in METRICS
        if (comparison := _comparison(metric, own, rows, against=against, seed=seed))
    ]


def _comparison(
    metric: str,
    own: Mapping[str, PerRow],
    others: Mapping[str, PerRow],
    *,
    against: str,
    seed: int,
) -> Comparison | None:
    """None where one of the two was not measured."""
    source, transform = _DERIVED.get(metric, (metric, None))
    a, b = own.get(source, {}), others.get(source, {})
    change = difference(a, b, seed=seed, transform=transform)
    if change is None:
        return None
    differing = sum(a[n] != b[n] for n in a.keys() & b.keys())
    return Comparison(
        metric=metric,
        model=FINETUNED,
        against=against,
        difference=change,
        verdict=verdict_of(metric, change, differing),
    )


def _scores(rows: Mapping[str, PerRow], seed: int) -> Mapping[str, Score]:
    scores: dict[str, Score] = {}
    for metric in _ordered(rows):
        source, transform = _DERIVED.get(metric, (metric, None))
        score = interval(rows[source], seed=seed, transform=transform)
        if score is not None:
            scores[metric] = score
    return scores


def _ordered(rows: Mapping[str, PerRow]) -> Sequence[str]:
    names = [*rows, *(name for name, (source, _) in _DERIVED.items() if source in rows)]
    order = list(METRICS)
    return sorted(names, key=lambda name: (order.index(name.partition(".")[0]), name))
