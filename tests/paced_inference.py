"""An inference server as a process of its own: ``python -m tests.paced_inference DATA_DIR PORT`` (0: any free port).

Its engine says a word now and then, as many as are asked for; the process says its port on its first line.
"""

import socket
import sys
import threading
from collections.abc import Sequence
from itertools import chain, islice, repeat
from pathlib import Path
from typing import Any

import uvicorn

from rag_llm_system.bootstrap import build
from rag_llm_system.domain.answers import Message
from rag_llm_system.infrastructure.local.governance import GovernanceLog
from rag_llm_system.infrastructure.local.pending import PendingAnswer
from rag_llm_system.infrastructure.local.protocol import EngineStats
from rag_llm_system.infrastructure.serving.wire import wire_limits
from rag_llm_system.settings import Settings
from tests.inference_apps import app_with

PAUSE_S = 0.02
SENTENCE = "The server stops by itself. [1]\n"
"""What it says first; all else is more of the same word."""

MORE = "more "


class PacedEngine:
    """A thread for each answer; ``cancel`` ends it before its next word."""

    model_id = "paced"
    device = "cpu"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = 0

    def start(
        self,
        messages: Sequence[Message],
        listener: PendingAnswer,
        *,
        max_new_tokens: int,
        **_: Any,
    ) -> "Speaking":
        self._count(1)
        speaking = Speaking(listener, max_new_tokens, ended=lambda: self._count(-1))
        speaking.start()
        return speaking

    def stats(self) -> EngineStats:
        return EngineStats(running=self._running, waiting=0, max_waiting=32)

    def close(self) -> None:
        """Threads end with the process."""

    def _count(self, by: int) -> None:
        with self._lock:
            self._running += by


class Speaking(threading.Thread):
    """One answer."""

    def __init__(self, listener: PendingAnswer, words: int, *, ended: Any) -> None:
        super().__init__(daemon=True)
        self._listener, self._words, self._ended = listener, words, ended
        self._cancelled = threading.Event()

    def run(self) -> None:
        said = 0
        for word in islice(chain([SENTENCE], repeat(MORE)), self._words):
            self._listener.text(word)
            said += 1
            if self._cancelled.wait(PAUSE_S):
                break
        self._ended()
        self._listener.done("stop", 5, said)

    def cancel(self) -> None:
        self._cancelled.set()


def main(data_dir: Path, port: int) -> None:
    settings = Settings(DATA_DIR=data_dir, TRACING="auto")
    with socket.create_server(("127.0.0.1", port)) as listening, build(settings) as system:
        app = app_with(
            PacedEngine,
            records=GovernanceLog(data_dir / "governance" / "inference.jsonl"),
            tracer=system.tracer,
        )
        print(listening.getsockname()[1], flush=True)  # noqa: T201 - read by the test
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", **wire_limits()))
        server.run(sockets=[listening])


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
