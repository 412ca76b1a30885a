"""Runs of a training pipeline that trains nothing: ``python -m tests.integration.registry_trainings VERDICT ...``.

What a training leaves and an evaluation reports is made up; the step that registers, ZenML and the folders are real.
A VERDICT is that of the loss, against the base and against production where a model serves: better, same, worse;
``fails`` is a training that fails, ``better!`` one whose policy wants a metric that is not measured and then fails.
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from rag_llm_system.domain.errors import DataError
from rag_llm_system.settings import load_settings
from tools.zenml_store import use_zenml_store

use_zenml_store(load_settings().data_dir)

from zenml import ArtifactConfig, Model, get_step_context, log_metadata, pipeline  # noqa: E402
from zenml.enums import ArtifactType, ExecutionMode  # noqa: E402

from rag_llm_system.application.evaluation.answers.report import (  # noqa: E402
    Comparison,
    EvaluationReport,
    ModelScores,
    Score,
    verdict_of,
)
from rag_llm_system.model.finetuning.config import MemoryEstimate, TrainingResult  # noqa: E402
from rag_llm_system.model.registry import read_pointer  # noqa: E402
from steps.registry import MODEL_NAME  # noqa: E402
from steps.session import current_system  # noqa: E402
from steps.tracing import traced_step  # noqa: E402
from steps.training.register_model import register_model  # noqa: E402
from tools.zenml_run import run_graph  # noqa: E402

CHANGE = {"better": -0.5, "same": 0.0, "worse": 0.5}
RECORD = {
    "method": "lora",
    "dataset_sha256": "0123456789abcdef",
    "config": {"base": "scratch", "seed": 42},
    "versions": {"torch": "2.0"},
}


@traced_step
def prepare_rows(documents: int) -> Annotated[int, "rows"]:
    log_metadata({"documents": documents, "train": 10 * documents})
    return 10 * documents


@traced_step
def train(
    rows: int, fails: bool
) -> tuple[
    Annotated[TrainingResult, "training_result"],
    Annotated[Path, ArtifactConfig(name="finetuned_model", artifact_type=ArtifactType.MODEL)],
]:
    if fails:
        raise DataError("the training failed")
    run = get_step_context().pipeline_run.name
    folder = current_system().settings.data_dir / "models" / run
    (folder / "adapter").mkdir(parents=True)
    (folder / "adapter" / "weights.bin").write_text(run, encoding="utf-8")
    (folder / "training.json").write_text(json.dumps(RECORD), encoding="utf-8")
    estimate = MemoryEstimate(weights=1, gradients=1, optimizer=1, activations=1, logits=1)
    result = TrainingResult(
        folder=folder, base="scratch", method="lora", device="cpu", dtype="float32", parameters=9,
        trainable_parameters=1, train_rows=rows, test_rows=4, train_rows_too_long=0, test_rows_too_long=0,
        memory_estimate=estimate, dataset_sha256=RECORD["dataset_sha256"], phases=(),
    )  # fmt: skip
    return result, folder


@traced_step
def evaluate(result: TrainingResult, verdict: str) -> Annotated[EvaluationReport, "evaluation"]:
    assert result.folder.is_dir()
    serves = read_pointer(result.folder.parent)
    others = ("base", "production") if serves else ("base",)
    mean = CHANGE[verdict]
    change = Score(mean=mean, low=mean - 0.1, high=mean + 0.1, n=40)
    loss = {"base": 2.0, "production": 2.0, "fine-tuned": 2.0 + mean}
    return EvaluationReport(
        rows=40,
        seed=7,
        models=tuple(
            ModelScores(
                name=name, metrics={"loss": Score(mean=m, low=m - 0.05, high=m + 0.05, n=40)}
            )
            for name, m in loss.items()
        ),
        comparisons=tuple(
            Comparison(
                metric="loss",
                model="fine-tuned",
                against=other,
                difference=change,
                verdict=verdict_of("loss", change),
            )
            for other in others
        ),
        samples=(),
        not_measured={"grounded": "no row has a context"},
    )


@pipeline(enable_cache=False, execution_mode=ExecutionMode.FAIL_FAST, model=Model(name=MODEL_NAME))
def training(verdict: str, fails: bool, promotion: dict[str, Any]) -> None:
    rows = prepare_rows(documents=3)
    result, _ = train(rows=rows, fails=fails)
    report = evaluate(result=result, verdict=verdict)
    register_model(result=result, report=report, promotion=promotion)


def main(kinds: list[str]) -> None:
    for kind in kinds:
        strict = {"better": ["grounded"], "fail_if_refused": True} if kind.endswith("!") else {}
        parameters = {
            "verdict": kind.rstrip("!") if kind != "fails" else "same",
            "fails": kind == "fails",
            "promotion": strict,
        }
        name = f"training-{datetime.now(UTC):%H%M%S%f}"
        try:
            run_graph(training, parameters, load_settings(), run_name=name)
        except DataError as error:
            sys.stderr.write(f"error: {error}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
