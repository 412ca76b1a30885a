"""Fine-tunes a model on the rows: a base from scratch where one is asked for, SFT, then DPO on preferences."""

from pathlib import Path
from typing import Annotated, Any

from datasets import DatasetDict
from zenml import ArtifactConfig, get_step_context, log_metadata
from zenml.enums import ArtifactType

from rag_llm_system.model.finetuning.config import TrainingConfig, TrainingResult
from steps import dataset_materializer  # noqa: F401 - importing it registers how the type is read
from steps.progress import say
from steps.session import current_system
from steps.tracing import traced_step
from steps.training.training_log import show_log


@traced_step
def train_model(
    rows: DatasetDict, training: dict[str, Any], preferences: DatasetDict | None = None
) -> tuple[
    Annotated[TrainingResult, "training_result"],
    Annotated[Path, ArtifactConfig(name="finetuned_model", artifact_type=ArtifactType.MODEL)],
]:
    """An interrupted run of the same settings and rows is gone on with, under this run's name."""
    from rag_llm_system.model.finetuning.sft import finetune  # torch: only when training starts

    settings = current_system().settings
    result = finetune(
        TrainingConfig.model_validate(training),
        rows["train"],
        rows["test"],
        preferences=(preferences["train"], preferences["test"]) if preferences else None,
        output_dir=settings.data_dir / "models" / get_step_context().pipeline_run.name,
        on_log=show_log,
        token=settings.HUGGINGFACE_ACCESS_TOKEN,
    )
    for phase in result.phases:
        say(f"  {phase.phase}: {_speed(phase.tokens_per_s, phase.flop_utilisation)}")
    log_metadata(result.model_dump(mode="json", exclude={"phases"}))
    return result, result.folder


def _speed(tokens_per_s: float, utilisation: float | None) -> str:
    share = "" if utilisation is None else f", {utilisation:.1%} of the device's arithmetic"
    return f"{tokens_per_s:,.0f} tokens/s{share}"
