"""The RAG API: ``POST /rag`` with answer and sources, ``GET /health``. No model weights of its own."""

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import Field

from rag_llm_system.application.rag.answer import answer_question
from rag_llm_system.application.rag.retriever import DEFAULT_K, MAX_K
from rag_llm_system.domain.answers import Answer, AnswerSource, Confidence
from rag_llm_system.domain.documents import Scalar, Value
from rag_llm_system.domain.errors import BackendError, ConfigurationError, RagSystemError
from rag_llm_system.domain.queries import Interpretation, Query
from rag_llm_system.domain.redaction import redact

MAX_QUERY_CHARS = 4000


class RagRequest(Value):
    """``where``: conditions on payload fields; a list means any of its members.

    ``self_query``: whether conditions are read out of the question as well.
    """

    query: str = Field(min_length=1, max_length=MAX_QUERY_CHARS)
    k: int = Field(DEFAULT_K, ge=1, le=MAX_K)
    where: dict[str, Scalar | list[Scalar]] = Field(default_factory=dict)
    self_query: bool = True


class RagResponse(Value):
    """``sources`` are all that the answer was written from, ``cited`` those it names. ``confidence`` is null where
    nothing was found; ``interpretation`` is what was read out of the question, ``notes`` tell the reader of both.
    ``timings_s`` has the seconds of each stage."""

    answer: str
    sources: list[AnswerSource]
    grounded: bool
    confidence: Confidence | None
    notes: list[str]
    interpretation: Interpretation
    model: str
    timings_s: dict[str, float]
    trace_id: str

    @classmethod
    def of(cls, answer: Answer) -> "RagResponse":
        return cls(
            answer=answer.text,
            sources=list(answer.sources),
            grounded=answer.grounded,
            confidence=answer.confidence,
            notes=list(answer.notes),
            interpretation=answer.interpretation,
            model=answer.model,
            timings_s=dict(answer.timings_s),
            trace_id=answer.trace_id,
        )


class _Warm:
    """The encoder and the stores, opened in the background so that health answers from the start."""

    def __init__(self, open_system: Callable[[], Any]) -> None:
        self._open = open_system
        self._ready = threading.Event()
        self._system: Any = None
        self._error: RagSystemError | None = None

    def start(self) -> None:
        threading.Thread(target=self._load, daemon=True, name="warm-up").start()

    def _load(self) -> None:
        try:
            system = self._open()
            system.warm_up()
            self._system = system
        except RagSystemError as error:
            self._error = error
        finally:
            self._ready.set()

    @property
    def status(self) -> str:
        if not self._ready.is_set():
            return "loading"
        return "ready" if self._system is not None else "failed"

    @property
    def error(self) -> str:
        """Why it failed; an error that is none of ours is in the log, with its traceback."""
        if self.status != "failed":
            return ""
        return redact(str(self._error)) if self._error else "loading failed; see the server's log"

    def system(self) -> Any:
        """Waits until it is there; raises the reason when it could not be built."""
        self._ready.wait()
        if self._system is None:
            raise self._error or BackendError(self.error)
        return self._system

    def close(self) -> None:
        self._ready.wait()
        if self._system is not None:
            self._system.close()


def create_app(open_system: Callable[[], Any]) -> FastAPI:
    """``open_system`` builds the system (see ``bootstrap.build``); the app closes it when it stops."""
    warm = _Warm(open_system)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        warm.start()
        yield
        warm.close()

    app = FastAPI(title="rag-llm-system", lifespan=lifespan)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(RagSystemError, _failed)

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": warm.status, **({"error": warm.error} if warm.error else {})}

    @app.post("/rag")
    def rag(request: RagRequest) -> RagResponse:
        # a plain function: the server runs it in a thread, so a slow answer does not block health
        system = warm.system()
        answer = answer_question(
            Query(text=request.query, where=request.where),
            retriever=system.retriever,
            writer=system.writer,
            tracer=system.tracer,
            builder=system.context_builder,
            k=request.k,
            self_query=request.self_query,
        )
        return RagResponse.of(answer)

    return app


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    wrong = error.errors() if isinstance(error, RequestValidationError) else []
    message = "; ".join(f"{'.'.join(map(str, e['loc'][1:]))}: {e['msg']}" for e in wrong)
    return JSONResponse({"error": message or str(error)}, status_code=422)


async def _failed(_: Request, error: Exception) -> JSONResponse:
    status = 400 if isinstance(error, ConfigurationError) else 503
    return JSONResponse({"error": redact(str(error))}, status_code=status)
