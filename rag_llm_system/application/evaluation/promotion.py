"""Decides whether a new model may serve: surely better where it counts, and not worse elsewhere.

"Surely" is the verdict of the evaluation: the 95 % interval of the row-by-row difference lies on one side of zero.
"""

from collections.abc import Mapping, Sequence

from pydantic import Field, field_validator

from rag_llm_system.application.evaluation.answers.report import (
    BASE,
    FINETUNED,
    METRICS,
    PRODUCTION,
    Comparison,
    EvaluationReport,
    scores_of,
)
from rag_llm_system.domain.documents import Value

DEFAULT_BETTER = ("grounded", "format", "loss")
"""Without a policy of one's own, one of these must be better, as far as they were measured."""

# each metric that did not change is "surely worse" in one of 40 evaluations, by the meaning of the interval, and a
# dozen is watched: a tolerance that nobody would notice keeps chance from refusing
_TOLERANCE = 0.02

_UNBOUNDED = frozenset({"loss", "perplexity"})
"""Not shares: a fall is measured as a share of what the other model has."""


class PromotionPolicy(Value):
    """``better``: each of these must be better; left empty, one of DEFAULT_BETTER that was measured suffices.

    ``no_worse``: these must not be surely worse by more than ``tolerance``; None means all others that were
    measured. ``tolerance`` is in the metric's own unit, of loss and perplexity a share of the other model's.
    ``fail_if_refused``: a refusal fails the run, instead of being its result.
    """

    better: Sequence[str] = ()
    no_worse: Sequence[str] | None = None
    tolerance: float = Field(_TOLERANCE, ge=0)
    fail_if_refused: bool = False

    @field_validator("better", "no_worse")
    @classmethod
    def _known_metrics(cls, names: Sequence[str] | None) -> Sequence[str] | None:
        for name in names or ():
            if name not in METRICS:
                raise ValueError(f"unknown metric {name!r}; known: {', '.join(METRICS)}")
        return names


class PromotionDecision(Value):
    """``against`` is the model it was compared with; ``reasons`` say why, ``notes`` what did not decide."""

    promoted: bool
    against: str
    reasons: Sequence[str]
    notes: Sequence[str] = ()


def decide(
    report: EvaluationReport, policy: PromotionPolicy, *, against: str | None = None
) -> PromotionDecision:
    """Compares with what serves, or with the base when nothing serves (``against``: one of the two by name).

    Against the base no regression counts but those in ``no_worse``, or else DEFAULT_BETTER: a base that says
    nothing invents no titles either, so a first model that speaks is "worse" than it in some way.
    """
    known = {c.against for c in report.comparisons if c.model == FINETUNED}
    other = against or (PRODUCTION if PRODUCTION in known else BASE)
    compared = {
        c.metric: c for c in report.comparisons if c.model == FINETUNED and c.against == other
    }
    if not compared:
        reason = f"it was not compared with the {other} model"
        return PromotionDecision(promoted=False, against=other, reasons=(reason,))
    wins, missing = _better(report, policy, compared)
    worse = _worse(report, policy, compared)
    counted = [c for c in worse if other != BASE or c.metric in (policy.no_worse or DEFAULT_BETTER)]
    notes = tuple(
        f"{told(c)}; nothing serves yet, so this is no regression"
        for c in worse
        if c not in counted
    )
    lost = (*missing, *map(told, counted))
    return PromotionDecision(promoted=not lost, against=other, reasons=lost or wins, notes=notes)


def told(comparison: Comparison) -> str:
    """``grounded is better than production's: +0.210 (95 %: +0.150 to +0.270, 60 rows)``."""
    found = comparison.difference
    how = "the same as" if comparison.verdict == "same" else f"{comparison.verdict} than"
    return (
        f"{comparison.metric} is {how} {comparison.against}'s: {found.mean:+.3f} "
        f"(95 %: {found.low:+.3f} to {found.high:+.3f}, {found.n} rows)"
    )


def _better(
    report: EvaluationReport, policy: PromotionPolicy, compared: Mapping[str, Comparison]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is better as it must be, and what of that is missing."""
    if policy.better:
        unmeasured = tuple(
            f"{name} must be better and was not measured ({report.not_measured.get(name, 'no row has it')})"
            for name in policy.better
            if name not in compared
        )
        measured = [compared[name] for name in policy.better if name in compared]
        missing = tuple(f"{told(c)}; it must be better" for c in measured if c.verdict != "better")
        wins = tuple(told(c) for c in measured if c.verdict == "better")
        return wins, (*unmeasured, *missing)
    measured = [compared[name] for name in DEFAULT_BETTER if name in compared]
    if not measured:
        return (), (f"none of {', '.join(DEFAULT_BETTER)} was measured",)
    wins = tuple(told(c) for c in measured if c.verdict == "better")
    if wins:
        return wins, ()
    return (), (f"nothing that counts is surely better: {'; '.join(map(told, measured))}",)


def _worse(
    report: EvaluationReport, policy: PromotionPolicy, compared: Mapping[str, Comparison]
) -> tuple[Comparison, ...]:
    """Surely worse by more than the tolerance; those that must be better are judged by that rule."""
    watched = set(compared if policy.no_worse is None else policy.no_worse) - set(policy.better)
    return tuple(
        c
        for metric, c in compared.items()
        if metric in watched and c.verdict == "worse" and _size(report, c) > policy.tolerance
    )


def _size(report: EvaluationReport, comparison: Comparison) -> float:
    size = abs(comparison.difference.mean)
    if comparison.metric not in _UNBOUNDED:
        return size
    score = scores_of(report, comparison.against).get(comparison.metric)
    return size / score.mean if score and score.mean else size
