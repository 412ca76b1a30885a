"""Server-Sent Events: named events as the servers' own routes send them, and OpenAI's unnamed ones."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing, suppress
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from rag_llm_system.domain.errors import BackendError
from rag_llm_system.infrastructure.serving.errors import STOPPING, error_body, reported, status_of

KEEP_ALIVE_S = 15.0
"""Proxies cut connections that are silent for 30 to 60 seconds."""
SEND_TIMEOUT_S = 60.0
"""A client that reads nothing for that long is taken for gone, so that it holds no generation."""

Event = tuple[str, Mapping[str, Any]]

_KEEP_ALIVE = b": keep-alive\n\n"
_DONE = b"data: [DONE]\n\n"
_END = b""


def error_data(error: Exception) -> dict[str, Any]:
    """What the ``error`` event holds: one line and the status it would have been answered with."""
    return {"error": reported(error, "an event stream"), "status": status_of(error)}


def event_stream(
    events: AsyncGenerator[Event],
    *,
    keep_alive_s: float = KEEP_ALIVE_S,
    failed: Callable[[Exception], Mapping[str, Any]] = error_data,
) -> Response:
    """``events`` as they come. An error after the first of them becomes the ``error`` event that ``failed`` makes;
    one before it is answered with its own status, as if nothing had been streamed (unless a keep-alive was).

    ``events`` runs in one task from its start to its end, and is cancelled and closed when the client leaves.
    """

    async def lines() -> AsyncGenerator[bytes]:
        async with aclosing(events):
            async for name, data in events:
                yield f"event: {name}\n".encode() + _data(data)

    def last_words(error: Exception) -> bytes:
        return b"event: error\n" + _data(failed(error))

    return _Streaming(lines(), last_words, keep_alive_s)


def data_stream(
    chunks: AsyncGenerator[Mapping[str, Any]], *, keep_alive_s: float = KEEP_ALIVE_S
) -> Response:
    """``chunks`` as OpenAI streams them: data without names, ``[DONE]`` at the end. Errors and clients that leave are
    treated as in ``event_stream``."""

    async def lines() -> AsyncGenerator[bytes]:
        async with aclosing(chunks):
            async for chunk in chunks:
                yield _data(chunk)
        yield _DONE

    def last_words(error: Exception) -> bytes:
        line = reported(error, "a stream of chunks")
        return _data(error_body("/v1/", status_of(error), line)) + _DONE

    return _Streaming(lines(), last_words, keep_alive_s)


def _data(value: Mapping[str, Any]) -> bytes:
    # JSON has no line breaks outside its strings and escapes those inside, so one data line is enough;
    # half a surrogate pair cannot be written in UTF-8 and becomes a question mark
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return b"data: " + text.encode("utf-8", "replace") + b"\n\n"


class _Streaming(Response):
    """Sends lines while it watches for the client to leave."""

    media_type = "text/event-stream"

    def __init__(
        self,
        lines: AsyncGenerator[bytes],
        last_words: Callable[[Exception], bytes],
        keep_alive_s: float,
    ) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._lines, self._last_words, self._keep_alive_s = lines, last_words, keep_alive_s
        self._started = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI
        # One task runs the generator from start to end: its context variables (the current trace) and its time
        # limits would not survive a task per event. The queue holds one line, so a slow client slows it down.
        queue: asyncio.Queue[bytes | Exception] = asyncio.Queue(maxsize=1)
        producing = asyncio.create_task(self._produce(queue))
        sending = asyncio.create_task(self._send(queue, send))
        leaving = asyncio.create_task(client_left(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
        except asyncio.CancelledError:  # uvicorn's way to end what is left when it stops
            if not self._started:
                raise
            await _cancelled(producing, sending, leaving)
            await send(_body(self._last_words(BackendError(STOPPING)), more=False))
        finally:
            await _cancelled(producing, sending, leaving)

    async def _produce(self, queue: "asyncio.Queue[bytes | Exception]") -> None:
        try:
            async with aclosing(self._lines):
                async for line in self._lines:
                    await queue.put(line)
        except Exception as error:  # noqa: BLE001 - handed over to the sender, which tells the client
            await queue.put(error)
        await queue.put(_END)

    async def _send(self, queue: "asyncio.Queue[bytes | Exception]", send: Send) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        async for item in _with_keep_alive(queue, self._keep_alive_s):
            if isinstance(item, Exception) and not self._started:
                raise item
            if not self._started:
                await _sent(send, start)
                self._started = True
            if isinstance(item, Exception):
                item = self._last_words(item)
            await _sent(send, _body(item, more=bool(item)))


async def _cancelled(*tasks: "asyncio.Task[None]") -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _with_keep_alive(
    queue: "asyncio.Queue[bytes | Exception]", keep_alive_s: float
) -> AsyncIterator[bytes | Exception]:
    """What is in the queue, up to and with its end."""
    item: bytes | Exception = _KEEP_ALIVE
    while item != _END:
        item = _KEEP_ALIVE
        with suppress(TimeoutError):
            async with asyncio.timeout(keep_alive_s):
                item = await queue.get()
        yield item


async def _sent(send: Send, message: Message) -> None:
    try:
        async with asyncio.timeout(SEND_TIMEOUT_S):
            await send(message)
    except TimeoutError as error:
        raise ClientDisconnect from error


def _body(body: bytes, *, more: bool) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}


async def client_left(receive: Receive) -> None:
    """Returns when the client is gone. The request's body must have been read."""
    while (await receive())["type"] != "http.disconnect":
        continue
