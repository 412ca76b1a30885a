"""Runs one contender: ``python -m tools.bench_embedding.contenders MODULE:FUNCTION FOLDER``.

Requests come as lines of JSON on standard input; the end of it ends the process. Each is answered with a line.
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from rag_llm_system.infrastructure.loading import load
from tools.bench_embedding.contenders.engine import Engine, Ready, Request, encode
from tools.errors import clean_exit

_FIRST_TEXT = "The first text takes what the others need not wait for."


def main(path: str, folder: Path) -> None:
    # what a library prints is no answer
    with os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1) as answers:
        os.dup2(2, 1)
        started = time.perf_counter()
        open_engine: Callable[[Path], Engine] = load("contender", path, {})
        engine = open_engine(folder)
        engine.encode([_FIRST_TEXT], "document")
        ready = Ready(load_s=time.perf_counter() - started, dtype=engine.dtype)
        answers.write(f"{ready.model_dump_json()}\n")
        for line in sys.stdin:
            encoded = encode(engine, Request.model_validate_json(line))
            answers.write(f"{encoded.model_dump_json()}\n")


if __name__ == "__main__":
    with clean_exit():
        main(sys.argv[1], Path(sys.argv[2]))
