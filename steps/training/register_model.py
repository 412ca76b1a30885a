"""Registers the model version, and lets it serve when it is better than its base on unseen rows."""

from typing import Annotated

from zenml import get_step_context, log_metadata
from zenml.enums import ModelStages

from rag_llm_system.model.evaluation.style import StyleReport
from rag_llm_system.model.finetuning.config import TrainingResult
from rag_llm_system.model.registry import promote
from steps.progress import say
from steps.session import current_system
from steps.tracing import traced_step


@traced_step
def register_model(result: TrainingResult, report: StyleReport) -> Annotated[bool, "promoted"]:
    version = get_step_context().model
    better = report.after.loss < report.before.loss
    log_metadata(
        {
            "folder": str(result.folder),
            "base": result.base,
            "loss": report.after.loss,
            "loss_of_base": report.before.loss,
        },
        infer_model=True,
    )
    if better:
        promote(current_system().settings.data_dir / "models", result.folder)
        version.set_stage(ModelStages.STAGING, force=True)
        say(f"  model {version.name} version {version.version} serves from now on: {result.folder}")
    else:
        say(
            f"  model {version.name} version {version.version} is registered but does not serve: "
            f"its loss {report.after.loss:.3f} is not below its base's {report.before.loss:.3f}"
        )
    return better
