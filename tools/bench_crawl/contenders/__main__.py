"""Runs one contender on a job: ``python -m tools.bench_crawl.contenders NAME JOB_FILE RESULT_FILE``."""

import sys
from collections.abc import Callable
from pathlib import Path

from rag_llm_system.infrastructure.loading import load
from tools.bench_crawl.contenders import CONTENDERS
from tools.bench_crawl.contenders.job import (
    Crawled,
    Job,
    Measured,
    Stopwatch,
    adopt_orphans,
    outlive_children,
)
from tools.errors import clean_exit


def main(name: str, job_file: Path, result_file: Path) -> None:
    contender: Callable[[Job, Stopwatch], Crawled] = load("contender", name, CONTENDERS)
    job = Job.model_validate_json(job_file.read_text(encoding="utf-8"))
    watch = Stopwatch()
    adopt_orphans()
    result = contender(job, watch)
    outlive_children()
    measured = Measured(**result.model_dump(), seconds=watch.seconds, cpu_s=watch.cpu_s())
    result_file.write_text(measured.model_dump_json(), encoding="utf-8")


if __name__ == "__main__":
    with clean_exit():
        main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
