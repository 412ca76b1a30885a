"""Reads a request's body for the server: JSON of bounded size, depth and numbers, within a time limit."""

import asyncio
import json
import math
import re
from typing import Any

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag_llm_system.infrastructure.serving.errors import error_response

MAX_BODY_BYTES = 1_000_000
"""A question with its history is a few kilobytes."""
BODY_TIMEOUT_S = 20.0
"""How long a body may take to arrive; a client that sends a byte now and then would hold a connection for ever."""
MAX_DEPTH = 64
"""Requests of OpenAI's clients nest a dozen deep; Python's own limit depends on who calls."""

# the worst of that size take 5 ms, measured; from there on other requests go on meanwhile
_LARGE_BYTES = 50_000
_MAX_DIGITS = 19  # of a whole number in 64 bits
_WITH_BODY = {"POST", "PUT", "PATCH", "DELETE"}
_JSON_TYPE = re.compile(r"application/(?:[\w.!#$&^-]+\+)?json", re.ASCII)
_SURROGATE = re.compile("[\ud800-\udfff]")


class JsonBodies:
    """Hands on a body that was read and looked through as a whole; what follows still hears that the client left."""

    def __init__(self, app: ASGIApp, *, max_bytes: int, timeout_s: float) -> None:
        self._app, self._max_bytes, self._timeout_s = app, max_bytes, timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            body = await self._read(Headers(scope=scope), scope["method"], receive)
        except ClientDisconnect:
            return
        except HTTPException as refused:
            status = refused.status_code
            # what a slow client sends later is not read any more
            headers = {"Connection": "close"} if status == 408 else {}
            answer = error_response(scope["path"], status, refused.detail, headers)
            await answer(scope, receive, send)
            return
        waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def received() -> Message:
            return waiting.pop() if waiting else await receive()

        await self._app(scope, received, send)

    async def _read(self, headers: Headers, method: str, receive: Receive) -> bytes:
        """The body. Raises HTTPException where it is refused, and ClientDisconnect."""
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length[:20]) > self._max_bytes:
            raise self._too_large()
        has_body = length != "0" or "transfer-encoding" in headers
        if has_body and method in _WITH_BODY:
            _check_type(headers)
        try:
            async with asyncio.timeout(self._timeout_s):
                body = await self._received(receive)
        except TimeoutError:
            raise HTTPException(
                408, f"the body did not arrive within {self._timeout_s:g} s"
            ) from None
        if body and method in _WITH_BODY:
            if len(body) < _LARGE_BYTES:
                check_json(body)
            else:
                await asyncio.to_thread(check_json, body)
        return body

    async def _received(self, receive: Receive) -> bytes:
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self._max_bytes:
                raise self._too_large()
        return bytes(body)

    def _too_large(self) -> HTTPException:
        return HTTPException(413, f"the body is too large; at most {self._max_bytes:,} bytes")


def check_json(body: bytes) -> None:
    """Raises HTTPException for what is no JSON, and for JSON that breaks whoever takes it for harmless: deep nesting,
    numbers that no 64 bits hold, text that UTF-8 cannot write, NUL characters."""
    try:
        # a byte order mark is what some editors put before it
        value = json.loads(
            body.decode("utf-8-sig"),
            parse_constant=_no_number,
            parse_int=_whole_number,
            parse_float=_finite_number,
        )
    except UnicodeDecodeError:
        raise HTTPException(400, "the body is not UTF-8") from None
    except RecursionError:
        raise HTTPException(422, _TOO_DEEP) from None
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise HTTPException(400, f"the body is no JSON: {error.msg} at {place}") from None
    _check_values(value)


_TOO_DEEP = f"the body is nested too deep; at most {MAX_DEPTH} levels"


def _check_values(value: Any) -> None:
    """Level by level, so that depth costs no stack."""
    level: list[Any] = [[value]]
    for _ in range(MAX_DEPTH + 1):
        values = [v for holder in level for v in _held(holder)]
        for text in values:
            if isinstance(text, str):
                _check_text(text)
        level = [v for v in values if isinstance(v, dict | list)]
        if not level:
            return
    raise HTTPException(422, _TOO_DEEP)


def _held(holder: dict[str, Any] | list[Any]) -> list[Any]:
    return [*holder.keys(), *holder.values()] if isinstance(holder, dict) else holder


def _check_text(text: str) -> None:
    if "\0" in text:
        raise HTTPException(422, "the body has a NUL character in a text")
    if _SURROGATE.search(text):
        raise HTTPException(422, "the body has half of a surrogate pair in a text")


def _check_type(headers: Headers) -> None:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if not _JSON_TYPE.fullmatch(kind):
        raise HTTPException(415, "the body must be JSON; send it as Content-Type: application/json")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise HTTPException(415, "the body must not be compressed")


def _no_number(name: str) -> Any:
    raise HTTPException(422, f"the body has {name}, which is no JSON number")


def _whole_number(digits: str) -> int:
    if len(digits.lstrip("-")) > _MAX_DIGITS:
        raise HTTPException(422, f"the body has a whole number of more than {_MAX_DIGITS} digits")
    return int(digits)


def _finite_number(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise HTTPException(422, "the body has a number that is too large")
    return number
