"""Figures of one way of searching: shares of questions with a hit among the first results, and the mean rank."""

from collections.abc import Callable, Iterable, Mapping
from math import log2
from types import MappingProxyType

from rag_llm_system.application.evaluation.bootstrap import Interval, mean_interval
from tools.bench_code.figures import Answered

READ_CHARS = 8_000
"""About 2,000 tokens of context. Longer chunks have more lines to hit: what one has to read for it counts as well."""


def _within(rank: int) -> Callable[[Answered], float]:
    return lambda one: float(one.rank is not None and one.rank <= rank)


MEASURES: Mapping[str, Callable[[Answered], float]] = MappingProxyType(
    {
        "top-1": _within(1),
        "top-5": _within(5),
        "top-8": _within(8),
        "MRR": lambda one: 1 / one.rank if one.rank else 0.0,
        f"in {READ_CHARS:,} characters": lambda one: float(
            one.rank is not None and one.chars <= READ_CHARS
        ),
        # as one of a query's documents is relevant: trec_eval's measure is the discount of its rank
        "nDCG@10": lambda one: 1 / log2(one.rank + 1) if one.rank and one.rank <= 10 else 0.0,
    }
)
SHOWN = ("top-1", "top-5", "top-8", "MRR", f"in {READ_CHARS:,} characters")


def per_question(measure: str, some: Iterable[Answered]) -> dict[str, float]:
    return {f"{one.corpus}: {one.question}": MEASURES[measure](one) for one in some}


def interval(measure: str, some: Iterable[Answered], seed: int) -> Interval:
    return mean_interval(per_question(measure, some), seed=seed)
