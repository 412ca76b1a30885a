"""The documents' scaling table: so many files, read, indexed and asked about, each number in a process of its own."""

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import numpy as np

from rag_llm_system.application.code.miner import CodeMiner
from rag_llm_system.application.code.project import Project
from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.errors import BackendError, DataError
from rag_llm_system.settings import Settings
from tools.bench_code.figures import Scaled
from tools.bench_code.ours import assistant, indexed
from tools.bench_code.ways import USERS_K, Search
from tools.bench_vector_stores.memory import PeakMemory, memory_mb
from tools.bench_vector_stores.scaling import python_roots, source_files
from tools.bench_vector_stores.scaling_run import QUESTIONS
from tools.bench_vector_stores.worker import disk_mb, started
from tools.errors import clean_exit

_ROUNDS = 3


class Task(Value):
    """``corpus`` empty: the sources of Python and of what is installed."""

    files: int
    folder: Path
    corpus: str = ""


def scale(files: int, corpus: Path | None) -> Scaled:
    """One row; raises BackendError when its process fails."""
    with TemporaryDirectory(prefix="bench-code-scaling-") as folder:
        task = Task(files=files, folder=Path(folder), corpus=str(corpus or ""))
        arguments = ["tools.bench_code.scaling", task.model_dump_json()]
        with started(arguments) as process, PeakMemory(process.pid) as peak:
            said, _ = process.communicate()
    if process.returncode:
        raise BackendError(f"indexing {files} files failed; it said why above")
    row = Scaled.model_validate_json(said.splitlines()[-1])
    return row.model_copy(update={"peak_mb": max(row.peak_mb, peak.mb)})


def scaled(task: Task) -> Scaled:
    root = _written(task)
    settings = Settings(_env_file=None)
    tokens, overlap = settings.CODE_CHUNK_TOKENS, settings.CODE_CHUNK_OVERLAP_TOKENS
    began = time.perf_counter()
    files = CodeMiner(root, extensions=(".py",)).mine_all()
    mined_s = time.perf_counter() - began
    data, project = task.folder / "data", Project(root, "files")
    with indexed(files, project, settings, tokens=tokens, overlap=overlap, keep=data) as index:
        milliseconds = _question_ms(assistant(index))
        return Scaled(
            files=len(files),
            text_mb=sum(file.size for file in files) / 1e6,
            chunks=index.chunks,
            mined_s=mined_s,
            index_s=mined_s + index.seconds,
            p50_ms=float(np.percentile(milliseconds, 50)),
            p95_ms=float(np.percentile(milliseconds, 95)),
            disk_mb=disk_mb(data),
            peak_mb=memory_mb()["VmHWM"],
        )


def _written(task: Task) -> Path:
    """A folder of these files alone."""
    root = task.folder / "files"
    roots = [Path(task.corpus)] if task.corpus else python_roots()
    for name, text in source_files(task.files, roots):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def _question_ms(search: Search) -> list[float]:
    """Of all questions, several times; not of the first one, which opens what is not open yet."""
    if not search(QUESTIONS[0], USERS_K):
        raise DataError(f"nothing was found for {QUESTIONS[0]!r}")
    milliseconds = []
    for question in QUESTIONS * _ROUNDS:
        began = time.perf_counter()
        search(question, USERS_K)
        milliseconds.append(1000 * (time.perf_counter() - began))
    return milliseconds


if __name__ == "__main__":
    with clean_exit():
        click.echo(scaled(Task.model_validate_json(sys.argv[1])).model_dump_json())
