"""What the gate is told and what it says: thresholds, figures, questions and the verdict."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, field_validator

from rag_llm_system.domain.documents import Value

MEASURES = ("recall@10", "mrr@10", "ndcg@10")


class GateConfig(Value):
    """``configs/retrieval_gate.yaml``. ``floors``: way of searching to measure to the least mean."""

    questions: int = Field(100, ge=1)
    min_questions: int = Field(20, ge=1)
    seed: int = 7
    max_regression: float = Field(0.02, ge=0)
    floors: Mapping[str, Mapping[str, float]] = {}

    @field_validator("floors")
    @classmethod
    def _known_measures(
        cls, floors: Mapping[str, Mapping[str, float]]
    ) -> Mapping[str, Mapping[str, float]]:
        for measure in (measure for of_way in floors.values() for measure in of_way):
            if measure not in MEASURES:
                raise ValueError(f"unknown measure {measure!r}; known: {', '.join(MEASURES)}")
        return floors


class Figure(Value):
    """One measure of one way of searching; differences are to the index in use, over the ``compared`` questions."""

    way: str
    measure: str
    mean: float
    floor: float | None = None
    compared: int = 0
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    verdict: Literal["good", "too low", "worse"] = "good"

    @property
    def told(self) -> str:
        """Why it is not good."""
        name = f"{self.measure} by {self.way}"
        if self.verdict == "too low" or self.difference is None:
            return f"{name} is {self.mean:.3f}, at least {self.floor} is wanted"
        return (
            f"{name} fell by {-self.difference:.3f} (95 %: {-(self.high or 0):.3f} to "
            f"{-(self.low or 0):.3f}) over {self.compared} questions, to {self.mean:.3f}"
        )


class Asked(Value):
    """One question: the rank of its document, 0 for none of the first ten, and what came first instead."""

    question: str
    expected: str
    kind: str
    way: str
    rank: int
    rank_before: int | None = None
    first: str = ""

    @property
    def reciprocal_rank(self) -> float:
        return _reciprocal(self.rank)

    @property
    def loss(self) -> float:
        """Of reciprocal rank; negative for a gain."""
        if self.rank_before is None:
            return 0.0
        return _reciprocal(self.rank_before) - self.reciprocal_rank


class GateReport(Value):
    """``passed``, why not, and every question; ``worse`` are those that lost most, by the link expected."""

    passed: bool
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    worse: tuple[Asked, ...] = ()
    questions: tuple[Asked, ...] = ()


def _reciprocal(rank: int) -> float:
    return 1 / rank if rank else 0.0
