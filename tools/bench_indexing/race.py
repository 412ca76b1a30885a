"""Runs the stages of the indexing benchmark, one after another, each in a process of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from rag_llm_system.domain.documents import Document
from rag_llm_system.domain.errors import BackendError
from rag_llm_system.settings import PROJECT_ROOT
from tools.bench_indexing.documents import generated_documents, write_documents
from tools.bench_indexing.stages import FULL, KILLED_AT, STAGES, Job, Measured, Row, Stage
from tools.bench_vector_stores.memory import PeakMemory

SCALE = "many chunks"
TIMEOUT_S = 3600.0


def race(documents: Sequence[Document], encoder: str, root: Path) -> Iterator[Row]:
    """A row for each stage, as soon as it has run. Raises BackendError when one fails."""
    kill_after, own = 0, root
    for number, stage in enumerate(STAGES):
        if stage.fresh:
            own = root / f"from-{number}"
            own.mkdir()
        row = _row(stage, _job(stage, documents, encoder, own, kill_after))
        if stage.name == FULL and row.measured:
            kill_after = int(KILLED_AT * row.measured.encoded)
        yield row


def scale(chunks: int, encoder: str, root: Path) -> Row:
    """One full run of generated documents, no two chunks of which are alike."""
    job = _written(root, generated_documents(chunks), encoder)
    return _finished(SCALE, job.model_copy(update={"cached": False}))


def _row(stage: Stage, job: Job) -> Row:
    if not stage.killed:
        return _finished(stage.name, job)
    code, peak_mb = _in_own_process(job)
    if code != -signal.SIGKILL:
        raise BackendError(f"{stage.name}: the run was to be killed and was not")
    return Row(stage=stage.name, peak_mb=peak_mb, note=f"killed after {job.kill_after} texts")


def _job(
    stage: Stage, documents: Sequence[Document], encoder: str, folder: Path, kill_after: int
) -> Job:
    job = _written(folder, stage.documents(documents), encoder)
    return job.model_copy(
        update={
            "larger_chunks": stage.larger_chunks,
            "kill_after": kill_after if stage.killed else None,
        }
    )


def _written(folder: Path, documents: Iterable[Document], encoder: str) -> Job:
    path = folder / "documents.jsonl"
    write_documents(path, documents)
    return Job(documents=path, folder=folder, encoder=encoder)


def _finished(stage: str, job: Job) -> Row:
    code, peak_mb = _in_own_process(job)
    if code:
        raise BackendError(f"{stage}: its process ended with {code}; its last words are above")
    measured = Measured.model_validate_json(_result(job).read_text(encoding="utf-8"))
    return Row(stage=stage, measured=measured, peak_mb=peak_mb)


def _in_own_process(job: Job) -> tuple[int, float]:
    """Its exit status, and the most memory that it and its children had."""
    job_file = job.folder / "job.json"
    job_file.write_text(job.model_dump_json(), encoding="utf-8")
    command = [sys.executable, "-m", "tools.bench_indexing.worker", str(job_file)]
    with subprocess.Popen(  # noqa: S603 - our own module
        [*command, str(_result(job))],
        cwd=PROJECT_ROOT,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            with PeakMemory(process.pid) as memory:
                code = process.wait(TIMEOUT_S)
            return code, memory.mb
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def _result(job: Job) -> Path:
    return job.folder / "result.json"
