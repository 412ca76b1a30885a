"""Fine-tunes a model on the rows."""

from pathlib import Path
from typing import Annotated, Any

from zenml import ArtifactConfig, get_step_context, log_metadata
from zenml.enums import ArtifactType

from rag_llm_system.domain.datasets import DatasetSplit
from rag_llm_system.model.finetuning.config import TrainingConfig, TrainingLog, TrainingResult
from steps.progress import say
from steps.session import current_system
from steps.tracing import traced_step

_SHOWN = ("loss", "eval_loss")


@traced_step
def train_model(
    split: DatasetSplit, training: dict[str, Any]
) -> tuple[
    Annotated[TrainingResult, "training_result"],
    Annotated[Path, ArtifactConfig(name="finetuned_model", artifact_type=ArtifactType.MODEL)],
]:
    from rag_llm_system.model.finetuning.sft import finetune  # torch: only when training starts

    settings = current_system().settings
    result = finetune(
        TrainingConfig.model_validate(training),
        split.train,
        split.test,
        output_dir=settings.data_dir / "models" / get_step_context().pipeline_run.name,
        on_log=_show,
        token=settings.HUGGINGFACE_ACCESS_TOKEN,
    )
    log_metadata(result.model_dump(mode="json", exclude={"phases"}))
    return result, result.folder


def _show(log: TrainingLog) -> None:
    shown = [f"{name} {log.values[name]:.3f}" for name in _SHOWN if name in log.values]
    if shown:
        say(f"  {log.phase} {log.step}/{log.total_steps}: {', '.join(shown)}")
