"""The RAG API in OpenAI's chat protocol: the last message is the question, the others are its history."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from types import MappingProxyType
from typing import Any

from fastapi import APIRouter, Request
from fastapi.exceptions import HTTPException
from pydantic import Field

from rag_llm_system.application.rag.answer import Asked, Found, Piece
from rag_llm_system.application.rag.retriever import MAX_K
from rag_llm_system.domain.answers import Answer, AnswerSource, Message
from rag_llm_system.domain.errors import DataError
from rag_llm_system.domain.queries import Query
from rag_llm_system.infrastructure.inference_pipeline_api.assistants import (
    DEFAULT_K,
    DOCUMENTS,
    UserName,
    stored_user,
)
from rag_llm_system.infrastructure.inference_pipeline_api.bodies import (
    MAX_FILTERS,
    MAX_HISTORY,
    MAX_HISTORY_CHARS,
    MAX_QUERY_CHARS,
    Condition,
    FieldName,
    RagResponse,
)
from rag_llm_system.infrastructure.inference_pipeline_api.parts import Serving, System
from rag_llm_system.infrastructure.local.governance import COMPLIANT
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

MODEL_ID = "rag-llm-system"

MODELS: Mapping[str, str] = MappingProxyType(
    {MODEL_ID if name == DOCUMENTS else f"{MODEL_ID}/{name}": name for name in DEFAULT_K}
)
"""The assistant behind each model."""

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {}}, "description": "The answer, or its pieces"}
}


class RagChatRequest(ChatCompletionRequest):
    """``k`` and ``filters`` are ours, as in ``POST /rag``; ``user`` is whose tastes the film assistant knows.

    Sampling and the length of an answer are the server's settings; system messages are not read, for the sources
    are all that an answer is written from.
    """

    k: int | None = Field(None, ge=1, le=MAX_K, strict=True)
    filters: dict[FieldName, Condition] = Field(default_factory=dict, max_length=MAX_FILTERS)
    user: UserName | None = None

    @property
    def model_id(self) -> str:
        return self.model or MODEL_ID

    @property
    def assistant(self) -> str:
        return MODELS[self.model_id]

    def asked(self, deadline_s: float, *, default_k: int, user: str) -> Asked:
        """Raises DataError for a question that is too long; of the history the last turns are taken."""
        *before, question = self.conversation
        if len(question.content) > MAX_QUERY_CHARS:
            raise DataError(f"messages: the question has over {MAX_QUERY_CHARS} characters")
        return Asked(
            query=Query(text=question.content, where=self.filters),
            k=self.k or default_k,
            history=_last_turns(before),
            deadline_s=deadline_s,
            user=user,
        )


def _last_turns(messages: Sequence[Message]) -> tuple[Message, ...]:
    turns: list[Message] = []
    left = MAX_HISTORY_CHARS
    for message in reversed([one for one in messages if one.role != "system"]):
        left -= len(message.content)
        if left < 0 or len(turns) == MAX_HISTORY:
            break
        turns.append(message)
    return tuple(reversed(turns))


def router(serving: Serving) -> APIRouter:
    routes = APIRouter(prefix="/v1", tags=["OpenAI's protocol"], responses=openai_error_responses)

    @routes.get("/models")
    async def models() -> dict[str, Any]:
        return models_list(MODELS)

    # a path, as the names of the models have slashes
    @routes.get("/models/{model_id:path}")
    async def model(model_id: str) -> dict[str, Any]:
        _check_model(model_id)
        [found] = models_list([model_id])["data"]
        return dict(found)

    @routes.post("/chat/completions", responses=_STREAM, response_model=None)
    async def chat(body: RagChatRequest, request: Request) -> Any:
        """Answer the last message from the index. The text ends with its sources; ``sources`` has them as data."""
        _check_model(body.model_id)
        asked = body.asked(
            serving.deadline_s,
            default_k=serving.default_k(body.assistant),
            user=stored_user(request, body.user or ""),
        )
        if body.stream:
            return data_stream(_chunks(serving, body, asked))
        return await unless_left(request, _whole(serving, body, asked))

    return routes


def _check_model(model_id: str) -> None:
    if model_id not in MODELS:
        known = ", ".join(map(repr, MODELS))
        raise HTTPException(404, f"no model {model_id[:100]!r} here; there are {known}")


async def _whole(serving: Serving, body: RagChatRequest, asked: Asked) -> dict[str, Any]:
    system = await serving.system()
    assistant = await serving.assistant(body.assistant)
    async with aclosing(serving.governed.events(assistant, asked)) as events:
        async for event, status in events:
            if isinstance(event, Answer):
                text = event.text + _listed(event.sources)
                return completion(
                    CompletionHead(model=body.model_id, more=_ours(event, status)),
                    text,
                    finish_reason=_reason(status),
                    usage=_usage(system, body, text),
                )
    raise RuntimeError("an answer ended without its end")


async def _chunks(
    serving: Serving, body: RagChatRequest, asked: Asked
) -> AsyncGenerator[Mapping[str, Any]]:
    system = await serving.system()
    assistant = await serving.assistant(body.assistant)
    head, begun, sent = CompletionHead(model=body.model_id), False, ""
    async with aclosing(serving.governed.events(assistant, asked)) as events:
        async for event, status in events:
            if (
                not begun
            ):  # not before: what is refused has a status of its own until something was sent
                yield chunk(head, "", first=True)
                begun = True
            if isinstance(event, Piece):
                sent += event.text
                yield chunk(head, event.text)
            elif not isinstance(event, Found):
                rest = _listed(event.sources) if sent else event.text
                if rest:
                    yield chunk(head, rest)
                ours = head.model_copy(update={"more": _ours(event, status)})
                yield chunk(ours, finish_reason=_reason(status))
                if body.wants_usage:
                    yield usage_chunk(head, _usage(system, body, sent + rest))


def _listed(sources: Sequence[AnswerSource]) -> str:
    """What the numbers in the answer stand for, for clients that show nothing but the text."""
    cited = [one for one in sources if one.cited]
    lines = (f"[{one.n}] {_place(one)}" for one in cited)
    return "\n\nSources:\n" + "\n".join(lines) if cited else ""


def _place(source: AnswerSource) -> str:
    file = f"{source.source_file}:{source.lines}".rstrip(":") if source.source_file else ""
    return f"{file or source.title} - {source.link}"


def _ours(answer: Answer, status: str) -> dict[str, Any]:
    whole = RagResponse.of(answer).model_copy(update={"compliance_status": status})
    return whole.model_dump(mode="json", exclude={"answer", "model"})


def _reason(status: str) -> FinishReason:
    return "stop" if status == COMPLIANT else "content_filter"


def _usage(system: System, body: RagChatRequest, text: str) -> dict[str, int]:
    """By the encoder's tokenizer: what a model behind this server counts is not known here."""
    count = system.context_builder.count_tokens
    return usage_of(sum(count(one.content) for one in body.conversation), count(text))
