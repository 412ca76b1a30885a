"""Which ZenML run belongs to a living process: a locked file per run, so that a killed run is found."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from zenml.client import Client
from zenml.enums import ExecutionStatus
from zenml.models import PipelineRunUpdate, StepRunUpdate


@contextmanager
def owned_run(folder: Path, name: str) -> Iterator[None]:
    """Hold the run's file locked while the run goes on; the lock ends with the process, however it ends."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    with path.open("w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
        path.unlink(missing_ok=True)


def fail_orphaned_runs(folder: Path) -> list[str]:
    """Mark runs whose process is gone as failed (ZenML would show them running for ever); their names."""
    failed = []
    for path in sorted(folder.glob("*")):
        with suppress(BlockingIOError, FileNotFoundError), path.open("r", encoding="utf-8") as file:
            # held: it is running; not found: it ended just now
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _fail(path.name):
                failed.append(path.name)
            path.unlink(missing_ok=True)
    return failed


def _fail(run_name: str) -> bool:
    client = Client()
    runs = client.list_pipeline_runs(name=run_name, size=1)
    if not runs.items or runs[0].status.is_finished:
        return False
    run = client.get_pipeline_run(runs[0].id)
    ended = datetime.now(UTC).replace(tzinfo=None)
    for step in run.steps.values():
        if not step.status.is_finished:
            update = StepRunUpdate(status=ExecutionStatus.FAILED, end_time=ended)
            client.zen_store.update_run_step(step.id, update)
    client.zen_store.update_run(
        run.id,
        PipelineRunUpdate(
            status=ExecutionStatus.FAILED, status_reason="its process died", end_time=ended
        ),
    )
    return True
