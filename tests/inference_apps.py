"""The inference server's parts for its tests: an engine that says what it is told, and the app around it."""

import json
import queue
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from rag_llm_system.domain.answers import Message
from rag_llm_system.infrastructure.local.governance import (
    GovernanceMonitor,
    GovernanceRecord,
    Policy,
    Records,
    Rule,
)
from rag_llm_system.infrastructure.local.local_deploy import create_app
from rag_llm_system.infrastructure.local.pending import PendingAnswer
from rag_llm_system.infrastructure.local.protocol import Engine, EngineStats
from rag_llm_system.infrastructure.serving.metrics import ServerMetrics
from rag_llm_system.infrastructure.serving.security import Access
from rag_llm_system.infrastructure.tracing.off import OffTracer

WAIT_S = 30
POLICY = Policy(
    rules=(
        Rule(
            name="banned-terms",
            terms=("confidential", "password", "classified"),
            input="block",
            output="block",
        ),
        Rule(name="secrets", detect="secrets", input="redact", output="redact"),
    )
)


class ScriptedEngine:
    """Says its words at once, and ends there unless it is ``holding``; remembers what it was asked."""

    model_id = "scripted"
    device = "cpu"

    def __init__(self, *words: str, refuse: Exception | None = None, holding: bool = False) -> None:
        self._words = words
        self._refuse = refuse
        self._holding = holding
        self.asked: list[tuple[list[Message], dict[str, Any]]] = []
        self.listeners: list[PendingAnswer] = []
        self.started, self.cancelled = threading.Event(), threading.Event()
        self.closed = False

    def start(
        self, messages: Sequence[Message], listener: PendingAnswer, **options: Any
    ) -> "ScriptedEngine":
        if self._refuse:
            raise self._refuse
        self.asked.append((list(messages), options))
        self.listeners.append(listener)
        for word in self._words:
            listener.text(word)
        if not self._holding:
            listener.done("stop", 5, len(self._words))
        self.started.set()
        return self

    def stats(self) -> EngineStats:
        return EngineStats(running=1, waiting=2, max_waiting=3)

    def cancel(self) -> None:
        self.cancelled.set()

    def close(self) -> None:
        self.closed = True


def app_with(
    load_engine: Callable[[], Engine],
    *,
    records: Records | None = None,
    access: Access | None = None,
    **parts: Any,
) -> FastAPI:
    """The inference server with a small policy; ``records`` gets what governance keeps."""
    monitor = GovernanceMonitor(POLICY, [] if records is None else records)
    open_to_tests = Access(allowed_hosts=("127.0.0.1", "test"))
    return create_app(
        load_engine,
        monitor,
        access=access or open_to_tests,
        **{"metrics": ServerMetrics("inference"), "tracer": OffTracer(), **parts},
    )


class KeptRecords:
    """What governance keeps, one after the other as it comes."""

    def __init__(self) -> None:
        self._queue: queue.Queue[GovernanceRecord] = queue.Queue()

    def append(self, record: GovernanceRecord, /) -> None:
        self._queue.put(record)

    def statuses(self, count: int) -> list[str]:
        """Of the next ``count`` records, in alphabetical order: who asks at once ends in any order."""
        return sorted(self._queue.get(timeout=WAIT_S).status for _ in range(count))


def events_of(stream: str) -> list[tuple[str, dict[str, Any]]]:
    """The named events of a stream that has ended."""
    blocks = [block.split("\n") for block in stream.split("\n\n") if block]
    return [
        (name.removeprefix("event: "), json.loads(data.removeprefix("data: ")))
        for name, data in blocks
    ]


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """The address of a server that runs ``app``; connections wait in its socket until it is up."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(
            uvicorn.Config(app, log_level="warning", ws="none", timeout_graceful_shutdown=1)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(WAIT_S)
            assert not thread.is_alive()


def wait_until_ready(address: str) -> None:
    while health_of(address)["status"] == "loading":
        continue


def health_of(address: str) -> dict[str, Any]:
    health: dict[str, Any] = httpx.get(f"{address}/health", timeout=WAIT_S).json()
    return health
