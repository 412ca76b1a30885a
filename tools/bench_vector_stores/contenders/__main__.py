"""One contender in a process of its own: ``python -m tools.bench_vector_stores.contenders JOB_FILE``.

Each line of its input is a JSON object that names a method of ``Bench`` and its arguments; its answer is one line.
"""

import json
import os
import sys
from pathlib import Path

from tools.bench_vector_stores.contenders.job import Job
from tools.bench_vector_stores.contenders.measures import Bench
from tools.errors import clean_exit


def main(job_file: Path) -> None:
    bench = Bench(Job.model_validate_json(job_file.read_text(encoding="utf-8")))
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)  # what a library prints is no answer
        for line in sys.stdin:
            asked = json.loads(line)
            answer = getattr(bench, asked.pop("do"))(**asked)
            answers.write(answer.model_dump_json() + "\n")
            answers.flush()
    bench.close()


if __name__ == "__main__":
    with clean_exit():
        main(Path(sys.argv[1]))
