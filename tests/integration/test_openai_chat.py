"""The OpenAI adapter against a server that speaks the protocol."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pydantic import SecretStr

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.errors import BackendError, ConfigurationError
from rag_llm_system.infrastructure.llms.openai import OpenAIChat

KEY = "sk-canary-0123456789abcdef"
ASK = [Message(role="system", content="Be short."), Message(role="user", content="Hello?")]


class Chat(BaseHTTPRequestHandler):
    """Streams two words; ``asked`` keeps the requests, ``refuse`` answers with an error instead."""

    asked: list[dict[str, Any]]
    refuse: int

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.asked.append({**json.loads(body), "authorization": self.headers["Authorization"]})
        if self.refuse:
            self._send(self.refuse, "application/json", json.dumps({"error": {"message": KEY}}))
            return
        pieces = [{"role": "assistant", "content": ""}, {"content": "Good"}, {"content": " day."}]
        events = [
            {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "toy",
             "choices": [{"index": 0, "delta": piece, "finish_reason": None}]}
            for piece in pieces
        ]  # fmt: skip
        lines = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
        self._send(200, "text/event-stream", f"{lines}data: [DONE]\n\n")

    def _send(self, status: int, kind: str, text: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def server() -> Iterator[tuple[str, type[Chat]]]:
    handler = type("Handler", (Chat,), {"asked": [], "refuse": 0})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}/v1", handler
        running.shutdown()
        thread.join()


def answer(url: str) -> str:
    chat = OpenAIChat("toy", url, SecretStr(KEY))
    return "".join(chat.stream(ASK, max_tokens=20, temperature=0.5))


def test_a_streamed_answer_joins_and_parameters_arrive(server: tuple[str, type[Chat]]) -> None:
    url, handler = server
    assert answer(url) == "Good day."
    asked = handler.asked[0]
    assert (asked["model"], asked["temperature"], asked["stream"]) == ("toy", 0.5, True)
    assert asked.get("max_completion_tokens", asked.get("max_tokens")) == 20
    assert [m["role"] for m in asked["messages"]] == ["system", "user"]


@pytest.mark.parametrize(
    ("status", "error", "names"),
    [
        (401, ConfigurationError, "OPENAI_API_KEY"),
        (404, ConfigurationError, "OPENAI_MODEL_ID"),
        (400, BackendError, "OPENAI_BASE_URL"),
    ],
)
def test_a_refusal_names_the_setting_and_never_the_key(
    server: tuple[str, type[Chat]], status: int, error: type[Exception], names: str
) -> None:
    url, handler = server
    handler.refuse = status
    with pytest.raises(error, match=names) as caught:
        answer(url)
    assert KEY not in str(caught.value)


def test_a_server_that_is_not_there_is_named() -> None:
    with pytest.raises(BackendError, match=r"http://127\.0\.0\.1:9/v1 failed"):
        answer("http://127.0.0.1:9/v1")


def test_openai_itself_needs_a_key() -> None:
    with pytest.raises(ConfigurationError, match="OPENAI_API_KEY"):
        OpenAIChat("gpt-4o-mini", "https://api.openai.com/v1", SecretStr(""))
