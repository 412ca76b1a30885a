"""Processes of the benchmark, each a session of its own: a question, an answer."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import IO, TypeVar, cast

from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.errors import BackendError
from rag_llm_system.settings import PROJECT_ROOT
from tools.bench_vector_stores.contenders.job import Job

Answer = TypeVar("Answer", bound=Value)

_STOP_TIMEOUT_S = 60.0
_AS_IT_IS: Mapping[str, str] = MappingProxyType({})


@contextmanager
def started(
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str] = _AS_IT_IS,
    words: IO[bytes] | None = None,
) -> Iterator[subprocess.Popen[str]]:
    """``python -m arguments`` with pipes; killed with all that it started if it still runs after the block.

    ``words`` takes what it says on standard error.
    """
    with subprocess.Popen(  # noqa: S603 - our own modules
        [sys.executable, "-m", *arguments],
        cwd=PROJECT_ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=words,
        start_new_session=True,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


class Worker:
    """A contender's process."""

    def __init__(self, process: subprocess.Popen[str], words: Path) -> None:
        self._process, self._words = process, words

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, wanted: type[Answer], do: str, **arguments: object) -> Answer:
        """What that method of ``Bench`` gives; BackendError with the process's last words when it ended instead."""
        asked, answers = cast(IO[str], self._process.stdin), cast(IO[str], self._process.stdout)
        with suppress(BrokenPipeError):  # its last words follow
            asked.write(json.dumps({"do": do, **arguments}) + "\n")
            asked.flush()
        line = answers.readline()
        if not line:
            said = self._words.read_text(encoding="utf-8", errors="replace").strip().splitlines()
            raise BackendError((said or ["it ended without a word"])[-1])
        return wanted.model_validate_json(line)


@contextmanager
def working(job: Job, name: str, environment: Mapping[str, str] = _AS_IT_IS) -> Iterator[Worker]:
    """A process for the job, which ends after the block; ``name`` tells it from others of the same job."""
    job.folder.parent.mkdir(parents=True, exist_ok=True)
    job_file = job.folder.with_name(f"{job.folder.name}-{name}.json")
    job_file.write_text(job.model_dump_json(), encoding="utf-8")
    words = job_file.with_suffix(".log")
    module = "tools.bench_vector_stores.contenders"
    with (
        words.open("wb") as file,
        started([module, str(job_file)], environment=environment, words=file) as process,
    ):
        yield Worker(process, words)
        with suppress(subprocess.TimeoutExpired):  # its input ends, and so does it
            process.communicate(timeout=_STOP_TIMEOUT_S)


def disk_mb(folder: Path) -> float:
    """What the files take on the disk: a hole takes nothing, a file with two names is one."""
    files = {
        (found.st_dev, found.st_ino): found.st_blocks * 512
        for path in folder.rglob("*")
        if not path.is_dir()
        for found in [path.stat()]
    }
    return sum(files.values()) / 2**20
