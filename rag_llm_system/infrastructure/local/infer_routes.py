"""``POST /infer``: a prompt or a conversation in, generated text out, whole or as an event stream."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request
from fastapi.responses import Response

from rag_llm_system.infrastructure.local.generating import Asked, Ended, Inference
from rag_llm_system.infrastructure.local.protocol import InferRequest, InferResponse, Usage
from rag_llm_system.infrastructure.serving.errors import error_responses
from rag_llm_system.infrastructure.serving.leaving import unless_left
from rag_llm_system.infrastructure.serving.sse import Event, error_data, event_stream

_EXAMPLES: Any = {
    "a prompt": {"value": {"prompt": "What is an embedding?", "max_new_tokens": 100}},
    "a conversation, streamed": {
        "value": {
            "messages": [
                {"role": "system", "content": "Answer in one sentence."},
                {"role": "user", "content": "What is an embedding?"},
            ],
            "temperature": 0.7,
            "top_p": 0.9,
            "stop": ["\n\n"],
            "stream": True,
        }
    },
}
_STREAM_EXAMPLE = (
    'event: token\ndata: {"text": "A list of"}\n\n'
    'event: token\ndata: {"text": " numbers."}\n\n'
    'event: done\ndata: {"generated_text": "A list of numbers.", "compliance_status": "compliant", ...}\n\n'
)
_RESPONSES: Any = {
    **error_responses,
    200: {
        "description": "The answer; with `stream`, `token` events, then `done` with all of it, or `error`.",
        "content": {"text/event-stream": {"example": _STREAM_EXAMPLE}},
    },
}  # fmt: skip

Begin = Callable[[Asked, Request], Inference]
"""Raises HTTPException while there is no model."""


def infer_router(begin: Begin) -> APIRouter:
    router = APIRouter(tags=["inference"])

    @router.post("/infer", response_model=InferResponse, responses=_RESPONSES)
    async def infer(
        body: Annotated[InferRequest, Body(openapi_examples=_EXAMPLES)], request: Request
    ) -> Any:
        """Generate text. Nothing of the prompt is repeated in the answer."""
        inference = begin(_asked(body), request)
        if body.stream:
            return _streamed(inference)
        ended = await unless_left(request, inference.whole())
        return ended if isinstance(ended, Response) else _response(ended, inference)

    return router


def _asked(body: InferRequest) -> Asked:
    return Asked(
        messages=tuple(body.conversation),
        max_new_tokens=body.max_new_tokens,
        temperature=body.temperature,
        top_p=body.top_p,
        stop=tuple(body.stop),
        from_context=tuple(body.from_context),
    )


def _response(ended: Ended, inference: Inference) -> InferResponse:
    return InferResponse(
        generated_text=ended.text,
        compliance_status=ended.status,
        finish_reason=ended.reason,
        usage=Usage(prompt_tokens=ended.prompt_tokens, completion_tokens=ended.completion_tokens),
        model=inference.model,
        trace_id=inference.trace_id,
    )


def _streamed(inference: Inference) -> Response:
    async def events() -> AsyncGenerator[Event]:
        async with aclosing(inference.events()) as pieces:
            async for piece in pieces:
                if isinstance(piece, Ended):
                    yield "done", _response(piece, inference).model_dump()
                else:
                    yield "token", {"text": piece}

    return event_stream(
        events(), failed=lambda error: {**error_data(error), "trace_id": inference.trace_id}
    )
