"""What an evaluation of models leaves: scores with intervals, comparisons on the same rows, and samples."""

from collections.abc import Mapping, Sequence
from typing import Literal

from rag_llm_system.domain.documents import Value

BASE, FINETUNED, PRODUCTION = "base", "fine-tuned", "production"
"""The models of a report; production is the version that serves before."""

METRICS: Mapping[str, str] = {
    "loss": "mean negative log-likelihood of a token of the reference answers",
    "perplexity": "e to the power of the loss",
    "ended": "answers that end by themselves",
    "format": "answers in the form of the references: whole sentences, marks closed, titles marked",
    "style": "likeness to the style of the references",
    "grounded": "answers that name a title, and only titles of their context",
    "hallucinated_titles": "named titles that are not in the context",
    "right_picks": "answers that name as many titles as were asked for, and only ones that fit",
    "refusal": "answers that say that the library lacks what was asked for, and invent nothing",
    "memorised": "titles or phrases of training answers that are written without their context",
    "citations": "citations that exist and whose source supports the statement",
    "faithfulness": "words, numbers and names of an answer that its source has",
    "judge_accuracy": "a language model's opinion on accuracy, 1 to 3, as 0 to 1",
    "judge_style": "a language model's opinion on style, 1 to 3, as 0 to 1",
}
"""Each metric and its meaning. A part of a metric is named ``metric.part`` and is not compared."""

LOWER_IS_BETTER = frozenset({"loss", "perplexity", "hallucinated_titles", "memorised"})

MIN_DIFFERING = 6
"""Rows in which two models must differ for a verdict. The bootstrap of a few rows that agree is too sure of itself;
by the sign test, six are the fewest that can say so with 95 % certainty (2 / 2**6 = 0.03)."""

Verdict = Literal["better", "worse", "same"]


class Score(Value):
    """A mean over ``n`` rows and its 95 % bootstrap interval."""

    mean: float
    low: float
    high: float
    n: int


class ModelScores(Value):
    name: str
    metrics: Mapping[str, Score]


class Sample(Value):
    """One question and what each model answered, by the model's name."""

    question: str
    reference: str
    answers: Mapping[str, str]
    context: str = ""


class Comparison(Value):
    """``difference`` is ``model`` minus ``against`` on the same rows.

    The verdict is "same" where its interval holds zero or fewer than MIN_DIFFERING rows differ; otherwise it says what
    the difference means for ``model``.
    """

    metric: str
    model: str
    against: str
    difference: Score
    verdict: Verdict


class EvaluationReport(Value):
    """``rows`` counts those that were answered; ``not_measured`` has the reason for each metric that is left out."""

    rows: int
    seed: int
    models: Sequence[ModelScores]
    comparisons: Sequence[Comparison]
    samples: Sequence[Sample]
    not_measured: Mapping[str, str]


def verdict_of(metric: str, difference: Score, differing: int | None = None) -> Verdict:
    """What a difference says about the model that it was taken for; without ``differing``, all rows may differ."""
    rows = difference.n if differing is None else differing
    if difference.low <= 0 <= difference.high or rows < MIN_DIFFERING:
        return "same"
    return "better" if (difference.mean < 0) == (metric in LOWER_IS_BETTER) else "worse"


def scores_of(report: EvaluationReport, model: str) -> Mapping[str, Score]:
    """The metrics of one of the report's models; {} when it is not in the report."""
    return next((scores.metrics for scores in report.models if scores.name == model), {})
