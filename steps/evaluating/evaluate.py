"""Asks the base, the fine-tuned model and the one that serves the same unseen questions, and scores the answers."""

from typing import Annotated, Any

from datasets import DatasetDict
from zenml import log_metadata

from rag_llm_system.application.evaluation.answers.material import EvaluationSettings
from rag_llm_system.application.evaluation.answers.report import EvaluationReport
from rag_llm_system.model.dataset_rows import rows_of
from steps.evaluating.measuring import measure, show
from steps.evaluating.target import Target
from steps.tracing import traced_step


@traced_step
def evaluate(
    *,
    target: Target,
    rows: DatasetDict,
    evaluation: dict[str, Any],
    answering: dict[str, int],
    judge: bool,
    grounded_decoding: bool,
) -> Annotated[EvaluationReport, "evaluation"]:
    report = measure(
        target,
        rows_of(rows["test"]),
        rows_of(rows["train"]),
        EvaluationSettings.model_validate(evaluation),
        answering=answering,
        judge=judge,
        grounded_decoding=grounded_decoding,
    )
    show(report)
    log_metadata(
        {
            "rows": report.rows,
            "grounded_decoding": grounded_decoding,
            **{
                f"{model.name} {name}": score.mean
                for model in report.models
                for name, score in model.metrics.items()
            },
        }
    )
    return report
