"""Both servers on loopback ports: the RAG API in a thread of the test, the inference server in a process."""

import asyncio
import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import uvicorn
from fastapi import FastAPI

from rag_llm_system.infrastructure.inference_pipeline_api import create_app
from rag_llm_system.infrastructure.serving.security import Access
from rag_llm_system.infrastructure.serving.wire import wire_limits
from rag_llm_system.settings import PROJECT_ROOT
from tests.rag_apis import ADA, index, memory_system, monitor, written_by

WAIT_S = 30
STOPS = "The embedded server stops by itself when its last client is gone."
QUESTION = "How does the embedded server stop when its last client is gone?"
DEADLINE_S = 5.0

_POOLS = ("asyncio_", "AnyIO worker thread")
"""Threads that wait for the next request; there are more of them the more was asked at once."""


class Served:
    """An app on a port, in a thread with a loop of its own."""

    def __init__(self, app: FastAPI, **limits: float) -> None:
        config = uvicorn.Config(
            app, port=0, log_level="critical", timeout_graceful_shutdown=1, **wire_limits(**limits)
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=asyncio.run, args=(self._main(),))
        self._started: queue.Queue[int] = queue.Queue()
        self._loop: asyncio.AbstractEventLoop
        self.port = 0

    def start(self) -> None:
        self._thread.start()
        self.port = self._started.get(timeout=WAIT_S)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(WAIT_S)
        assert not self._thread.is_alive()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def tasks(self) -> int:
        """How many run in its loop."""

        async def count() -> int:
            return len(asyncio.all_tasks()) - 1

        return asyncio.run_coroutine_threadsafe(count(), self._loop).result(WAIT_S)

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        serving = asyncio.create_task(self._server.serve())
        while not self._server.started:
            await asyncio.sleep(0)
        [listening] = self._server.servers[0].sockets
        self._started.put(listening.getsockname()[1])
        await serving


@contextmanager
def served(app: FastAPI, **limits: float) -> Iterator[Served]:
    """``limits`` are those of the wire."""
    server = Served(app, **limits)
    server.start()
    try:
        yield server
    finally:
        server.stop()


class Rag:
    """A client of the RAG API."""

    def __init__(self, server: Served, client: httpx.Client) -> None:
        self.server, self.client = server, client

    def ask(self, **body: Any) -> httpx.Response:
        return self.client.post("/rag", json={"query": QUESTION, **body})

    def events(self, **body: Any) -> Iterator[tuple[str, dict[str, Any]]]:
        """As they come; closing the iterator leaves."""
        body = {"query": QUESTION, "stream": True, **body}
        with self.client.stream("POST", "/rag", json=body) as response:
            name = ""
            for line in response.iter_lines():
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    yield name, json.loads(line.removeprefix("data: "))

    def healthy(self) -> bool:
        return bool(self.client.get("/health").json() == {"status": "ready"})

    def in_work(self) -> float:
        told = self.client.get("/metrics").text.splitlines()
        [line] = [one for one in told if one.startswith("rag_answers_in_work ")]
        return float(line.rpartition(" ")[2])

    def held(self) -> dict[str, int]:
        """What this process holds beside its pools: tasks of the server's loop, threads, TCP connections."""
        threads = [t for t in threading.enumerate() if not t.name.startswith(_POOLS)]
        connections = psutil.Process().net_connections("tcp")
        return {
            "tasks": self.server.tasks(),
            "threads": len(threads),
            "connections": sum(one.status != psutil.CONN_NONE for one in connections),
        }


@contextmanager
def rag_api(
    data_dir: Path, *, access: Access | None = None, deadline_s: float = DEADLINE_S, **settings: Any
) -> Iterator[Rag]:
    """One that knows a single text; ``settings`` say who writes its answers."""
    timeouts = {"LLM_CONNECT_TIMEOUT_S": 2, "LLM_READ_TIMEOUT_S": 2, "LLM_IDLE_TIMEOUT_S": 2}
    system = memory_system(data_dir, **{**timeouts, **settings})
    index(system, [written_by(ADA, "http://a.example/server", STOPS)])
    app = create_app(lambda: system, monitor(), access=access or Access(), deadline_s=deadline_s)
    with (
        served(app) as server,
        httpx.Client(base_url=server.address, timeout=WAIT_S, trust_env=False) as client,
    ):
        rag = Rag(server, client)
        while client.get("/ready").status_code != 200:
            continue
        yield rag


def asking(inference: str) -> dict[str, str]:
    """The settings of a RAG API whose answers the inference server at this address writes."""
    return {"LLM_BACKEND": "local", "LOCAL_INFERENCE_ENDPOINT_URL": f"{inference}/infer"}


class InferenceProcess:
    """``tests.paced_inference``; it keeps its port when it is started again."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._process: subprocess.Popen[str]
        self.port = 0

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.paced_inference", self._data_dir, self.port]
        self._process = subprocess.Popen(
            [str(one) for one in command], cwd=PROJECT_ROOT, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout
        self.port = int(self._process.stdout.readline())
        while self._get("/ready").status_code != 200:
            continue

    def kill(self) -> None:
        """Without a word."""
        self._process.kill()
        self._process.wait(WAIT_S)
        assert self._process.stdout
        self._process.stdout.close()

    def running(self) -> int:
        """Answers in work."""
        return int(self._get("/health").json()["queue"]["running"])

    def _get(self, path: str) -> httpx.Response:
        return httpx.get(f"{self.address}{path}", timeout=WAIT_S, trust_env=False)


@contextmanager
def inference_process(data_dir: Path) -> Iterator[InferenceProcess]:
    process = InferenceProcess(data_dir)
    process.start()
    try:
        yield process
    finally:
        process.kill()
