"""A new model is let through when it is surely better where it counts, and not worse elsewhere."""

import pytest
from pydantic import ValidationError

from rag_llm_system.application.evaluation.answers.report import (
    LOWER_IS_BETTER,
    METRICS,
    Comparison,
    EvaluationReport,
    ModelScores,
    Score,
    Verdict,
)
from rag_llm_system.application.evaluation.promotion import (
    DEFAULT_BETTER,
    PromotionPolicy,
    decide,
)

DEFAULT = PromotionPolicy()


def compared(metric: str, verdict: Verdict, against: str, by: float = 0.1) -> Comparison:
    good = {"better": by, "same": 0.0, "worse": -by}[verdict]
    mean = -good if metric in LOWER_IS_BETTER else good
    return Comparison(
        metric=metric,
        model="fine-tuned",
        against=against,
        difference=Score(mean=mean, low=mean - 0.05, high=mean + 0.05, n=60),
        verdict=verdict,
    )


def report(*comparisons: Comparison, **not_measured: str) -> EvaluationReport:
    scores = {c.metric: Score(mean=2.0, low=1.9, high=2.1, n=60) for c in comparisons}
    names = ("base", "fine-tuned", "production")
    return EvaluationReport(
        rows=60,
        seed=7,
        models=tuple(ModelScores(name=name, metrics=scores) for name in names),
        comparisons=comparisons,
        samples=(),
        not_measured=not_measured,
    )


def against_production(**verdicts: Verdict) -> EvaluationReport:
    return report(
        *(compared(metric, verdict, "production") for metric, verdict in verdicts.items())
    )


def against_base(**verdicts: Verdict) -> EvaluationReport:
    return report(*(compared(metric, verdict, "base") for metric, verdict in verdicts.items()))


def test_better_in_one_metric_that_counts_and_worse_in_none_is_promoted() -> None:
    decision = decide(against_production(loss="better", format="same", style="same"), DEFAULT)
    assert decision.promoted
    assert decision.against == "production"
    assert decision.reasons == (
        "loss is better than production's: -0.100 (95 %: -0.150 to -0.050, 60 rows)",
    )


def test_within_the_interval_is_not_better() -> None:
    decision = decide(against_production(loss="same", grounded="same"), DEFAULT)
    assert not decision.promoted
    assert "nothing that counts is surely better" in decision.reasons[0]


def test_better_in_a_metric_that_does_not_count_alone_is_refused() -> None:
    decision = decide(against_production(loss="same", style="better"), DEFAULT)
    assert not decision.promoted


def test_a_regression_refuses_however_good_the_rest_is() -> None:
    decision = decide(
        against_production(loss="better", grounded="better", hallucinated_titles="worse"), DEFAULT
    )
    assert not decision.promoted
    assert decision.reasons == (
        "hallucinated_titles is worse than production's: +0.100 (95 %: +0.050 to +0.150, 60 rows)",
    )


def test_a_regression_within_the_tolerance_is_forgiven() -> None:
    found = report(
        compared("grounded", "better", "production"),
        compared("style", "worse", "production", by=0.02),
    )
    assert not decide(found, PromotionPolicy(tolerance=0.0)).promoted
    assert decide(found, PromotionPolicy(tolerance=0.03)).promoted


def test_the_tolerance_of_a_loss_is_a_share_of_the_other_loss() -> None:
    # 0.1 of a loss of 2.0 is 5 %
    found = report(
        compared("grounded", "better", "production"), compared("loss", "worse", "production")
    )
    assert not decide(found, PromotionPolicy(tolerance=0.04)).promoted
    assert decide(found, PromotionPolicy(tolerance=0.06)).promoted


def test_each_metric_of_a_policy_must_be_better() -> None:
    policy = PromotionPolicy(better=("grounded", "format"))
    both = against_production(grounded="better", format="better", loss="same")
    one = against_production(grounded="better", format="same", loss="better")
    assert decide(both, policy).promoted
    assert decide(one, policy).reasons == (
        "format is the same as production's: +0.000 (95 %: -0.050 to +0.050, 60 rows); it must be better",
    )


def test_a_metric_that_must_be_better_has_no_tolerance() -> None:
    policy = PromotionPolicy(better=("grounded",), tolerance=1.0)
    assert not decide(against_production(grounded="worse", loss="better"), policy).promoted


def test_a_metric_that_must_be_better_and_was_not_measured_refuses_with_the_reason() -> None:
    found = report(compared("loss", "better", "production"), grounded="the rows have no context")
    decision = decide(found, PromotionPolicy(better=("grounded",)))
    assert not decision.promoted
    assert decision.reasons == (
        "grounded must be better and was not measured (the rows have no context)",
    )


def test_only_the_named_metrics_are_watched_for_regressions_when_there_are_some() -> None:
    found = against_production(loss="better", style="worse", refusal="worse")
    assert decide(found, PromotionPolicy(no_worse=("citations",))).promoted
    assert not decide(found, PromotionPolicy(no_worse=("style",))).promoted


def test_while_nothing_serves_it_must_be_better_than_its_base() -> None:
    decision = decide(against_base(loss="better"), DEFAULT)
    assert (decision.promoted, decision.against) == (True, "base")
    assert not decide(against_base(loss="same"), DEFAULT).promoted
    assert not decide(against_base(loss="worse", format="better"), DEFAULT).promoted


def test_what_a_silent_base_cannot_do_wrong_is_no_regression_but_is_told() -> None:
    decision = decide(against_base(loss="better", hallucinated_titles="worse"), DEFAULT)
    assert decision.promoted
    assert decision.notes == (
        "hallucinated_titles is worse than base's: +0.100 (95 %: +0.050 to +0.150, 60 rows); "
        "nothing serves yet, so this is no regression",
    )


def test_what_a_policy_names_counts_against_the_base_too() -> None:
    found = against_base(loss="better", hallucinated_titles="worse")
    assert not decide(found, PromotionPolicy(no_worse=("hallucinated_titles",))).promoted


def test_the_comparison_with_the_base_does_not_decide_once_a_model_serves() -> None:
    found = report(compared("loss", "better", "base"), compared("loss", "same", "production"))
    assert not decide(found, DEFAULT).promoted
    assert decide(found, DEFAULT, against="base").promoted


def test_without_a_comparison_nothing_is_promoted() -> None:
    assert decide(report(), DEFAULT).reasons == ("it was not compared with the base model",)
    assert not decide(against_base(loss="better"), DEFAULT, against="production").promoted
    assert decide(against_base(style="better"), DEFAULT).reasons == (
        "none of grounded, format, loss was measured",
    )


def test_an_unknown_metric_in_a_policy_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValidationError, match="unknown metric 'grounding'; known: loss"):
        PromotionPolicy(better=("grounding",))


def test_what_must_be_better_by_default_are_metrics_of_the_evaluation() -> None:
    assert set(METRICS) >= set(DEFAULT_BETTER)
