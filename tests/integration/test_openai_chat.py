"""The OpenAI adapter against a server that speaks the protocol."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.errors import BackendError, ConfigurationError, DataError
from rag_llm_system.domain.from_context import FromContext
from rag_llm_system.infrastructure.llms.openai import OpenAIChat
from tests.web_server import Handler, serve

KEY = "sk-canary-0123456789abcdef"
ASK = [Message(role="system", content="Be short."), Message(role="user", content="Hello?")]


class Chat(Handler):
    """Streams two words; ``asked`` keeps the requests, ``refuse`` answers with an error instead.

    ``refuse_regex`` does so for a request with structured outputs only, as servers other than vLLM may.
    """

    asked: list[dict[str, Any]]
    refuse: int
    refuse_regex: int
    refuse_limit: bool
    reason: str

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.asked.append({**json.loads(body), "authorization": self.headers["Authorization"]})
        refuse = self.refuse or ("structured_outputs" in self.asked[-1] and self.refuse_regex)
        if refuse:
            self.answer(
                refuse,
                {"Content-Type": "application/json"},
                (json.dumps({"error": {"message": self.reason}})).encode(),
            )
            return
        if self.refuse_limit and "max_tokens" in self.asked[-1]:
            reason = "Unsupported parameter: use 'max_completion_tokens' instead."
            self.answer(
                400,
                {"Content-Type": "application/json"},
                (json.dumps({"error": {"message": reason}})).encode(),
            )
            return
        pieces = [{"role": "assistant", "content": ""}, {"content": "Good"}, {"content": " day."}]
        events = [
            {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "toy",
             "choices": [{"index": 0, "delta": piece, "finish_reason": None}]}
            for piece in pieces
        ]  # fmt: skip
        lines = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
        self.answer(
            200, {"Content-Type": "text/event-stream"}, (f"{lines}data: [DONE]\n\n").encode()
        )


@pytest.fixture
def server() -> Iterator[tuple[str, type[Chat]]]:
    handler = type(
        "Handler",
        (Chat,),
        {"asked": [], "refuse": 0, "refuse_regex": 0, "refuse_limit": False, "reason": KEY},
    )
    with serve(handler) as port:
        yield f"http://127.0.0.1:{port}/v1", handler


def answer(url: str) -> str:
    chat = OpenAIChat("toy", url, SecretStr(KEY))
    return "".join(chat.stream(ASK, max_tokens=20, temperature=0.5))


def test_a_streamed_answer_joins_and_parameters_arrive(server: tuple[str, type[Chat]]) -> None:
    url, handler = server
    assert answer(url) == "Good day."
    asked = handler.asked[0]
    assert (asked["model"], asked["temperature"], asked["stream"]) == ("toy", 0.5, True)
    assert (asked["max_tokens"], "top_p" in asked) == (20, False)
    assert [m["role"] for m in asked["messages"]] == ["system", "user"]


@pytest.mark.parametrize(
    ("status", "error", "names"),
    [
        (401, ConfigurationError, "OPENAI_API_KEY"),
        (404, ConfigurationError, "OPENAI_MODEL_ID"),
        (400, DataError, r"refused the question: \*\*\*"),
        (500, BackendError, "OPENAI_BASE_URL"),
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
    with pytest.raises(BackendError, match=r"http://127\.0\.0\.1:9/v1.*OPENAI_BASE_URL"):
        answer("http://127.0.0.1:9/v1")


def test_openai_itself_needs_a_key() -> None:
    with pytest.raises(ConfigurationError, match="OPENAI_API_KEY"):
        OpenAIChat("gpt-4o-mini", "https://api.openai.com/v1", SecretStr(""))


def test_openai_itself_is_given_the_limit_by_its_newer_name() -> None:
    asked: list[dict[str, Any]] = []

    def chat(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content))
        return httpx.Response(200, content=b"data: [DONE]\n\n")

    official = OpenAIChat(
        "gpt-4o-mini",
        "https://api.openai.com/v1",
        SecretStr(KEY),
        top_p=0.9,
        transport=httpx.MockTransport(chat),
    )
    assert "".join(official.stream(ASK, max_tokens=20, temperature=0.5)) == ""
    assert (asked[0]["max_completion_tokens"], "max_tokens" in asked[0]) == (20, False)
    assert asked[0]["top_p"] == 0.9


def test_a_server_that_wants_the_newer_name_gets_it_from_then_on(
    server: tuple[str, type[Chat]],
) -> None:
    url, handler = server
    handler.refuse_limit = True
    chat = OpenAIChat("toy", url, SecretStr(""))
    for _ in range(2):
        assert "".join(chat.stream(ASK, max_tokens=20, temperature=0.5)) == "Good day."
    assert ["max_tokens" in asked for asked in handler.asked] == [True, False, False]


def test_a_filtered_answer_is_told_and_not_taken_for_a_whole_one() -> None:
    choice = {"delta": {}, "finish_reason": "content_filter"}
    said = f"data: {json.dumps({'choices': [choice]})}\n\n".encode()
    chat = OpenAIChat(
        "toy",
        "http://127.0.0.1:9/v1",
        transport=httpx.MockTransport(lambda _: httpx.Response(200, content=said)),
    )
    with pytest.raises(DataError, match="withheld the rest"):
        list(chat.stream(ASK, max_tokens=20, temperature=0.5))


def test_an_address_without_its_path_is_told() -> None:
    chat = OpenAIChat(
        "toy",
        "http://127.0.0.1:9",
        transport=httpx.MockTransport(lambda _: httpx.Response(404)),
    )
    with pytest.raises(ConfigurationError, match="check OPENAI_BASE_URL and OPENAI_MODEL_ID"):
        list(chat.stream(ASK, max_tokens=20, temperature=0.5))


TITLES = FromContext(
    name="title",
    open="**",
    close="**",
    values=["Alien", "Heat"],
    suffixes={"Alien": [" (1979)"]},
)


def answer_from_context(chat: OpenAIChat, *fields: FromContext) -> str:
    pieces = chat.stream_from_context(ASK, max_tokens=20, temperature=0.5, from_context=fields)
    return "".join(pieces)


def test_fields_from_the_context_are_sent_as_vllm_documents_it(
    server: tuple[str, type[Chat]],
) -> None:
    url, handler = server
    assert answer_from_context(OpenAIChat("toy", url, SecretStr("")), TITLES) == "Good day."
    (asked,) = handler.asked
    assert list(asked["structured_outputs"]) == ["regex"]
    allowed = asked["structured_outputs"]["regex"]
    assert re.fullmatch(allowed, "See **Alien** (1979), or *then* **Heat**.\nEnjoy!")
    assert not re.fullmatch(allowed, "See **Amadeus**.")


def test_without_fields_nothing_is_constrained(server: tuple[str, type[Chat]]) -> None:
    url, handler = server
    assert answer_from_context(OpenAIChat("toy", url, SecretStr(""))) == "Good day."
    assert "structured_outputs" not in handler.asked[0]


@pytest.mark.parametrize(
    ("status", "reason", "constrained"),
    [
        (400, "Unknown parameter: 'structured_outputs'.", [True, False, False]),
        (422, "structured_outputs: extra fields not permitted", [True, False, False]),
        (400, "this regular expression is too large", [True, False, True, False]),
    ],
)
def test_a_server_that_refuses_the_constraint_is_asked_without_it(
    server: tuple[str, type[Chat]], status: int, reason: str, constrained: list[bool]
) -> None:
    url, handler = server
    handler.refuse_regex, handler.reason = status, reason
    chat = OpenAIChat("toy", url, SecretStr(""))
    assert [answer_from_context(chat, TITLES) for _ in range(2)] == ["Good day."] * 2
    assert ["structured_outputs" in asked for asked in handler.asked] == constrained


def test_a_refusal_with_another_reason_is_told_and_not_taken_for_the_constraint(
    server: tuple[str, type[Chat]],
) -> None:
    url, handler = server
    handler.refuse = 400
    chat = OpenAIChat("toy", url, SecretStr(""))
    with pytest.raises(DataError, match="refused the question"):
        answer_from_context(chat, TITLES)
    handler.refuse = 0
    assert answer_from_context(chat, TITLES) == "Good day."
    assert ["structured_outputs" in asked for asked in handler.asked] == [True, False, True]
