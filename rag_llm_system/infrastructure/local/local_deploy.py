"""The inference server: ``POST /infer``, OpenAI's chat routes, and how it is: health, readiness, metrics."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse

from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.ports import Tracer
from rag_llm_system.infrastructure.local.chat_routes import chat_router
from rag_llm_system.infrastructure.local.generating import Asked, Inference
from rag_llm_system.infrastructure.local.governance import GovernanceMonitor
from rag_llm_system.infrastructure.local.infer_routes import infer_router
from rag_llm_system.infrastructure.local.protocol import Engine, EngineStats
from rag_llm_system.infrastructure.serving.errors import error_responses, install_error_handlers
from rag_llm_system.infrastructure.serving.loading import Loading, LoadingStatus
from rag_llm_system.infrastructure.serving.metrics import ServerMetrics
from rag_llm_system.infrastructure.serving.security import Access, protect

RETRY_LOADING_S = 5
"""A small model loads in about that time; for a large one it is no burden to ask so often."""

_DESCRIPTION = """\
Generates text with one model: `POST /infer`, or OpenAI's chat protocol below `/v1`.

With `"stream": true` text comes as it is written. A client that closes its connection ends the generation.
"""


class Health(Value):
    """``device``, ``model`` and ``queue`` are there when the model is, ``error`` when it could not be loaded."""

    status: LoadingStatus
    device: str = ""
    model: str = ""
    queue: EngineStats | None = None
    error: str = ""


class Ready(Value):
    status: LoadingStatus = "ready"


class _Served:
    """The engine, from when the server starts until it stops."""

    def __init__(self, load_engine: Callable[[], Engine]) -> None:
        self._load_engine = load_engine
        self._loading: Loading[Engine]

    def start(self) -> None:
        self._loading = Loading(self._load_engine, what="the model")

    async def close(self) -> None:
        await self._loading.close(lambda engine: engine.close())

    @property
    def engine(self) -> Engine:
        """Raises HTTPException while there is none."""
        engine = self._loading.ready_value
        if engine is None:
            raise HTTPException(503, self.missing, headers=self.retry)
        return engine

    @property
    def missing(self) -> str:
        """Why there is no engine."""
        return self._loading.error or "the model is loading; ask again in a few seconds"

    @property
    def retry(self) -> dict[str, str]:
        """A model that could not be loaded is not there later either."""
        failed = self._loading.status == "failed"
        return {} if failed else {"Retry-After": str(RETRY_LOADING_S)}

    @property
    def load(self) -> EngineStats:
        engine = self._loading.ready_value
        if engine is None:
            return EngineStats(running=0, waiting=0, max_waiting=0)
        now = engine.stats()
        return EngineStats(running=now.running, waiting=now.waiting, max_waiting=now.max_waiting)

    @property
    def health(self) -> Health:
        engine = self._loading.ready_value
        if engine is None:
            return Health(status=self._loading.status, error=self._loading.error)
        return Health(status="ready", device=engine.device, model=engine.model_id, queue=self.load)


def create_app(
    load_engine: Callable[[], Engine],
    governance: GovernanceMonitor,
    *,
    access: Access,
    metrics: ServerMetrics,
    tracer: Tracer,
) -> FastAPI:
    """``load_engine`` runs in a thread when the server starts; the app closes the engine when it stops."""
    served = _Served(load_engine)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        served.start()
        yield
        await served.close()

    def begin(asked: Asked, request: Request) -> Inference:
        return Inference(
            served.engine,
            asked,
            governance=governance,
            metrics=metrics,
            tracer=tracer,
            caller=request.headers,
        )

    app = FastAPI(title="rag-llm-system inference", description=_DESCRIPTION, lifespan=lifespan)
    app.include_router(infer_router(begin))
    app.include_router(chat_router(begin, lambda: served.engine.model_id))
    _add_state_routes(app, served)
    metrics.gauge("generations_running", "Answers in work", lambda: served.load.running)
    metrics.gauge("generations_waiting", "Requests that wait", lambda: served.load.waiting)
    install_error_handlers(app)
    protect(app, access)
    metrics.install(app)
    return app


def _add_state_routes(app: FastAPI, served: _Served) -> None:
    @app.get("/health", tags=["server"], response_model_exclude_defaults=True)
    async def health() -> Health:
        """Whether the process lives: always 200, at once."""
        return served.health

    @app.get("/ready", tags=["server"], response_model=Ready, responses={503: error_responses[503]})
    async def ready() -> Any:
        """Whether a request would be taken now: 200, or 503 and why not."""
        status = served.health.status
        if status == "ready":
            return Ready()
        return JSONResponse({"status": status, "error": served.missing}, 503, served.retry)
