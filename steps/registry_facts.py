"""What is recorded of a model version, so that it can be told how it came about."""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import Field
from zenml.models import ModelVersionResponse, PipelineRunResponse

from rag_llm_system.application.evaluation.answers.report import (
    FINETUNED,
    EvaluationReport,
    Score,
    scores_of,
)
from rag_llm_system.application.evaluation.promotion import PromotionPolicy
from rag_llm_system.domain.documents import Value

How = Literal["gate", "forced", "rollback"]

_GIT_TIMEOUT_S = 20
_ABOUT_ROWS = (
    "dataset", "documents", "links", "generator", "prompt_version", "kind", "made", "train", "test",
)  # fmt: skip
"""What the steps before the training log about its rows."""


class Promotion(Value):
    """When and why a version went into production; ``before``: what served before it, newest first."""

    how: How
    reason: str
    at: datetime
    before: Sequence[int] = ()


class ModelFacts(Value):
    """``folder`` is a name in the folder of models. ``compared_with``: the version that served then (0: none)."""

    folder: str
    base: str = ""
    method: str = ""
    dataset_sha256: str = ""
    dataset: Mapping[str, Any] = Field(default_factory=dict)
    lineage: Mapping[str, Any] = Field(default_factory=dict)
    code: Mapping[str, Any] = Field(default_factory=dict)
    libraries: Mapping[str, str] = Field(default_factory=dict)
    config: Mapping[str, Any] = Field(default_factory=dict)
    policy: PromotionPolicy = PromotionPolicy()
    compared_with: int = 0
    evaluation: EvaluationReport | None = None

    @property
    def metrics(self) -> Mapping[str, Score]:
        """Of the fine-tuned model."""
        return scores_of(self.evaluation, FINETUNED) if self.evaluation else {}

    def as_metadata(self) -> dict[str, object]:
        """As ZenML keeps it, a field a key; samples are in the run's artifact, and too long for metadata."""
        fields = self.model_dump(mode="json", exclude={"evaluation": {"samples"}})
        if self.evaluation is None:
            del fields["evaluation"]
        metrics = {name: score.model_dump() for name, score in self.metrics.items()}
        return {**fields, "metrics": metrics} if metrics else fields


class ModelVersion(Value):
    """One training. ``facts`` is None when it did not get as far as being registered."""

    number: int
    stage: str
    created: datetime
    facts: ModelFacts | None
    promotions: Sequence[Promotion]

    @property
    def promotion(self) -> Promotion | None:
        """The last one."""
        return self.promotions[-1] if self.promotions else None


def read_version(found: ModelVersionResponse) -> ModelVersion:
    """A version as ZenML keeps it; those of earlier releases of this project lack most of the facts."""
    kept = dict(found.run_metadata)
    facts = None
    if kept.get("folder"):
        fields = {name: kept[name] for name in ModelFacts.model_fields if name in kept}
        fields["folder"] = Path(str(fields["folder"])).name
        if "evaluation" in fields:
            fields["evaluation"] = {**fields["evaluation"], "samples": ()}
        facts = ModelFacts.model_validate(fields)
    return ModelVersion(
        number=found.number,
        stage=found.stage or "none",
        created=found.created.replace(tzinfo=UTC),
        facts=facts,
        promotions=tuple(map(Promotion.model_validate, kept.get("promotions", ()))),
    )


def about_rows(run: PipelineRunResponse) -> dict[str, Any]:
    """Where the rows came from, as the steps of the run logged it."""
    logged = [dict(step.run_metadata) for step in run.steps.values()]
    return {name: kept[name] for kept in logged for name in _ABOUT_ROWS if name in kept}


def lineage_of(run: PipelineRunResponse) -> dict[str, Any]:
    """The run, and the ids of the artifacts that its steps read and wrote."""
    ids = {
        artifact.name: str(artifact.id)
        for step in run.steps.values()
        for side in (step.inputs, step.outputs)
        for artifacts in side.values()
        for artifact in artifacts
    }
    return {"run": run.name, "run_id": str(run.id), "artifacts": ids}


def code_version(folder: Path) -> dict[str, str | bool]:
    """Commit of the repository ``folder`` is the root of, and whether files differ from it; {} without one."""
    git = shutil.which("git")
    if git is None or not (folder / ".git").exists():
        return {}
    commit = _git(git, folder, "rev-parse", "HEAD")
    changed = _git(git, folder, "status", "--porcelain", "--untracked-files=no")
    if not commit or changed is None:
        return {}
    return {"commit": commit, "dirty": bool(changed)}


def _git(git: str, folder: Path, *arguments: str) -> str | None:
    command = [git, "-C", str(folder), *arguments]
    try:
        ran = subprocess.run(  # noqa: S603 - git by its full path, arguments of ours
            command, capture_output=True, text=True, check=True, timeout=_GIT_TIMEOUT_S
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
        return None
    return ran.stdout.strip()
