"""Scores the trained model on the rows it has not seen, beside its base and the model that serves."""

from typing import Annotated, Any

from datasets import DatasetDict
from zenml.types import HTMLString

from rag_llm_system.application.evaluation.answers.material import EvaluationSettings, draw
from rag_llm_system.application.evaluation.answers.report import EvaluationReport
from rag_llm_system.model.dataset_rows import rows_of
from rag_llm_system.model.finetuning.config import TrainingResult
from steps.evaluating.measuring import measure, show
from steps.evaluating.publish import publish_report
from steps.evaluating.target import keep_rows, production_beside
from steps.session import current_system
from steps.tracing import traced_step


@traced_step
def evaluate_model(
    result: TrainingResult,
    rows: DatasetDict,
    evaluation: dict[str, Any] | None = None,
    answering: dict[str, int] | None = None,
    judge: bool = False,
) -> tuple[Annotated[EvaluationReport, "evaluation"], Annotated[HTMLString, "evaluation_page"]]:
    """``evaluation`` is an EvaluationSettings, ``answering`` an Answering; the rows stay with the model."""
    settings = EvaluationSettings.model_validate(evaluation or {})
    test = draw(rows_of(rows["test"]), max(settings.rows, settings.loss_rows), settings.seed)
    train = draw(rows_of(rows["train"]), settings.probes, settings.seed)
    kept = keep_rows(result.folder, test, train)
    production = production_beside(current_system().settings.data_dir / "models", result.folder)
    target = kept.model_copy(update={"production": production})
    report = measure(target, test, train, settings, answering=answering or {}, judge=judge)
    show(report)
    return report, publish_report(result.folder, report)
