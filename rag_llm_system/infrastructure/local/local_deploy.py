"""The inference server: ``POST /infer`` with or without streaming, and ``GET /health``."""

import asyncio
import json
import logging
import queue
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any, Literal

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, StreamingResponse

from rag_llm_system.domain.errors import DataError, RagSystemError
from rag_llm_system.domain.redaction import redact
from rag_llm_system.infrastructure.local.governance import COMPLIANT, GovernanceMonitor
from rag_llm_system.infrastructure.local.pending import Done, Failed, PendingAnswer
from rag_llm_system.infrastructure.local.protocol import (
    Engine,
    InferRequest,
    InferResponse,
    RunningGeneration,
    Usage,
)

_RETRY_LOADING_S, _RETRY_FULL_S = 5, 2
_WITHHELD = Done(reason="withheld", prompt_tokens=0, completion_tokens=0)

Event = tuple[str, dict[str, Any]]
_logger = logging.getLogger(__name__)


class _LoadedEngine:
    """The engine, loaded in a thread so that ``/health`` answers from the start."""

    def __init__(self, load: Callable[[], Engine]) -> None:
        self._task = asyncio.create_task(asyncio.to_thread(load))
        self._task.add_done_callback(_log_unforeseen)

    @property
    def status(self) -> Literal["loading", "ready", "failed"]:
        if not self._task.done():
            return "loading"
        return "failed" if self._task.exception() else "ready"

    @property
    def error(self) -> str:
        """Why loading failed; what we did not foresee is named by its type only."""
        error = self._task.exception() if self._task.done() else None
        if isinstance(error, RagSystemError):
            return redact(str(error))
        return f"the model could not be loaded ({type(error).__name__})" if error else ""

    @property
    def engine(self) -> Engine:
        return self._task.result()

    async def close(self) -> None:
        """Waits for a load in work: a thread cannot be interrupted, and what it loads must be closed."""
        await asyncio.wait([self._task])
        if self.status == "ready":
            await asyncio.to_thread(self.engine.close)


def _log_unforeseen(task: "asyncio.Task[Engine]") -> None:
    error = None if task.cancelled() else task.exception()
    if error and not isinstance(error, RagSystemError):
        _logger.error("loading the model failed", exc_info=error)


def create_app(load_engine: Callable[[], Engine], governance: GovernanceMonitor) -> FastAPI:
    """``load_engine`` runs in a thread when the server starts; the app closes the engine when it stops."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.loaded = _LoadedEngine(load_engine)
        yield
        await app.state.loaded.close()

    app = FastAPI(title="rag-llm-system inference", lifespan=lifespan)
    app.add_exception_handler(RequestValidationError, _invalid)

    @app.get("/health")
    async def health() -> dict[str, str]:
        loaded: _LoadedEngine = app.state.loaded
        if loaded.status == "ready":
            engine = loaded.engine
            return {"status": "ready", "device": engine.device, "model": engine.model_id}
        return {"status": loaded.status, **({"error": loaded.error} if loaded.error else {})}

    @app.post("/infer", response_model=InferResponse)
    async def infer(body: InferRequest, request: Request) -> Any:
        loaded: _LoadedEngine = app.state.loaded
        if loaded.status == "failed":
            return _refused(503, loaded.error)
        if loaded.status == "loading":
            return _refused(503, "the model is loading", retry_after_s=_RETRY_LOADING_S)
        return await _infer(loaded.engine, body, request, governance)

    return app


async def _infer(
    engine: Engine, body: InferRequest, request: Request, governance: GovernanceMonitor
) -> Any:
    status = governance.status_of(body.text)
    if status != COMPLIANT:
        return _blocked(body, status, governance)
    answer = PendingAnswer(asyncio.get_running_loop())
    try:
        generation = await asyncio.to_thread(_start, engine, body, answer)
    except DataError as error:
        return _refused(422, redact(str(error)))
    except queue.Full as error:
        return _refused(429, str(error) or "too many requests wait", retry_after_s=_RETRY_FULL_S)
    except RagSystemError as error:
        return _refused(503, redact(str(error)))
    events = _answer(body, request, answer, generation, governance)
    return _event_stream(events) if body.stream else await _whole(events)


async def _whole(events: AsyncGenerator[Event]) -> Any:
    """The answer without streaming."""
    async with aclosing(events):
        async for name, value in events:
            if name == "error":
                return _refused(500, value["error"])
            if name == "done":
                return InferResponse.model_validate(value)
    return _refused(499, "the client left")


def _start(engine: Engine, body: InferRequest, answer: PendingAnswer) -> RunningGeneration:
    return engine.start(
        body.conversation,
        answer,
        max_new_tokens=body.max_new_tokens,
        temperature=body.temperature,
        top_p=body.top_p,
        stop=body.stop,
        from_context=body.from_context,
    )


async def _answer(
    body: InferRequest,
    request: Request,
    answer: PendingAnswer,
    generation: RunningGeneration,
    governance: GovernanceMonitor,
) -> AsyncGenerator[Event]:
    """``token`` events, then ``done`` or ``error``; neither when the client left, which cancels."""
    gate = governance.gate()
    text = ""
    status = "cancelled"
    try:
        async with aclosing(answer.events(until=_disconnected(request))) as events:
            async for event in events:
                if isinstance(event, Failed):
                    status = "failed"
                    yield "error", {"error": redact(event.reason)}
                    return
                piece = gate.finish() if isinstance(event, Done) else gate.add(event)
                text += piece
                if piece:
                    yield "token", {"text": piece}
                if isinstance(event, Done) or gate.status != COMPLIANT:
                    status = gate.status
                    yield "done", _done(gate.status, text, event)
                    return
    finally:
        generation.cancel()
        governance.log_inference(body.text, text, status)


def _done(status: str, text: str, event: Done | str) -> dict[str, Any]:
    ended = event if isinstance(event, Done) else _WITHHELD
    return InferResponse(
        generated_text=text if status == COMPLIANT else "",
        compliance_status=status,
        finish_reason=ended.reason if status == COMPLIANT else "withheld",
        usage=Usage(prompt_tokens=ended.prompt_tokens, completion_tokens=ended.completion_tokens),
    ).model_dump()


def _blocked(body: InferRequest, status: str, governance: GovernanceMonitor) -> Any:
    governance.log_inference(body.text, "", status)
    blocked = _done(status, "", _WITHHELD)
    if not body.stream:
        return InferResponse.model_validate(blocked)

    async def events() -> AsyncGenerator[Event]:
        yield "done", blocked

    return _event_stream(events())


def _event_stream(events: AsyncGenerator[Event]) -> StreamingResponse:
    async def lines() -> AsyncIterator[str]:
        async with aclosing(events):
            async for name, value in events:
                yield f"event: {name}\ndata: {json.dumps(value, ensure_ascii=False)}\n\n"

    return StreamingResponse(
        lines(), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
    )


async def _disconnected(request: Request) -> None:
    """Returns when the client is gone."""
    while (await request.receive())["type"] != "http.disconnect":
        continue


def _refused(status: int, reason: str, *, retry_after_s: int | None = None) -> JSONResponse:
    headers = {"Retry-After": str(retry_after_s)} if retry_after_s else {}
    return JSONResponse({"error": reason}, status_code=status, headers=headers)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    wrong = error.errors() if isinstance(error, RequestValidationError) else []
    reason = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in wrong)
    return _refused(422, reason)
