"""The model card and the curves of the losses: in the model's folder, and in the dashboard."""

import base64
from typing import Annotated

from zenml.types import HTMLString

from rag_llm_system.application.evaluation.answers.report import EvaluationReport
from rag_llm_system.model.finetuning.config import TrainingResult
from steps.tracing import traced_step

_LEAKS = "no question or answer of a test row is in the training rows, exactly or nearly"


@traced_step
def describe_model(
    result: TrainingResult, report: EvaluationReport
) -> Annotated[HTMLString, "loss_curves"]:
    from rag_llm_system.model.description import describe  # matplotlib: only when there is a model

    picture = describe(result.folder, report, checks={"leaks": _LEAKS})
    encoded = base64.b64encode(picture).decode("ascii")
    return HTMLString(f'<img alt="losses by step" src="data:image/png;base64,{encoded}">')
