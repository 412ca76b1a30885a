"""One form for every error a server answers with: a status and one line, and nothing of its insides."""

import asyncio
import logging
import math
import re
import traceback
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import uuid4

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag_llm_system.domain.errors import (
    ConfigurationError,
    DataError,
    DeadlineExceeded,
    Overloaded,
    RagSystemError,
)
from rag_llm_system.domain.redaction import redact

OPENAI_PREFIX = "/v1/"
"""Below this path errors have the form that OpenAI's clients read."""

_MAX_LINE_CHARS = 500
_MAX_FIELDS_NAMED = 5
STOPPING = "the server is stopping; ask again"
_INTERNAL = "internal error; the server's log has it"

# from the particular to the general: the first that fits decides
_STATUSES: tuple[tuple[type[Exception], int], ...] = (
    (ConfigurationError, 400),
    (DataError, 422),
    (Overloaded, 429),
    (DeadlineExceeded, 504),
    (RagSystemError, 503),
    (RequestValidationError, 422),
)
# what OpenAI's own API calls them; its clients choose their exception by the status
_OPENAI_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
_OPENAI_CODES = {401: "invalid_api_key", 404: "not_found", 429: "rate_limit_exceeded"}

_ADDRESS = re.compile(r"\b[a-z][a-z+]*://[^\s,;)\"']*[^\s,;:.)\"']")

_logger = logging.getLogger(__name__)


class ErrorBody(BaseModel):
    """What was wrong and what to do, in one line."""

    error: str


class OpenAIError(BaseModel):
    """The same as OpenAI's clients read it."""

    message: str
    type: str
    param: str | None
    code: str | None


class OpenAIErrorBody(BaseModel):
    """The body of an error below ``/v1/``."""

    error: OpenAIError


_DESCRIPTIONS = {
    400: "The request cannot be read, or names what this server does not have",
    401: "The API key is missing or wrong",
    403: "A page of another site asked",
    404: "No such path",
    405: "No such method here",
    408: "The body took too long to arrive",
    413: "The body is too large",
    414: "The path is too long",
    415: "The body is not JSON",
    421: "The server does not answer to that host name",
    422: "A field is missing or wrong",
    431: "The headers are too large",
    429: "Too many requests; Retry-After has the seconds to wait",
    500: "Internal error; the server's log has it",
    503: "What answers is loading or down",
    504: "The deadline passed",
}


def _responses(model: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    return {status: {"model": model, "description": d} for status, d in _DESCRIPTIONS.items()}


error_responses = _responses(ErrorBody)
"""For FastAPI's ``responses=``: the schema then says what errors really look like."""
openai_error_responses = _responses(OpenAIErrorBody)
"""The same for routes below ``/v1/``."""


def status_of(error: Exception) -> int:
    """The HTTP status an error is answered with."""
    if isinstance(error, HTTPException):
        return error.status_code
    return next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)


def said(error: Exception) -> str:
    """What a client reads of an error: one line without secrets. Of what we did not foresee it says nothing."""
    match error:
        case RequestValidationError():
            return one_line(_wrong_fields(error.errors()))
        case HTTPException():
            return one_line(str(error.detail))
        case RagSystemError() if status_of(error) >= 500:
            # where things are behind this server is nothing for its clients; the log has it
            return one_line(_ADDRESS.sub("[address]", str(error)))
        case RagSystemError():
            return one_line(str(error))
        case _:
            return _INTERNAL


def reported(error: Exception, doing: str) -> str:
    """``said``; what we did not foresee goes to the log with its traceback, and the line names where it is there.

    What failed behind this server goes to the log as well, with its address.
    """
    if isinstance(error, RagSystemError) and status_of(error) >= 500:
        _logger.warning("%s: %s", one_line(doing), one_line(str(error)))
    if status_of(error) != 500 or isinstance(error, HTTPException):
        return said(error)
    number = uuid4().hex[:12]
    # redacted here, as nobody knows who formats the log
    trace = redact("".join(traceback.format_exception(error)))
    _logger.error("error %s in %s\n%s", number, one_line(doing), trace)
    return f"{_INTERNAL} under {number}"


def error_body(path: str, status: int, message: str) -> dict[str, Any]:
    """The JSON of an error on that path."""
    if not path.startswith(OPENAI_PREFIX):
        return {"error": message}
    kind = _OPENAI_TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    code = _OPENAI_CODES.get(status)
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def error_response(
    path: str, status: int, message: str, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """An error in the form of the path it is on; for middlewares, which answer before there is a route."""
    return JSONResponse(error_body(path, status, message), status_code=status, headers=headers)


def retry_after(seconds: float) -> dict[str, str]:
    """The header that says when to ask again, in whole seconds, at least one."""
    return {"Retry-After": str(max(1, math.ceil(seconds)))}


def one_line(text: str) -> str:
    """``text`` without secrets, line breaks, other control characters and lone surrogates, and not too long."""
    text = text.encode("utf-8", "replace").decode()
    line = " ".join("".join(c if c.isprintable() else " " for c in redact(text)).split())
    return line if len(line) <= _MAX_LINE_CHARS else f"{line[: _MAX_LINE_CHARS - 4]} ..."


def install_error_handlers(app: FastAPI) -> None:
    """Every error of ``app`` is answered in this form. Call it before ``protect`` and ``ServerMetrics.install``."""
    for kind in (RagSystemError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, _answer)
    app.add_middleware(_Unforeseen)


async def _answer(request: Request, error: Exception) -> JSONResponse:
    path = request.scope["path"]
    headers = dict(getattr(error, "headers", None) or {})
    if isinstance(error, Overloaded):
        headers |= retry_after(error.retry_after_s)
    return error_response(path, status_of(error), _with_names(request, error), headers)


def _with_names(request: Request, error: Exception) -> str:
    """Starlette's own two lines name neither the path nor what would be allowed."""
    path = request.scope["path"]
    line = reported(error, f"{request.method} {path}")
    if line == "Not Found":
        return one_line(f"no such path: {path}")
    if line == "Method Not Allowed" and isinstance(error, HTTPException):
        allowed = (error.headers or {}).get("Allow", "")
        return one_line(f"{request.method} is not allowed on {path}; allowed: {allowed}")
    return line


def _wrong_fields(errors: Iterable[Any]) -> str:
    wrong = list(errors)
    # the first place is "body", "query" or "path": people look for the field
    lines = [
        f"{'.'.join(map(str, e['loc'][1:])) or e['loc'][0]}: {e['msg'].removeprefix('Value error, ')}"
        for e in wrong[:_MAX_FIELDS_NAMED]
    ]
    more = len(wrong) - _MAX_FIELDS_NAMED
    return "; ".join([*lines, *([f"and {more} more"] if more > 0 else [])])


class _Unforeseen:
    """The last resort inside the server: an id for the client, the traceback for the log.

    Starlette's own raises again after it answered, and the server then logs the traceback with its secrets.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except ClientDisconnect:
            return
        except asyncio.CancelledError:  # uvicorn's way to end what is left when it stops
            if not started:
                stopping = error_response(scope["path"], 503, STOPPING)
                await stopping(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - the edge: what nobody foresaw is logged, and answered as that
            line = reported(error, f"{scope['method']} {scope['path']}")
            # after the first byte nothing can be said; the connection is cut, which the client notices
            if not started:
                await error_response(scope["path"], 500, line)(scope, receive, send)
