"""Puts the report where it is looked for: the model's folder, the dashboard, the registry and Opik."""

from pathlib import Path
from typing import Annotated

from zenml import get_step_context, log_metadata
from zenml.types import HTMLString

from rag_llm_system.application.evaluation.answers.page import comparison_page
from rag_llm_system.application.evaluation.answers.report import EvaluationReport, Sample
from rag_llm_system.application.evaluation.answers.samples import scores_of_samples
from rag_llm_system.application.evaluation.whole_files import write_whole
from rag_llm_system.bootstrap import System
from rag_llm_system.bootstrap.opik_server import opik_server
from rag_llm_system.domain.documents import sha256_of
from steps.evaluating.target import Target
from steps.progress import say
from steps.registry import ModelRegistry
from steps.session import current_system
from steps.tracing import traced_step

REPORT_FILE = "evaluation.json"
PAGE_FILE = "evaluation.html"


@traced_step
def publish(target: Target, report: EvaluationReport) -> Annotated[HTMLString, "evaluation_page"]:
    """A registered version is from now on judged by this report."""
    page = publish_report(target.folder, report)
    if target.version:
        models = current_system().settings.data_dir / "models"
        ModelRegistry(models).record_evaluation(target.version, report)
    return page


def publish_report(folder: Path, report: EvaluationReport) -> HTMLString:
    """``evaluation.json`` and ``evaluation.html`` in the model's folder, an Opik experiment for each model."""
    page = comparison_page(report)
    write_whole(folder / REPORT_FILE, report.model_dump_json(indent=2) + "\n")
    write_whole(folder / PAGE_FILE, page)
    say(f"  the answers side by side: {folder / PAGE_FILE}")
    log_metadata(
        {
            f"{c.metric} against {c.against}": f"{c.verdict} ({c.difference.mean:+.3f})"
            for c in report.comparisons
        }
    )
    _log_to_opik(current_system(), report, folder.name, get_step_context().pipeline_run.name)
    return HTMLString(page)


def _log_to_opik(system: System, report: EvaluationReport, model: str, run: str) -> None:
    """The samples as a dataset and each model as an experiment over it, where there is an Opik server."""
    server = opik_server(system.settings)
    if server is None or not report.samples:
        return
    from rag_llm_system.infrastructure.tracing.opik_experiments import (  # imports the SDK
        ExperimentRow,
        log_experiment,
    )

    for scores in report.models:
        rows = [
            ExperimentRow(
                item=_item(sample), output={"answer": sample.answers[scores.name]}, scores=measured
            )
            for sample, measured in zip(
                report.samples, scores_of_samples(report.samples, scores.name), strict=True
            )
        ]
        means = {name: score.mean for name, score in scores.metrics.items()}
        log_experiment(
            server,
            rows,
            dataset="answers on unseen rows",
            name=f"{run} {scores.name}",
            config={"model": model, "rows": report.rows, "seed": report.seed, **means},
            trace_name="unseen row",
        )


def _item(sample: Sample) -> dict[str, str]:
    """``link`` tells rows apart that ask the same about other contexts."""
    return {
        "question": sample.question,
        "context": sample.context,
        "reference": sample.reference,
        "link": f"row:{sha256_of(sample.question + sample.context)[:16]}",
    }
