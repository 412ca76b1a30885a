"""One ZenML run from start to end: quiet logs, dead runs marked, one trace, a line per step at the end.

Importing this imports zenml: only after ``tools.zenml_store.use_zenml_store``.
"""

import logging
import time
import warnings
from datetime import UTC, datetime
from typing import Any

import click
from zenml.client import Client
from zenml.integrations.registry import integration_registry
from zenml.models import PipelineRunResponse

from rag_llm_system.bootstrap import build
from rag_llm_system.infrastructure.tracing.runs import RunTracer, trace_id_for_run
from rag_llm_system.settings import Settings
from steps.session import session
from tools.owned_runs import fail_orphaned_runs, owned_run
from tools.zenml_errors import zenml_errors


def run_graph(
    graph: Any, parameters: dict[str, Any], settings: Settings, *, run_name: str
) -> dict[str, Any]:
    """Run the graph; a step's error is raised as it is, after the run and its trace were closed."""
    with zenml_errors(settings.data_dir / "zenml"):
        return _run_graph(graph, parameters, settings, run_name)


def _run_graph(
    graph: Any, parameters: dict[str, Any], settings: Settings, run_name: str
) -> dict[str, Any]:
    _prepare_zenml()
    runs = settings.data_dir / "runs"
    for dead in fail_orphaned_runs(runs):
        click.echo(f"  run {dead} had died; marked as failed")
    started = time.perf_counter()
    with session(build(settings)) as system, owned_run(runs, run_name):
        error: BaseException | None = None
        try:
            graph.with_options(run_name=run_name)(**parameters)
        except BaseException as caught:
            error = caught
            raise
        finally:
            _close_trace(system.tracer, run_name, parameters, error)
    run = Client().get_pipeline_run(run_name)
    seconds = round(time.perf_counter() - started, 1)
    click.echo(f"run {run.name}: {run.status} in {seconds} s")
    per_step = _step_seconds(run)
    for step, took in per_step.items():
        click.echo(f"  {step:<28} {took:>7.1f} s")
    return {
        "run": run.name,
        "status": str(run.status),
        "seconds": seconds,
        "steps": per_step,
        "metadata": {name: dict(step.run_metadata) for name, step in run.steps.items()},
    }


def _prepare_zenml() -> None:
    # activating imports torch, sklearn and scipy in every run, for materializers we do not use
    integration_registry.activate_integrations = lambda: None
    # a step's error is raised to the command line, which says it in one line; the run keeps its traceback
    logging.getLogger("zenml").setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", module="zenml")
    client = Client()
    if not client.active_user.user_metadata.get("finished_onboarding_survey"):
        # the dashboard would open with a survey
        client.update_user(
            client.active_user.id,
            updated_email_opt_in=False,
            updated_metadata={"finished_onboarding_survey": True},
        )


def _close_trace(
    tracer: RunTracer, run_name: str, parameters: dict[str, Any], error: BaseException | None
) -> None:
    runs = Client().list_pipeline_runs(name=run_name, size=1)
    if not runs.items:
        return
    run = Client().get_pipeline_run(runs[0].id)
    tracer.run_record(
        trace_id=trace_id_for_run(run.created, run.id),
        name=f"pipeline:{run.pipeline.name if run.pipeline else run.name}",
        start=run.created.replace(tzinfo=UTC),
        end=datetime.now(UTC),
        status=str(run.status),
        steps={name: str(step.status) for name, step in run.steps.items()},
        metadata={"zenml": {"run_id": str(run.id), "run": run.name}, "parameters": parameters},
        error=error,
    )
    tracer.flush()


def _step_seconds(run: PipelineRunResponse) -> dict[str, float]:
    return {
        name: round((step.end_time - step.start_time).total_seconds(), 1)
        for name, step in run.steps.items()
        if step.end_time and step.start_time
    }
