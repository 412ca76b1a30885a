"""What the RAG API says about itself, and what readers say about its answers."""

from anyio.to_thread import run_sync
from fastapi import APIRouter
from fastapi.responses import JSONResponse

from rag_llm_system.application.rag.self_query.vocabulary import AUTHOR, CATEGORY, PLATFORM
from rag_llm_system.domain.errors import DataError
from rag_llm_system.infrastructure.feedback_file import Feedback
from rag_llm_system.infrastructure.inference_pipeline_api.bodies import (
    FeedbackRequest,
    Filters,
    Health,
    Stored,
)
from rag_llm_system.infrastructure.inference_pipeline_api.parts import Serving, System
from rag_llm_system.infrastructure.serving.errors import error_responses
from rag_llm_system.infrastructure.tracing.headers import is_id

_SCORE = "feedback"
_RETRY_LOADING_S = 5


def router(serving: Serving) -> APIRouter:
    routes = APIRouter(tags=["server"])

    @routes.get("/health", response_model_exclude_defaults=True)
    async def health() -> Health:
        """Whether the process lives: always 200, at once."""
        return Health(status=serving.loading.status, error=serving.loading.error)

    @routes.get("/ready", responses={503: error_responses[503]})
    async def ready() -> JSONResponse:
        """Whether questions would be answered now: 200, or 503 and why not."""
        status = serving.loading.status
        if status == "ready":
            return JSONResponse({"status": status})
        reason = serving.loading.error or "encoder and index are loading"
        retry = {"Retry-After": str(_RETRY_LOADING_S)} if status == "loading" else {}
        return JSONResponse({"status": status, "error": reason}, 503, headers=retry)

    @routes.get("/filters", responses=error_responses)
    async def filters() -> Filters:
        """Authors, categories and platforms that the index has, and who can be asked."""
        return await run_sync(_filters, await serving.system())

    @routes.post("/feedback", status_code=201, responses=error_responses)
    async def feedback(body: FeedbackRequest) -> Stored:
        """Keep what a reader thinks of an answer; the last word on a trace counts."""
        if not is_id(body.trace_id):
            raise DataError("trace_id: no id of a trace; send the one that came with the answer")
        system = await serving.system()
        await run_sync(system.feedback.add, Feedback(**body.model_dump()))
        await run_sync(system.tracer.score, body.trace_id, _SCORE, body.score, body.comment)
        return Stored()

    return routes


def _filters(system: System) -> Filters:
    known = system.vocabulary().known
    return Filters(
        authors=list(known(AUTHOR)),
        categories=list(known(CATEGORY)),
        platforms=list(known(PLATFORM)),
        assistants=list(system.assistants()),
        repositories=list(system.repositories()),
    )
