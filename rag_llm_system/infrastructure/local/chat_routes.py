"""The routes that OpenAI's clients know: ``POST /v1/chat/completions`` and ``GET /v1/models``."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from typing import Annotated, Any

from fastapi import APIRouter, Body, HTTPException, Request
from fastapi.responses import JSONResponse, Response

from rag_llm_system.infrastructure.local.generating import WITHHELD, Asked, Ended, Inference
from rag_llm_system.infrastructure.local.infer_routes import Begin
from rag_llm_system.infrastructure.local.protocol import DEFAULT_NEW_TOKENS, MAX_NEW_TOKENS
from rag_llm_system.infrastructure.serving.errors import openai_error_responses
from rag_llm_system.infrastructure.serving.leaving import unless_left
from rag_llm_system.infrastructure.serving.openai_shapes import (
    ChatCompletionRequest,
    CompletionHead,
    FinishReason,
    chunk,
    completion,
    models_list,
    usage_chunk,
    usage_of,
)
from rag_llm_system.infrastructure.serving.sse import data_stream

_EXAMPLES: Any = {
    "a question": {
        "value": {
            "messages": [{"role": "user", "content": "What is an embedding?"}],
            "max_tokens": 100,
        }
    },
    "a conversation, streamed": {
        "value": {
            "messages": [
                {"role": "system", "content": "Answer in one sentence."},
                {"role": "user", "content": "What is an embedding?"},
            ],
            "temperature": 0.7,
            "stop": ["\n\n"],
            "stream": True,
            "stream_options": {"include_usage": True},
        }
    },
}
_HEAD = CompletionHead(id="chatcmpl-1", created=0, model="a-model")
_RESPONSES: Any = {
    **openai_error_responses,
    200: {
        "description": "The answer; with `stream`, its pieces as `data:` lines, then `[DONE]`.",
        "content": {
            "application/json": {
                "example": completion(
                    _HEAD, "A list of numbers.", finish_reason="stop", usage=usage_of(30, 5)
                )
            },
            "text/event-stream": {},
        },
    },
}
_REASONS: Mapping[str, FinishReason] = {"stop": "stop", WITHHELD: "content_filter"}
"""Any other is "length"."""

_DEFAULT_TEMPERATURE, _DEFAULT_TOP_P = 1.0, 1.0
"""OpenAI's: its clients leave out what they want so."""


def chat_router(begin: Begin, model_id: Callable[[], str]) -> APIRouter:
    """``model_id`` raises HTTPException while there is no model."""
    router = APIRouter(prefix="/v1", tags=["OpenAI's protocol"])

    @router.get("/models", responses=openai_error_responses)
    async def models() -> dict[str, Any]:
        """The one model that is served."""
        return models_list([model_id()])

    @router.get("/models/{model:path}", responses=openai_error_responses)
    async def model(model: str) -> dict[str, Any]:
        _check(model, served=model_id())
        [found] = models_list([model])["data"]
        return dict(found)

    @router.post("/chat/completions", responses=_RESPONSES)
    async def chat(
        body: Annotated[ChatCompletionRequest, Body(openapi_examples=_EXAMPLES)], request: Request
    ) -> Response:
        """OpenAI's chat protocol, for any client that speaks it."""
        served = model_id()
        _check(body.model or served, served=served)
        inference = begin(_asked(body), request)
        if body.stream:
            return data_stream(_chunks(inference, wants_usage=body.wants_usage))
        ended = await unless_left(request, inference.whole())
        return ended if isinstance(ended, Response) else JSONResponse(_completion(ended, inference))

    return router


def _check(model: str, *, served: str) -> None:
    if model != served:
        raise HTTPException(404, f"no model {model[:100]!r} here; there is {served!r}")


def _asked(body: ChatCompletionRequest) -> Asked:
    return Asked(
        messages=body.conversation,
        max_new_tokens=min(body.token_limit or DEFAULT_NEW_TOKENS, MAX_NEW_TOKENS),
        temperature=_DEFAULT_TEMPERATURE if body.temperature is None else body.temperature,
        top_p=body.top_p or _DEFAULT_TOP_P,
        stop=body.stop_strings,
    )


def _completion(ended: Ended, inference: Inference) -> dict[str, Any]:
    return completion(
        _head(inference),
        ended.text,
        finish_reason=_REASONS.get(ended.reason, "length"),
        usage=usage_of(ended.prompt_tokens, ended.completion_tokens),
    )


async def _chunks(inference: Inference, *, wants_usage: bool) -> AsyncGenerator[Mapping[str, Any]]:
    head: CompletionHead | None = None
    async with aclosing(inference.events()) as events:
        async for event in events:
            if head is None:  # not before: only now the trace has its number
                head = _head(inference)
                yield chunk(head, "", first=True)
            if isinstance(event, str):
                yield chunk(head, event)
                continue
            yield chunk(head, finish_reason=_REASONS.get(event.reason, "length"))
            if wants_usage:
                yield usage_chunk(head, usage_of(event.prompt_tokens, event.completion_tokens))


def _head(inference: Inference) -> CompletionHead:
    more = {"trace_id": inference.trace_id} if inference.trace_id else {}
    return CompletionHead(model=inference.model, more=more)
