"""Handing requests on to a server with OpenAI's protocol."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from rag_llm_system.domain.errors import (
    BackendError,
    ConfigurationError,
    DataError,
    Overloaded,
)
from rag_llm_system.domain.from_context import FromContext
from rag_llm_system.infrastructure.local.protocol import EngineStats
from rag_llm_system.infrastructure.local.upstream import UpstreamEngine
from tests.engine_answers import WAIT_S, Heard, answer, ask

URL = "http://upstream.test:8080/v1"
MODELS = {"object": "list", "data": [{"id": "llama", "object": "model"}]}
FIELD = FromContext(open="**", close="**", values=["Alien"])
Handler = Callable[[httpx.Request], httpx.Response]


def event(**chunk: Any) -> str:
    return f"data: {json.dumps(chunk)}\n\n"


def piece(text: str, finish: str | None = None) -> str:
    return event(choices=[{"index": 0, "delta": {"content": text}, "finish_reason": finish}])


USAGE = event(choices=[], usage={"prompt_tokens": 7, "completion_tokens": 3})
WHOLE = [
    ": a comment\n\n",
    event(choices=[{"index": 0, "delta": {"role": "assistant", "content": ""}}]),
    piece("In "),
    piece("the 東京 store."),
    event(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}]),
    USAGE,
    "data: [DONE]\n\n",
]


class Server:
    """Answers with ``events``, or as ``answers`` says; keeps what it was asked."""

    def __init__(self, *events: str, answers: Handler | None = None) -> None:
        self.asked: list[dict[str, Any]] = []
        self.headers = httpx.Headers()
        self._events = events or WHOLE
        self._answers = answers

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.headers = request.headers
        if request.url.path.endswith("/models"):
            return httpx.Response(200, json=MODELS)
        self.asked.append(json.loads(request.content))
        if self._answers:
            return self._answers(request)
        return httpx.Response(200, text="".join(self._events))


@contextmanager
def engine_of(handler: Handler, **options: Any) -> Iterator[UpstreamEngine]:
    engine = UpstreamEngine(URL, transport=httpx.MockTransport(handler), **options)
    try:
        yield engine
    finally:
        engine.close()


def test_an_answer_is_streamed_and_counted_as_the_server_counts():
    server = Server()

    with engine_of(server) as engine:
        heard = Heard()
        ask(engine, heard, stop=["\n"], temperature=0.5)
        end = heard.end()

        assert heard.pieces == ["In ", "the 東京 store."]
        assert end == ("stop", 7, 3)
        assert (engine.model_id, engine.device) == ("llama", "upstream")
        assert engine.stats() == EngineStats(running=0, waiting=0, max_waiting=32)
    [asked] = server.asked
    assert asked["messages"] == [{"role": "user", "content": "Where are the vectors kept?"}]
    assert (asked["model"], asked["max_tokens"], asked["temperature"]) == ("llama", 12, 0.5)
    assert (asked["stop"], asked["stream_options"]) == (["\n"], {"include_usage": True})


def test_the_key_goes_with_every_request_and_a_named_model_is_not_asked_for():
    server = Server()

    with engine_of(server, api_key=SecretStr("secret-key"), model_id="named") as engine:
        answer(engine)

    assert server.headers["authorization"] == "Bearer secret-key"
    assert [asked["model"] for asked in server.asked] == ["named"]


def test_without_usage_the_pieces_are_counted_and_the_length_limit_is_told():
    with engine_of(Server(piece("a"), piece("b", "length"))) as engine:
        assert answer(engine) == ("ab", ("length", 0, 2))


@pytest.mark.parametrize(
    ("status", "headers", "kind", "said"),
    [
        (400, {}, DataError, "refused the request: too long"),
        (422, {}, DataError, "refused the request: too long"),
        (401, {}, ConfigurationError, "refused the key"),
        (404, {}, ConfigurationError, "no model 'llama'"),
        (429, {"Retry-After": "7"}, Overloaded, "takes no more now"),
        (503, {}, Overloaded, "takes no more now"),
        (500, {}, BackendError, "answered 500"),
    ],
)
def test_a_refusal_is_told_in_our_words(
    status: int, headers: dict[str, str], kind: type[Exception], said: str
):
    body = {"error": {"message": "too long", "type": "BadRequestError"}}
    server = Server(answers=lambda _: httpx.Response(status, headers=headers, json=body))

    with engine_of(server) as engine:
        text, error = answer(engine)

    assert text == ""
    assert type(error) is kind
    assert said in str(error)
    assert getattr(error, "retry_after_s", 7.0 if headers else 2.0) == (7.0 if headers else 2.0)


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([piece("In ")], "ended the answer early"),
        ([piece("In "), event(error={"message": "the engine died"})], "the engine died"),
        ([piece("In "), "data: {broken\n\n"], "what is no JSON"),
        ([piece("In "), "data: [1]\n\n"], "no JSON object"),
        ([piece("In "), event(choices=7)], r"sent what is no answer \(TypeError\)"),
    ],
)
def test_an_answer_that_breaks_off_fails_the_request_only(events: list[str], said: str):
    server = Server(*events)

    with engine_of(server) as engine:
        text, error = answer(engine)

        assert text == "In "
        assert isinstance(error, BackendError)
        assert engine.stats().running == engine.stats().waiting == 0
    with pytest.raises(BackendError, match=said):
        raise error


def test_a_server_that_is_not_there_is_named_with_the_setting():
    def nobody(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(BackendError, match=r"upstream.test:8080/v1.*set INFERENCE_UPSTREAM_URL"):
        UpstreamEngine(URL, transport=httpx.MockTransport(nobody))


def test_a_server_without_models_is_no_model_server():
    page = httpx.MockTransport(lambda _: httpx.Response(200, text="<html>"))

    with pytest.raises(BackendError, match="names no model"):
        UpstreamEngine(URL, transport=page)


@pytest.mark.parametrize("url", ["", "upstream:8080", "ftp://upstream/v1", "http://host:port/v1"])
def test_an_address_that_is_none_says_what_one_looks_like(url: str):
    with pytest.raises(ConfigurationError, match="is no URL; it looks like http://127"):
        UpstreamEngine(url)


def test_a_password_in_the_address_is_not_shown():
    server = Server(answers=lambda _: httpx.Response(500))

    engine = UpstreamEngine(
        "http://me:hush@upstream.test/v1", transport=httpx.MockTransport(server)
    )
    _, error = answer(engine)
    engine.close()

    assert "upstream.test" in str(error)
    assert "hush" not in str(error)


def test_fields_are_held_by_a_regular_expression():
    server = Server()

    with engine_of(server, regex_of=lambda fields: f"regex of {fields[0].open}") as engine:
        answer(engine, from_context=[FIELD])

    assert server.asked[0]["structured_outputs"] == {"regex": "regex of **"}


def test_a_server_that_knows_no_regular_expressions_is_asked_without_and_from_then_on():
    def picky(request: httpx.Request) -> httpx.Response:
        if "structured_outputs" in json.loads(request.content):
            return httpx.Response(400, json={"message": "unknown field structured_outputs"})
        return httpx.Response(200, text="".join(WHOLE))

    server = Server(answers=picky)

    with engine_of(server, regex_of=lambda _: "x") as engine:
        answers = [answer(engine, from_context=[FIELD])[0] for _ in range(2)]

    assert answers == ["In the 東京 store."] * 2
    assert ["structured_outputs" in asked for asked in server.asked] == [True, False, False]


class Hanging(httpx.AsyncByteStream):
    """Sends one piece, or none, and then nothing more until the client leaves."""

    def __init__(self, *, first: str = "") -> None:
        self._first = first
        self.closed = threading.Event()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._first:
            yield self._first.encode()
        await asyncio.Event().wait()

    async def aclose(self) -> None:
        self.closed.set()


def test_cancelling_closes_the_connection():
    stream = Hanging(first=piece("In "))
    server = Server(answers=lambda _: httpx.Response(200, stream=stream))

    with engine_of(server) as engine:
        heard = Heard()
        generation = ask(engine, heard)
        assert heard.started.wait(WAIT_S)
        assert (engine.stats().running, engine.stats().waiting) == (1, 0)
        generation.cancel()
        end = heard.end()
        generation.cancel()

        assert end == ("cancelled", 0, 1)
        assert stream.closed.wait(WAIT_S)
        assert (engine.stats().running, engine.stats().waiting) == (0, 0)


def test_who_is_cancelled_at_once_is_told_so():
    server = Server(answers=lambda _: httpx.Response(200, stream=Hanging()))

    with engine_of(server, max_waiting=1) as engine:
        for _ in range(20):
            heard = Heard()
            ask(engine, heard).cancel()
            assert heard.end() == ("cancelled", 0, 0)
        assert engine.stats() == EngineStats(running=0, waiting=0, max_waiting=1)


def test_more_than_may_wait_are_sent_away():
    server = Server(answers=lambda _: httpx.Response(200, stream=Hanging()))

    with engine_of(server, max_waiting=2) as engine:
        heard = [Heard(), Heard()]
        for one in heard:
            ask(engine, one)
        with pytest.raises(Overloaded, match="2 requests are waiting already"):
            ask(engine, Heard())
        assert engine.stats() == EngineStats(running=0, waiting=2, max_waiting=2)

    assert [one.end()[0] for one in heard] == ["cancelled", "cancelled"]


def test_closing_cancels_and_takes_no_more():
    stream = Hanging(first=piece("In "))
    server = Server(answers=lambda _: httpx.Response(200, stream=stream))
    threads = threading.active_count()

    with engine_of(server) as engine:
        heard = Heard()
        ask(engine, heard)
        assert heard.started.wait(WAIT_S)
    engine.close()

    assert heard.end()[0] == "cancelled"
    assert threading.active_count() == threads
    with pytest.raises(BackendError, match="has stopped"):
        ask(engine, Heard())
