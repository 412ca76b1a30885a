"""The prompts in Opik's library: through the SDK, to a server that speaks its interface."""

import json
import logging
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from rag_llm_system.domain.prompts import Prompt
from rag_llm_system.infrastructure.tracing.opik_experiments import OpikServer
from rag_llm_system.infrastructure.tracing.prompt_library import publish_prompts

PROMPT = Prompt(name="answer", version=2, text="Answer from {{the}} sources.")


class Library(ThreadingHTTPServer):
    """Keeps versions by name, as Opik does."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.versions: dict[str, list[dict[str, Any]]] = {}

    @property
    def api(self) -> OpikServer:
        return OpikServer(f"http://127.0.0.1:{self.server_port}/api", "", "default", "twin")


class _Handler(BaseHTTPRequestHandler):
    server: Library

    def do_GET(self) -> None:
        self._answer(200, {})

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        versions = self.server.versions.get(asked["name"], [])
        if self.path.endswith("/prompts/versions/retrieve"):
            self._answer(200, versions[-1]) if versions else self._answer(404, {"message": "none"})
            return
        version = {
            **asked["version"],
            "id": f"0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2{len(versions)}",
            "prompt_id": "0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a20",
            "commit": f"1234567{len(versions)}",
            "template_structure": "text",
        }
        self.server.versions[asked["name"]] = [*versions, version]
        self._answer(200, version)

    def _answer(self, status: int, value: Any) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Tests are quiet."""


@pytest.fixture
def library() -> Iterator[Library]:
    with Library() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_prompt_gets_a_version_when_its_text_is_new(library: Library) -> None:
    changed = PROMPT.model_copy(update={"version": 3, "text": "Answer."})
    for prompt in (PROMPT, PROMPT, changed):
        assert publish_prompts(library.api, [prompt])
    [versions] = library.versions.values()
    assert list(library.versions) == ["twin-answer"]
    assert [one["template"] for one in versions] == [PROMPT.text, changed.text]
    assert [one["metadata"] for one in versions] == [{"version": 2}, {"version": 3}]


def test_a_server_that_is_not_there_costs_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        gone = OpikServer("http://ada:hunter2@127.0.0.1:1/api", "", "default", "twin")
        assert not publish_prompts(gone, [PROMPT])
    assert "the prompts are not on http://***@127.0.0.1:1/api" in caplog.text
