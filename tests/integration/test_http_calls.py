"""Calls to our own servers: the answer, or an error that says what to do."""

import http.server
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner

from rag_llm_system.domain.errors import BackendError, ConfigurationError
from tools.call_infer import main as call_infer
from tools.call_rag import main as call_rag
from tools.http_calls import post_json

START = "poe run-inference-ml-service"


class Echo(http.server.BaseHTTPRequestHandler):
    """Answers with the path and the body it got; a path that is a number is the status."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.path.strip("/")
        answer = json.dumps({"path": self.path, "body": json.loads(body)}).encode()
        self.send_response(int(status) if status.isdigit() else 200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *message: Any) -> None:
        """Silent."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_answer_is_json(url: str) -> None:
    answer = post_json(f"{url}/rag", {"query": "é?"}, start_with=START)
    assert answer == {"path": "/rag", "body": {"query": "é?"}}


@pytest.mark.parametrize(
    ("status", "kind"), [(422, ConfigurationError), (404, ConfigurationError), (503, BackendError)]
)
def test_a_refusal_shows_what_the_server_said(url: str, status: int, kind: type[Exception]) -> None:
    with pytest.raises(kind, match=rf"/{status} answered {status}: .*\"body\""):
        post_json(f"{url}/{status}", {"query": "?"}, start_with=START)


def test_a_server_that_is_not_there_is_named_with_the_command_that_starts_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        gone = f"http://127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(BackendError, match=rf"no answer from {gone}.*start it with: {START}"):
        post_json(gone, {}, start_with=START)


def test_the_question_reaches_the_rag_api(url: str) -> None:
    options = ["--k", "3", "--assistant", "movies", "--user", "ada", "--json", "--url", url]
    ran = CliRunner().invoke(call_rag, ["Why?", *options])
    body = {"query": "Why?", "k": 3, "self_query": True, "assistant": "movies", "user": "ada"}
    assert (ran.exit_code, json.loads(ran.stdout)) == (0, {"path": "/rag", "body": body})


def test_the_prompt_reaches_the_inference_server(url: str) -> None:
    options = ["--max-new-tokens", "7", "--json", "--url", f"{url}/infer"]
    ran = CliRunner().invoke(call_infer, ["Why?", *options])
    sent = json.loads(ran.stdout)
    assert (ran.exit_code, sent["path"]) == (0, "/infer")
    assert (sent["body"]["prompt"], sent["body"]["max_new_tokens"]) == ("Why?", 7)


def test_a_dead_server_ends_the_command_with_one_line() -> None:
    ran = CliRunner().invoke(call_rag, ["Why?", "--url", "http://127.0.0.1:1"])
    assert (ran.exit_code, ran.stdout) == (1, "")
    assert ran.stderr.startswith("error: no answer from http://127.0.0.1:1/rag")
    assert ran.stderr.count("\n") == 1
