"""Runs all extractors on all pages, in alternating order, in one process."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tools.bench_extraction.contenders import Extractor
from tools.bench_extraction.pages import LabelledPage, Score, mean_score, score

Floats = NDArray[np.float64]

_DRAWS = 5_000
_SEED = 20_250_101  # of the draws; the interval's ends move by less than .001 with it


@dataclass
class Result:
    """What one extractor made of the pages, in their order."""

    name: str
    scores: list[Score] = field(default_factory=list)
    empty: int = 0
    cpu_s: float = 0.0
    errors: list[str] = field(default_factory=list)


def race(pages: Sequence[LabelledPage], extractors: Mapping[str, Extractor]) -> list[Result]:
    """A page in error counts as an empty text, and its error is kept."""
    results = {name: Result(name) for name in extractors}
    names = [*extractors]
    for name in names:  # what is loaded with the first page is not counted
        _run(Result(name), extractors[name], pages[0], pages[0].html())
    for done, page in enumerate(pages, start=1):
        html = page.html()
        turn = done % len(names)
        for name in names[turn:] + names[:turn]:
            _run(results[name], extractors[name], page, html)
    return [*results.values()]


def _run(result: Result, extractor: Extractor, page: LabelledPage, html: str) -> None:
    started = time.process_time()
    try:
        text = extractor(html, page.url)
    except Exception as error:  # noqa: BLE001 - an extractor's errors are one of its figures
        text = ""
        result.errors.append(f"{page.id}: {type(error).__name__}: {error}")
    result.cpu_s += time.process_time() - started
    result.empty += not text.strip()
    result.scores.append(score(text, page.content))


def ahead_of(result: Result, reference: Result) -> tuple[float, float, float]:
    """F1 minus the reference's, and its 95 % interval by a paired bootstrap over pages."""
    ours, theirs = _table(result.scores), _table(reference.scores)
    chooser = np.random.default_rng(_SEED)
    drawn = chooser.integers(0, len(ours), size=(_DRAWS, len(ours)))
    gaps = _f1(ours[drawn].mean(axis=1)) - _f1(theirs[drawn].mean(axis=1))
    low, high = np.quantile(gaps, (0.025, 0.975))
    return mean_score(result.scores).f1 - mean_score(reference.scores).f1, float(low), float(high)


def _table(scores: Sequence[Score]) -> Floats:
    return np.array([(each.precision, each.recall) for each in scores])


def _f1(means: Floats) -> Floats:
    return np.asarray(2 * means.prod(axis=1) / np.maximum(means.sum(axis=1), 1e-12))
