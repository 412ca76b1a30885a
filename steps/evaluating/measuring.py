"""Runs an evaluation of a trained folder, for the step that is one and for the end of a training."""

from collections.abc import Iterable, Mapping

from rag_llm_system.application.evaluation.answers.evaluate import evaluate_models
from rag_llm_system.application.evaluation.answers.fields import titles_from_context
from rag_llm_system.application.evaluation.answers.material import EvaluationSettings, Material
from rag_llm_system.application.evaluation.answers.report import EvaluationReport
from rag_llm_system.application.indexing import cleaned_documents
from rag_llm_system.bootstrap import System
from rag_llm_system.domain.datasets import Row
from rag_llm_system.domain.errors import ConfigurationError, UnknownName
from rag_llm_system.domain.ports import LLM
from steps.evaluating.target import Target
from steps.progress import progress, say
from steps.session import current_system


def measure(
    target: Target,
    test: Iterable[Row],
    train: Iterable[Row],
    settings: EvaluationSettings,
    *,
    answering: Mapping[str, int],
    judge: bool,
    grounded_decoding: bool = False,
) -> EvaluationReport:
    """Base, fine-tuned model and the one that serves; ``answering`` is an Answering."""
    from rag_llm_system.domain.written_answers import Answering
    from rag_llm_system.model.evaluation.contenders import contenders  # imports torch

    system = current_system()
    return evaluate_models(
        contenders(
            target.folder,
            Answering.model_validate(answering),
            production=target.production,
            token=system.settings.HUGGINGFACE_ACCESS_TOKEN,
            fields_of=titles_from_context if grounded_decoding else None,
        ),
        Material(test=test, train=train, sources_of=lambda ids: _texts(system, ids)),
        settings,
        llm=_judge(system) if judge else None,
        progress=progress,
    )


def show(report: EvaluationReport) -> None:
    """A line for each metric."""
    for name in dict.fromkeys(n for model in report.models for n in model.metrics if "." not in n):
        values = ", ".join(
            f"{model.name} {model.metrics[name].mean:.3f}"
            for model in report.models
            if name in model.metrics
        )
        verdicts = ", ".join(
            f"{c.verdict} than {c.against}" if c.verdict != "same" else f"as {c.against}"
            for c in report.comparisons
            if c.metric == name
        )
        say(f"  {name}: {values}{f' ({verdicts})' if verdicts else ''}")
    for name, why in report.not_measured.items():
        say(f"  {name}: not measured, {why}")


def _judge(system: System) -> LLM:
    try:
        return system.llm
    except UnknownName as error:
        raise ConfigurationError(
            "judge: true needs a language model; set LLM_BACKEND (openai or local), or judge: false"
        ) from error


def _texts(system: System, ids: frozenset[str]) -> Mapping[str, str]:
    """Of the indexed documents among them."""
    return {d.id: d.text for d in cleaned_documents(system.vectors) if d.id in ids}
