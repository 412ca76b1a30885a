"""``POST /rag`` and ``POST /retrieve``."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from fastapi import APIRouter, Request

from rag_llm_system.application.rag.answer import Asked, Found, Piece
from rag_llm_system.domain.answers import Answer
from rag_llm_system.infrastructure.inference_pipeline_api.assistants import stored_user
from rag_llm_system.infrastructure.inference_pipeline_api.bodies import (
    FoundEvent,
    RagRequest,
    RagResponse,
    RetrieveRequest,
    RetrieveResponse,
)
from rag_llm_system.infrastructure.inference_pipeline_api.parts import Serving
from rag_llm_system.infrastructure.serving.errors import error_responses
from rag_llm_system.infrastructure.serving.leaving import unless_left
from rag_llm_system.infrastructure.serving.sse import error_data, event_stream

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The answer; with `stream` as events: `sources`, then `token`s, then `done` or `error`",
        "content": {
            "text/event-stream": {"example": 'event: token\ndata: {"text": "Text is "}\n\n'}
        },
    }
}


def router(serving: Serving) -> APIRouter:
    routes = APIRouter(tags=["answers"])

    @routes.post("/rag", response_model=RagResponse, responses={**error_responses, **_STREAM})
    async def rag(body: RagRequest, request: Request) -> Any:
        """Answer a question from the index, with its sources."""
        asked = _asked(serving, request, body, body.max_tokens)
        if body.stream:
            streamed = _Streamed(serving, asked, body)
            return event_stream(streamed.events(), failed=streamed.failed)
        return await unless_left(request, _answered(serving, asked, body))

    @routes.post("/retrieve", response_model=RetrieveResponse, responses=error_responses)
    async def retrieve(body: RetrieveRequest, request: Request) -> Any:
        """The chunks that a question finds, without an answer."""
        asked = _asked(serving, request, body)
        return await unless_left(request, _retrieved(serving, asked, body.assistant))

    return routes


def _asked(
    serving: Serving, request: Request, body: RetrieveRequest, max_tokens: int | None = None
) -> Asked:
    return body.asked(
        serving.deadline_s,
        default_k=serving.default_k(body.assistant),
        user=stored_user(request, body.user),
        max_tokens=max_tokens,
    )


async def _answered(serving: Serving, asked: Asked, body: RagRequest) -> RagResponse:
    assistant = await serving.assistant(body.assistant, asked.deadline_s)
    async with aclosing(serving.governed.events(assistant, asked)) as events:
        async for event, status in events:
            if isinstance(event, Answer):
                whole = RagResponse.of(event, passages=body.passages)
                return whole.model_copy(update={"compliance_status": status})
    raise RuntimeError("an answer ended without its end")


class _Streamed:
    """One answer as events; an error names the trace that it happened in."""

    def __init__(self, serving: Serving, asked: Asked, body: RagRequest) -> None:
        self._serving, self._asked = serving, asked
        self._assistant, self._passages = body.assistant, body.passages
        self._trace_id = ""

    async def events(self) -> AsyncGenerator[tuple[str, Mapping[str, Any]]]:
        assistant = await self._serving.assistant(self._assistant, self._asked.deadline_s)
        events = self._serving.governed.events(assistant, self._asked)
        async with aclosing(events):
            async for event, status in events:
                if isinstance(event, Piece):
                    yield "token", {"text": event.text}
                elif isinstance(event, Found):
                    self._trace_id = event.trace_id
                    found = FoundEvent.of(event, passages=self._passages)
                    yield "sources", found.model_dump(mode="json")
                else:
                    whole = RagResponse.of(event, passages=self._passages)
                    done = whole.model_copy(update={"compliance_status": status})
                    yield "done", done.model_dump(mode="json")

    def failed(self, error: Exception) -> Mapping[str, Any]:
        return {**error_data(error), "trace_id": self._trace_id}


async def _retrieved(serving: Serving, asked: Asked, name: str) -> RetrieveResponse:
    assistant = await serving.assistant(name, asked.deadline_s)
    retrieved = await assistant.aretrieve(asked, limiter=serving.governed.limiter)
    for stage, seconds in retrieved.context.timings_s.items():
        serving.metrics.observe_stage(stage, seconds)
    screened = [
        chunk.model_copy(update={"content": serving.governed.screened(chunk.content)})
        for chunk in retrieved.context.chunks
    ]
    context = retrieved.context.model_copy(update={"chunks": tuple(screened)})
    return RetrieveResponse.of(context, retrieved.trace_id)
