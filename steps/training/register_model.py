"""Registers the model version, and puts it into production when the gate lets it."""

from datetime import UTC
from pathlib import Path
from typing import Annotated, Any

from zenml import get_step_context, log_metadata
from zenml.client import Client
from zenml.models import PipelineRunResponse

from rag_llm_system.application.evaluation.answers.report import PRODUCTION, EvaluationReport
from rag_llm_system.application.evaluation.promotion import PromotionDecision, PromotionPolicy
from rag_llm_system.domain.errors import DataError
from rag_llm_system.model.finetuning.config import TrainingResult
from rag_llm_system.model.folder import read_record
from steps.progress import say
from steps.registry import ModelRegistry
from steps.registry_facts import ModelFacts, ModelVersion, about_rows, code_version, lineage_of
from steps.session import current_system
from steps.tracing import traced_step

_CODE = Path(__file__).resolve().parents[2]


@traced_step
def register_model(
    result: TrainingResult, report: EvaluationReport, promotion: dict[str, Any] | None = None
) -> Annotated[PromotionDecision, "promotion_decision"]:
    """``promotion`` is a PromotionPolicy. Raises DataError when it refuses and the policy says that fails the run."""
    context = get_step_context()
    model, run = context.model, Client().get_pipeline_run(context.pipeline_run.id)
    policy = PromotionPolicy.model_validate(promotion or {})
    registry = ModelRegistry(current_system().settings.data_dir / "models", model.name)
    beside = registry.pointed_at(registry.versions())  # evaluations read the pointer, as servers do
    folder = registry.folder_of(model.number, result.folder.name)
    facts = _facts(folder, result.base, report, run).model_copy(
        update={"policy": policy, "compared_with": _compared_with(beside, report, run)}
    )
    decision = registry.register(model.number, facts)
    log_metadata(decision.model_dump(mode="json"))
    name = f"model {model.name} version {model.number}"
    if decision.promoted:
        say(f"  {name} serves from now on: {folder}")
    else:
        say(f"  {name} is registered and not in production:")
    for line in (*decision.reasons, *decision.notes):
        say(f"    {line}")
    if policy.fail_if_refused and not decision.promoted:
        raise DataError(
            f"{name} is registered and refused: {'; '.join(decision.reasons)}; "
            f'if it is meant: poe model-promote -- {model.number} --force "why"'
        )
    return decision


def _facts(
    folder: Path, base: str, report: EvaluationReport, run: PipelineRunResponse
) -> ModelFacts:
    record = read_record(folder)
    return ModelFacts(
        folder=folder.name,
        base=base,
        method=str(record.get("method", "")),
        dataset_sha256=str(record.get("dataset_sha256", "")),
        dataset=about_rows(run),
        lineage=lineage_of(run),
        code=code_version(_CODE),
        libraries=record.get("versions", {}),
        config=record.get("config", {}),
        evaluation=report,
    )


def _compared_with(
    beside: ModelVersion | None, report: EvaluationReport, run: PipelineRunResponse
) -> int:
    """The version that the evaluation knew as production; 0 when another has taken its place since."""
    if beside is None or all(c.against != PRODUCTION for c in report.comparisons):
        return 0
    began = [s.start_time for s in run.steps.values() if s.start_time and "evaluation" in s.outputs]
    since = beside.promotion.at if beside.promotion else None
    if since and began and since > began[-1].replace(tzinfo=UTC):
        return 0
    return beside.number
