"""Starts servers as processes of their own, waits until they are ready, and stops them."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from rag_llm_system.domain.errors import BackendError
from rag_llm_system.settings import PROJECT_ROOT

_READY_S = 180.0
_STOP_S = 30.0


@contextmanager
def running(module: str, *arguments: str, log: Path, settings: Mapping[str, str]) -> Iterator[str]:
    """The address of ``python -m module ... PORT`` once it is ready; ``{port}`` in the arguments is its port.

    Raises BackendError with the end of its log when it ends before, or takes minutes.
    """
    port = _free_port()
    command = [sys.executable, "-m", module, *(a.format(port=port) for a in arguments)]
    environment = {**os.environ, **settings}
    with log.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(  # noqa: S603 - our own modules
            command, cwd=PROJECT_ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT
        )
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_ready(process, url, log)
            yield url
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def memory_mb(url: str) -> float:
    """Of the server's process, as its ``/metrics`` say."""
    for line in httpx.get(f"{url}/metrics", trust_env=False).text.splitlines():
        if line.startswith("process_resident_memory_bytes "):
            return float(line.split()[1]) / 1e6
    raise BackendError(f"{url}/metrics does not tell the memory")


def _wait_until_ready(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    until = time.monotonic() + _READY_S
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            if httpx.get(f"{url}/ready", trust_env=False, timeout=5).is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    said = log.read_text(encoding="utf-8", errors="replace")[-2000:]
    raise BackendError(f"the server did not become ready; it said: {said}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
