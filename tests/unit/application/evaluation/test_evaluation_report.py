import json
import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

import pytest
from asked_rows import ANSWER, film_row
from hypothesis import given
from hypothesis import strategies as st

from rag_llm_system.application.evaluation.answers.evaluate import evaluate_models
from rag_llm_system.application.evaluation.answers.intervals import (
    Measured,
    difference,
    interval,
)
from rag_llm_system.application.evaluation.answers.material import (
    EvaluationSettings,
    Material,
    draw,
)
from rag_llm_system.application.evaluation.answers.report import (
    METRICS,
    EvaluationReport,
    Score,
    scores_of,
    verdict_of,
)
from rag_llm_system.application.evaluation.answers.samples import scores_of_samples
from rag_llm_system.domain.datasets import Row, TrainingRow
from rag_llm_system.domain.errors import DataError
from rag_llm_system.domain.written_answers import ReferenceLoss, WrittenAnswer
from rag_llm_system.infrastructure.llms.scripted import ScriptedLLM

BAD = "Watch **Aliens** (1986)"
ROWS = [film_row(f"One sci-fi film, please, number {n}.") for n in range(10)]
ABSENT = film_row(
    "Do you have Brazil?",
    "Sorry, Brazil isn't in my library! Watch **Alien** (1979)!",
    kind="absent",
)


class Model:
    """Writes the same answer to all, or what a function makes of a row."""

    def __init__(
        self, name: str, answer: str | Callable[[Row], str], loss: float = 1.0, tokens: int = 10
    ) -> None:
        self.name = name
        self.answer = answer
        self.loss = loss
        self.tokens = tokens
        self.asked: list[Row] = []

    def write(self, rows: Sequence[Row], on_done: Callable[[int], None]) -> list[WrittenAnswer]:
        self.asked.extend(rows)
        on_done(len(rows))
        texts = [self.answer if isinstance(self.answer, str) else self.answer(r) for r in rows]
        return [WrittenAnswer(text=text, ended=text.endswith("!")) for text in texts]

    def losses(self, rows: Sequence[Row], on_done: Callable[[int], None]) -> list[ReferenceLoss]:
        on_done(len(rows))
        return [
            ReferenceLoss(total=self.loss * self.tokens + 0.01 * n, tokens=self.tokens)
            for n in range(len(rows))
        ]


def report_of(*models: Model, **options: object) -> EvaluationReport:
    settings = EvaluationSettings.model_validate({"rows": 8, "loss_rows": 10, **options})
    return evaluate_models(models, Material(test=[*ROWS, ABSENT]), settings)


def test_the_better_model_is_better_in_every_metric_that_was_measured():
    report = report_of(Model("base", BAD, loss=3), Model("fine-tuned", ANSWER, loss=1))

    verdicts = {c.metric: c.verdict for c in report.comparisons}
    assert {"loss", "perplexity", "grounded", "hallucinated_titles", "format"} <= verdicts.keys()
    assert {v for metric, v in verdicts.items() if metric != "refusal"} == {"better"}
    base, tuned = (scores_of(report, name) for name in ("base", "fine-tuned"))
    assert (base["grounded"].mean, tuned["grounded"].mean) == (0, 1)
    assert (base["hallucinated_titles"].mean, tuned["hallucinated_titles"].mean) == (1, 0)


def test_equal_models_are_the_same_whatever_their_scores():
    report = report_of(Model("base", ANSWER), Model("fine-tuned", ANSWER))

    assert {c.verdict for c in report.comparisons} == {"same"}
    assert {c.difference.mean for c in report.comparisons} == {0}


def test_the_model_is_compared_with_production_too():
    report = report_of(Model("base", BAD), Model("fine-tuned", ANSWER), Model("production", ANSWER))

    grounded = {c.against: c.verdict for c in report.comparisons if c.metric == "grounded"}
    assert grounded == {"base": "better", "production": "same"}


def test_every_model_is_asked_the_same_rows_in_the_same_order():
    models = [Model("base", BAD), Model("fine-tuned", ANSWER)]

    report = report_of(*models)

    assert models[0].asked == models[1].asked
    assert len(models[0].asked) == report.rows == 8


def test_another_seed_draws_other_rows():
    one, same, other = Model("base", BAD), Model("base", BAD), Model("base", BAD)

    for model, seed in ((one, 1), (same, 1), (other, 2)):
        report_of(model, rows=3, seed=seed)

    assert one.asked == same.asked
    assert one.asked != other.asked


def test_the_same_evaluation_gives_the_same_report():
    first, second = (
        report_of(Model("base", BAD), Model("fine-tuned", ANSWER)).model_dump_json()
        for _ in range(2)
    )

    assert first == second


def test_a_report_is_read_back_as_it_was_written():
    report = report_of(Model("base", BAD), Model("fine-tuned", ANSWER))

    read = EvaluationReport.model_validate_json(report.model_dump_json())

    assert read.model_dump() == report.model_dump()


def test_what_does_not_apply_is_left_out_with_its_reason():
    report = report_of(Model("fine-tuned", ANSWER))

    metrics = scores_of(report, "fine-tuned")
    assert {"citations", "memorised", "judge_style"}.isdisjoint(metrics)
    assert report.not_measured["citations"] == "no reference cites numbered sources"
    assert report.not_measured["judge_style"] == "no judge was asked"
    assert report.not_measured["memorised"] == "no training rows to ask without their context"
    assert report.not_measured.keys().isdisjoint(metrics)
    assert metrics.keys() - {m for m in metrics if "." in m} <= METRICS.keys()


def test_the_memory_probe_asks_training_rows_without_their_context():
    def recites(row: Row) -> str:
        assert isinstance(row, TrainingRow)
        return "I know nothing." if "Library" in row.messages[1].content else ANSWER

    model = Model("fine-tuned", recites)
    other = film_row(answer="Watch **Groundhog Day** (1993)!", picks=("Groundhog Day",))

    report = evaluate_models(
        [model], Material(test=[other], train=ROWS), EvaluationSettings(probes=4)
    )

    metrics = scores_of(report, "fine-tuned")
    assert (metrics["memorised"].mean, metrics["memorised.by_chance"].mean) == (1, 0)
    assert metrics["memorised"].n == 4


def test_the_loss_of_all_models_is_by_the_tokens_of_the_first():
    report = report_of(
        Model("fine-tuned", ANSWER, loss=2, tokens=10),
        Model("production", ANSWER, loss=1, tokens=20),
    )

    losses = [scores_of(report, name)["loss"].mean for name in ("fine-tuned", "production")]
    assert losses == pytest.approx([2, 2], abs=0.01)


def test_perplexity_follows_the_loss():
    metrics = scores_of(report_of(Model("base", BAD, loss=2)), "base")

    assert metrics["perplexity"].mean == pytest.approx(math.exp(metrics["loss"].mean))
    assert metrics["perplexity"].high == pytest.approx(math.exp(metrics["loss"].high))


def opinion(accuracy: int) -> str:
    grades = {"accuracy": {"score": accuracy}, "style": {"score": 2}}
    return json.dumps(grades)


def test_a_judge_grades_every_answer_of_every_model():
    llm = ScriptedLLM([*[opinion(1)] * 7, *[opinion(3)] * 7])
    models = [Model("base", BAD), Model("fine-tuned", ANSWER)]

    report = evaluate_models(models, Material(test=ROWS[:7]), EvaluationSettings(), llm=llm)

    assert scores_of(report, "base")["judge_accuracy"].mean == 0
    assert scores_of(report, "fine-tuned")["judge_accuracy"].mean == 1
    assert scores_of(report, "fine-tuned")["judge_style"].mean == 0.5
    assert "judge_accuracy" not in report.not_measured
    [verdict] = [c.verdict for c in report.comparisons if c.metric == "judge_accuracy"]
    assert verdict == "better"


def test_opinions_that_cannot_be_read_are_told_beside_the_others():
    llm = ScriptedLLM(["no", "no", opinion(3)])

    report = evaluate_models(
        [Model("base", BAD)], Material(test=ROWS[:3]), EvaluationSettings(), llm=llm
    )

    assert scores_of(report, "base")["judge_accuracy"].n == 2
    assert report.not_measured["judge_accuracy"].startswith(
        "1 of 3 opinions could not be read, such as base, answer 1"
    )


def test_without_context_answers_are_checked_against_the_document():
    row = TrainingRow(messages=ROWS[0].messages[2:], document_id="d")
    question = ROWS[0].messages[1].model_copy(update={"content": "How are vectors kept?"})
    bare = row.model_copy(update={"messages": (question, *row.messages)})
    material = Material(
        test=[bare], sources_of=lambda ids: dict.fromkeys(ids, "Vectors are kept in files.")
    )

    report = evaluate_models(
        [Model("base", "Vectors are kept in files and elephants.")], material, EvaluationSettings()
    )

    assert 0 < scores_of(report, "base")["faithfulness"].mean < 1


def test_progress_is_told_of_each_part():
    told: list[tuple[str, int]] = []

    def progress(what: str, total: int) -> AbstractContextManager[Callable[[int], None]]:
        told.append((what, total))
        return nullcontext(lambda _: None)

    evaluate_models(
        [Model("base", BAD)],
        Material(test=ROWS, train=ROWS),
        EvaluationSettings(rows=2, loss_rows=5, probes=3),
        progress=progress,
    )

    assert told == [("loss, base", 5), ("answers, base", 2), ("memory, base", 3)]


def test_samples_keep_what_each_model_answered():
    report = report_of(Model("base", BAD), Model("fine-tuned", ANSWER), samples=2)

    assert len(report.samples) == 2
    assert report.samples[0].answers == {"base": BAD, "fine-tuned": ANSWER}
    scores = scores_of_samples(report.samples, "base")
    assert scores[0]["grounded"] == 0
    assert scores_of_samples(report.samples, "fine-tuned")[0]["grounded"] == 1


def test_no_rows_are_an_error():
    with pytest.raises(DataError, match="no rows to evaluate"):
        evaluate_models([Model("base", BAD)], Material(test=()), EvaluationSettings())


def test_no_model_is_an_error():
    with pytest.raises(DataError, match="no model to evaluate"):
        evaluate_models([], Material(test=ROWS), EvaluationSettings())


@pytest.mark.parametrize(
    ("metric", "low", "high", "verdict"),
    [
        ("grounded", 0.1, 0.3, "better"),
        ("grounded", -0.3, -0.1, "worse"),
        ("grounded", -0.1, 0.3, "same"),
        ("grounded", 0, 0.3, "same"),
        ("loss", 0.1, 0.3, "worse"),
        ("hallucinated_titles", -0.3, -0.1, "better"),
    ],
)
def test_a_difference_counts_where_its_interval_lacks_zero(
    metric: str, low: float, high: float, verdict: str
):
    assert verdict_of(metric, Score(mean=(low + high) / 2, low=low, high=high, n=9), 9) == verdict


def test_a_few_rows_that_agree_prove_nothing():
    sure = Score(mean=1, low=1, high=1, n=5)

    assert verdict_of("grounded", sure, 5) == "same"
    assert verdict_of("grounded", sure, 6) == "better"


def test_rows_in_which_models_differ_are_counted():
    def right_in(rows: int) -> Model:
        return Model("fine-tuned", lambda row: ANSWER if ROWS.index(row) < rows else BAD)

    verdicts = [
        next(
            c.verdict
            for c in evaluate_models(
                [Model("base", BAD), right_in(rows)], Material(test=ROWS), EvaluationSettings()
            ).comparisons
            if c.metric == "grounded"
        )
        for rows in (5, 6)
    ]

    assert verdicts == ["same", "better"]


def test_pairs_are_told_apart_where_intervals_overlap():
    hard = {n: n / 10 for n in range(10)}
    a = {n: Measured(value + 0.05) for n, value in hard.items()}
    b = {n: Measured(value) for n, value in hard.items()}

    of_a, of_b, apart = interval(a, seed=1), interval(b, seed=1), difference(a, b, seed=1)

    assert of_a
    assert of_b
    assert apart
    assert of_a.low < of_b.high
    assert apart.low == pytest.approx(0.05)


def test_weights_make_a_share_of_titles_and_not_of_answers():
    score = interval({0: Measured(1.0, 1), 1: Measured(0.0, 3)}, seed=1)

    assert score is not None
    assert score.mean == 0.25


def test_without_a_weight_there_is_no_score():
    assert interval({}, seed=1) is None
    assert interval({0: Measured(0.0, 0.0)}, seed=1) is None
    assert difference({0: Measured(1.0)}, {1: Measured(1.0)}, seed=1) is None


@given(st.lists(st.integers(), max_size=60), st.integers(1, 20), st.integers(0, 5))
def test_drawn_rows_are_some_of_the_rows_in_their_order(rows: list[int], count: int, seed: int):
    numbered = list(enumerate(rows))

    drawn = draw(iter(numbered), count, seed)

    assert len(drawn) == min(count, len(rows))
    assert drawn == [row for row in numbered if row in drawn]
