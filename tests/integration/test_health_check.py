"""The health check of the images."""

import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from rag_llm_system.settings import PROJECT_ROOT


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1), (401, 1)])
def test_the_health_check_passes_only_when_the_server_is_ready(status: int, code: int) -> None:
    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Tests are quiet."""

    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        answering = threading.Thread(target=server.handle_request)
        answering.start()
        asked = healthy(f"http://127.0.0.1:{server.server_port}/ready")
        answering.join()
    assert asked.returncode == code


@pytest.mark.parametrize("arguments", [(), ("nothing",), ("http://127.0.0.1:1/ready",)])
def test_the_health_check_fails_in_one_line(arguments: tuple[str, ...]) -> None:
    asked = healthy(*arguments)
    assert asked.returncode == 1
    assert asked.stderr.startswith("not ready: ")
    assert asked.stderr.count("\n") == 1


def healthy(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tools.healthy", *arguments],
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        timeout=30,
    )
