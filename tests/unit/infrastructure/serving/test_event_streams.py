"""Server-Sent Events as they go out, and what happens to their source when something ends early."""

import asyncio
import contextvars
import json
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import pytest
from fastapi import Response
from starlette.types import Message

from rag_llm_system.domain.errors import BackendError, Overloaded
from rag_llm_system.infrastructure.serving.sse import Event, data_stream, event_stream

PLACE: contextvars.ContextVar[str] = contextvars.ContextVar("place")


class Client:
    """Takes what is sent; leaves after ``leaves_after`` messages."""

    def __init__(self, leaves_after: int = 10_000) -> None:
        self.messages: list[Message] = []
        self.left = asyncio.Event()
        self._leaves_after = leaves_after

    async def send(self, message: Message) -> None:
        self.messages.append(message)
        if len(self.messages) >= self._leaves_after:
            self.left.set()

    async def receive(self) -> Message:
        await self.left.wait()
        return {"type": "http.disconnect"}

    @property
    def text(self) -> str:
        return b"".join(m.get("body", b"") for m in self.messages).decode()

    @property
    def ended(self) -> bool:
        return bool(self.messages) and self.messages[-1].get("more_body") is False


def sent(response: Response, client: Client | None = None) -> Client:
    async def run() -> Client:
        taking = client or Client()
        async with asyncio.timeout(10):
            await response({"type": "http"}, taking.receive, taking.send)
        return taking

    return asyncio.run(run())


async def events(*names: str, error: Exception | None = None) -> AsyncGenerator[Event]:
    for name in names:
        yield name, {"text": "a\nb \u2028"}
    if error:
        raise error


async def chunks(*texts: str, error: Exception | None = None) -> AsyncGenerator[Mapping[str, Any]]:
    for text in texts:
        yield {"text": text}
    if error:
        raise error


def test_named_events_go_out_as_they_come() -> None:
    client = sent(event_stream(events("token", "done")))
    data = 'data: {"text": "a\\nb \u2028"}'
    assert client.text == f"event: token\n{data}\n\nevent: done\n{data}\n\n"
    assert client.ended


def test_nobody_keeps_or_holds_back_a_stream() -> None:
    headers = event_stream(events()).headers
    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert headers["cache-control"] == "no-store"
    assert headers["x-accel-buffering"] == "no"
    assert "content-length" not in headers


def test_openais_chunks_have_no_names_and_end_with_done() -> None:
    client = sent(data_stream(chunks("a", "b")))
    assert client.text == 'data: {"text": "a"}\n\ndata: {"text": "b"}\n\ndata: [DONE]\n\n'
    assert client.ended


def test_a_stream_without_events_is_an_answer_too() -> None:
    client = sent(event_stream(events()))
    assert client.messages[0]["status"] == 200
    assert (client.text, client.ended) == ("", True)


def test_an_error_after_the_first_event_is_the_last_event() -> None:
    client = sent(event_stream(events("token", error=BackendError("down, api_key=abc123"))))
    last = client.text.split("\n\n")[-2]
    assert last == 'event: error\ndata: {"error": "down, api_key=***", "status": 503}'
    assert client.ended


def test_the_error_event_can_say_more() -> None:
    stream = event_stream(
        events("token", error=BackendError("down")),
        failed=lambda error: {"error": str(error), "trace_id": "1"},
    )
    assert sent(stream).text.endswith('event: error\ndata: {"error": "down", "trace_id": "1"}\n\n')


def test_an_unforeseen_error_shows_nothing(caplog: pytest.LogCaptureFixture) -> None:
    client = sent(event_stream(events("token", error=ValueError("/home/ada"))))
    error = json.loads(client.text.split("data: ")[-1])
    assert error["status"] == 500
    assert "ada" not in error["error"]
    assert "ValueError: /home/ada" in caplog.text


def test_an_error_in_a_stream_for_openais_clients_has_their_form() -> None:
    client = sent(data_stream(chunks("a", error=BackendError("down"))))
    error, done = client.text.split("\n\n")[1:3]
    assert json.loads(error.removeprefix("data: "))["error"]["message"] == "down"
    assert done == "data: [DONE]"


@pytest.mark.parametrize("make", [event_stream, data_stream])
def test_an_error_before_the_first_event_is_raised_so_that_it_has_its_own_status(make: Any) -> None:
    client = Client()
    source = events if make is event_stream else chunks
    with pytest.raises(Overloaded):
        sent(make(source(error=Overloaded("full"))), client)
    assert client.messages == []


def test_what_json_cannot_say_is_an_error_and_half_a_character_a_question_mark() -> None:
    assert '{"text": "a?"}' in sent(data_stream(chunks("a\ud800"))).text
    assert "internal error" in sent(data_stream(not_a_number())).text


async def not_a_number() -> AsyncGenerator[Mapping[str, Any]]:
    yield {"value": 1.0}
    yield {"value": float("nan")}


def test_silence_is_filled_with_comments() -> None:
    async def late() -> AsyncGenerator[Event]:
        await comments.wait()
        yield "done", {}

    class Listening(Client):
        async def send(self, message: Message) -> None:
            await super().send(message)
            if self.text.count(": keep-alive\n\n") == 2:
                comments.set()

    comments = asyncio.Event()
    assert sent(event_stream(late(), keep_alive_s=0.001), Listening()).text.endswith(
        ": keep-alive\n\nevent: done\ndata: {}\n\n"
    )


def test_a_client_that_leaves_ends_the_source_where_it_waits() -> None:
    closed = []

    async def endless() -> AsyncGenerator[Event]:
        try:
            yield "token", {}
            await asyncio.Event().wait()
        finally:
            closed.append("waiting")

    client = sent(event_stream(endless()), Client(leaves_after=2))
    assert closed == ["waiting"]
    assert not client.ended


def test_a_client_that_leaves_ends_a_source_that_never_waits() -> None:
    closed = []

    async def endless() -> AsyncGenerator[Event]:
        try:
            while True:
                yield "token", {}
        finally:
            closed.append("at a yield")

    class Reading(Client):
        async def send(self, message: Message) -> None:
            await asyncio.sleep(0)
            await super().send(message)

    sent(event_stream(endless()), Reading(leaves_after=5))
    assert closed == ["at a yield"]


def test_a_client_that_reads_nothing_holds_the_source_back() -> None:
    made = []

    async def counting() -> AsyncGenerator[Event]:
        for number in range(1000):
            made.append(number)
            yield "token", {}

    class Stuck(Client):
        async def send(self, message: Message) -> None:
            await super().send(message)
            if len(self.messages) == 3:
                for _ in range(50):
                    await asyncio.sleep(0)
                self.left.set()
                await asyncio.Event().wait()

    sent(event_stream(counting()), Stuck())
    assert len(made) <= 5


def test_the_source_keeps_its_context_from_start_to_end() -> None:
    async def traced() -> AsyncGenerator[Event]:
        token = PLACE.set("here")
        try:
            yield "token", {}
            yield "done", {"place": PLACE.get()}
        finally:
            PLACE.reset(token)

    assert '{"place": "here"}' in sent(event_stream(traced())).text


def test_a_server_that_stops_says_so_to_whom_it_was_writing() -> None:
    async def endless() -> AsyncGenerator[Event]:
        yield "token", {"text": "a"}
        await asyncio.Event().wait()

    async def stopped() -> Client:
        client = Client()
        response = event_stream(endless())
        writing = asyncio.create_task(response({"type": "http"}, client.receive, client.send))
        while len(client.messages) < 2:
            await asyncio.sleep(0)
        writing.cancel()  # as uvicorn does with what is left
        await writing
        return client

    client = asyncio.run(stopped())
    assert client.text.endswith(
        'event: error\ndata: {"error": "the server is stopping; ask again", "status": 503}\n\n'
    )
    assert client.ended
