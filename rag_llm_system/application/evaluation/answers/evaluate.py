"""The use case: every model answers the same unseen rows, and the answers are scored and compared."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol, TypeVar

from rag_llm_system.application.evaluation.answers import memorisation, scoring
from rag_llm_system.application.evaluation.answers.asked import Asked
from rag_llm_system.application.evaluation.answers.intervals import Measured, PerRow
from rag_llm_system.application.evaluation.answers.judge import judge
from rag_llm_system.application.evaluation.answers.material import (
    Drawn,
    EvaluationSettings,
    Material,
    drawn_from,
)
from rag_llm_system.application.evaluation.answers.report import EvaluationReport, Sample
from rag_llm_system.application.evaluation.answers.reporting import compared, scored
from rag_llm_system.domain.datasets import Row
from rag_llm_system.domain.errors import DataError
from rag_llm_system.domain.ports import LLM
from rag_llm_system.domain.written_answers import ReferenceLoss, WrittenAnswer

Item = TypeVar("Item")
OnDone = Callable[[int], None]
Progress = Callable[[str, int], AbstractContextManager[OnDone]]
"""Of something of which there is so much: gives what is to be told how many more are done."""

Answers = Mapping[str, Sequence[WrittenAnswer]]
"""By the name of the model."""


class AnswerModel(Protocol):
    """A model that is measured; it may be in memory only while it is asked."""

    @property
    def name(self) -> str: ...

    def write(self, rows: Sequence[Row], on_done: OnDone) -> Sequence[WrittenAnswer]:
        """An answer to the last question of each row."""

    def losses(self, rows: Sequence[Row], on_done: OnDone) -> Sequence[ReferenceLoss]: ...


@contextmanager
def untold(what: str, total: int) -> Iterator[OnDone]:  # noqa: ARG001 - a Progress
    """Progress that nobody watches."""
    yield lambda _: None


def evaluate_models(
    models: Iterable[AnswerModel],
    material: Material,
    settings: EvaluationSettings,
    *,
    llm: LLM | None = None,
    progress: Progress = untold,
) -> EvaluationReport:
    """Asks one model after the other, as they come; ``llm`` judges the answers when there is one.

    Raises DataError when there are no rows, or no model.
    """
    drawn = drawn_from(material, settings)
    measured: dict[str, dict[str, PerRow]] = {}
    answers: dict[str, Sequence[WrittenAnswer]] = {}
    tokens: Sequence[int] = ()
    for model in models:
        losses = _told(progress, f"loss, {model.name}", drawn.read, model.losses)
        # one count for all models: another tokenizer cuts the same text into other tokens
        tokens = tokens or [loss.tokens for loss in losses]
        answers[model.name] = _told(progress, f"answers, {model.name}", drawn.answered, model.write)
        measured[model.name] = {
            "loss": _losses(losses, tokens),
            **scoring.of_answers(answers[model.name], drawn.scene),
            **_memorised(model, drawn, progress),
        }
    if not measured:
        raise DataError("no model to evaluate; name a folder that a training left, or train one")
    missing = _reasons(drawn, judged=llm is not None)
    if llm:
        missing |= _judge(llm, drawn.scene.rows, answers, measured, progress)
    return _report(drawn, measured, answers, missing, settings)


def _report(
    drawn: Drawn,
    measured: Mapping[str, Mapping[str, PerRow]],
    answers: Answers,
    missing: Mapping[str, str],
    settings: EvaluationSettings,
) -> EvaluationReport:
    scores = scored(measured, seed=settings.seed)
    complete = {name for model in scores for name in model.metrics} & scoring.NEEDS.keys()
    return EvaluationReport(
        rows=len(drawn.answered),
        seed=settings.seed,
        models=scores,
        comparisons=compared(measured, seed=settings.seed),
        samples=_samples(drawn.scene.rows, answers, settings.samples),
        not_measured={name: why for name, why in missing.items() if name not in complete},
    )


def _told(
    progress: Progress,
    what: str,
    rows: Sequence[Row],
    act: Callable[[Sequence[Row], OnDone], Sequence[Item]],
) -> Sequence[Item]:
    with progress(what, len(rows)) as on_done:
        return act(rows, on_done)


def _losses(losses: Sequence[ReferenceLoss], tokens: Sequence[int]) -> PerRow:
    return {
        n: Measured(loss.total / count, count)
        for n, (loss, count) in enumerate(zip(losses, tokens, strict=True))
    }


def _memorised(model: AnswerModel, drawn: Drawn, progress: Progress) -> Mapping[str, PerRow]:
    if not drawn.probed:
        return {}
    written = _told(progress, f"memory, {model.name}", drawn.probed, model.write)
    pairs = list(enumerate(zip(written, drawn.probes, strict=True)))
    return {
        "memorised": {n: memorisation.memorised(a.text, probe) for n, (a, probe) in pairs},
        "memorised.by_chance": {
            n: memorisation.by_chance(a.text, probe) for n, (a, probe) in pairs
        },
    }


def _judge(
    llm: LLM,
    rows: Sequence[Asked],
    answers: Answers,
    measured: Mapping[str, dict[str, PerRow]],
    progress: Progress,
) -> dict[str, str]:
    """Adds the opinions to what was measured; what is missing of them, by metric."""
    failures: list[str] = []
    for model, written in answers.items():
        texts = [answer.text for answer in written]
        with progress(f"judge, {model}", len(rows)) as on_done:
            judged = judge(llm, list(zip(rows, texts, strict=True)), on_done)
        given = {n: opinion for n, opinion in enumerate(judged.opinions) if opinion}
        measured[model]["judge_accuracy"] = {
            n: Measured(opinion.accuracy.share) for n, opinion in given.items()
        }
        measured[model]["judge_style"] = {
            n: Measured(opinion.style.share) for n, opinion in given.items()
        }
        failures += [f"{model}, {failure}" for failure in judged.failures]
    if not failures:
        return {}
    count = f"{len(failures)} of {len(rows) * len(answers)} opinions"
    reason = f"{count} could not be read, such as {failures[0]}"
    return dict.fromkeys(_OPINIONS, reason)


_OPINIONS = ("judge_accuracy", "judge_style")


def _reasons(drawn: Drawn, *, judged: bool) -> dict[str, str]:
    """Why a metric may have nothing to measure; those that have are taken out later."""
    reasons = {**scoring.NEEDS}
    if not drawn.probed:
        reasons["memorised"] = "no training rows to ask without their context"
    if not judged:
        reasons |= dict.fromkeys(_OPINIONS, "no judge was asked")
    return reasons


def _samples(rows: Sequence[Asked], answers: Answers, count: int) -> list[Sample]:
    return [
        Sample(
            question=row.question,
            reference=row.reference,
            answers={model: written[n].text for model, written in answers.items()},
            context=row.context,
        )
        for n, row in enumerate(rows[:count])
    ]
