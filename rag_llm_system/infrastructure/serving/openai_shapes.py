"""OpenAI's chat protocol: what a request may hold, and the shapes of answers, pieces and lists of models."""

import time
import uuid
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.documents import Value

MAX_MESSAGES = 200
MAX_TEXT_CHARS = 200_000
"""All messages together: four times what 8,192 tokens of English hold."""

MAX_STOP_STRINGS = 8
"""OpenAI takes 4, vLLM any number."""

FinishReason = Literal["stop", "length", "content_filter"]

StopString = Annotated[str, Field(min_length=1, max_length=100)]

_TAKEN = ConfigDict(frozen=True, extra="ignore")
"""OpenAI's API grows, and clients send parameters of all ages: what is not known here changes nothing."""

_REFUSED: Mapping[str, tuple[tuple[Any, ...], str]] = {
    "n": ((None, 1), "one answer is written for a request: leave n out, or ask again"),
    "tools": ((None, []), "the model calls no tools: leave tools out"),
    "functions": ((None, []), "the model calls no functions: leave functions out"),
    "logprobs": ((None, False), "no probabilities are given: leave logprobs out"),
    "modalities": ((None, ["text"]), "answers are text: leave modalities out"),
    "audio": ((None,), "answers are text: leave audio out"),
    "response_format": (
        (None, {"type": "text"}),
        "JSON cannot be promised: leave response_format out, and ask for JSON in a message",
    ),
}
"""Parameters without which an answer would be another one than was asked for: the values that ask for nothing."""


class ContentPart(BaseModel):
    model_config = _TAKEN

    type: str
    text: str = ""


class ChatMessage(BaseModel):
    """``content`` may be a list of text parts, or null where there is nothing to say."""

    model_config = _TAKEN

    role: str = Field(examples=["user"])
    content: str | list[ContentPart] | None = Field(None, examples=["What is an embedding?"])

    @model_validator(mode="after")
    def _is_text(self) -> Self:
        if self.role not in _ROLES:
            raise ValueError(
                f"role {self.role[:40]!r} is not supported; known: {', '.join(_ROLES)}"
            )
        parts = self.content if isinstance(self.content, list) else []
        if other := next((part.type for part in parts if part.type != "text"), None):
            raise ValueError(f"content of type {other[:40]!r} is not supported; send text")
        return self

    @property
    def message(self) -> Message:
        content = self.content or ""
        text = content if isinstance(content, str) else "\n".join(part.text for part in content)
        return Message(role=_ROLES[self.role], content=text)


_ROLES: Mapping[str, Literal["system", "user", "assistant"]] = {
    "system": "system",
    "developer": "system",  # what newer clients call it
    "user": "user",
    "assistant": "assistant",
}


class StreamOptions(BaseModel):
    model_config = _TAKEN

    include_usage: bool | None = None


class ChatCompletionRequest(BaseModel):
    """The body of ``POST /v1/chat/completions``; parameters that it does not name are ignored.

    The last message is the user's. ``tools``, ``n`` above 1, images, ``logprobs`` and a ``response_format`` other than
    text are refused.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="allow",  # kept for _REFUSED alone
        json_schema_extra={"additionalProperties": True},
    )

    messages: list[ChatMessage] = Field(min_length=1, max_length=MAX_MESSAGES)
    model: str | None = Field(None, max_length=500, description="As GET /v1/models names it")
    max_tokens: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=1, description="The newer name of it")
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, gt=0, le=1)
    stop: StopString | Annotated[list[StopString], Field(max_length=MAX_STOP_STRINGS)] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None

    @model_validator(mode="after")
    def _can_be_answered(self) -> Self:
        given = self.model_extra or {}
        for name, (harmless, refusal) in _REFUSED.items():
            if name in given and given[name] not in harmless:
                raise ValueError(f"{name} is not supported: {refusal}")
        if self.messages[-1].role != "user":
            raise ValueError("the last of messages must be the user's")
        if not self.messages[-1].message.content:
            raise ValueError("the last of messages is empty")
        if sum(len(m.content) for m in self.conversation) > MAX_TEXT_CHARS:
            raise ValueError(f"messages have over {MAX_TEXT_CHARS} characters together")
        return self

    @property
    def conversation(self) -> tuple[Message, ...]:
        """What was said so far, in our own roles."""
        return tuple(each.message for each in self.messages)

    @property
    def token_limit(self) -> int | None:
        return self.max_completion_tokens or self.max_tokens

    @property
    def stop_strings(self) -> tuple[str, ...]:
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())

    @property
    def wants_usage(self) -> bool:
        """Whether a stream is to end with the counts of tokens."""
        return bool(self.stream_options and self.stream_options.include_usage)


class CompletionHead(Value):
    """What an answer and all its pieces have in common; ``more`` are fields of ours, which clients pass over."""

    id: str = Field(default_factory=lambda: f"chatcmpl-{uuid.uuid4().hex}")
    created: int = Field(default_factory=lambda: int(time.time()))
    model: str
    more: Mapping[str, Any] = Field(default_factory=dict)


def usage_of(prompt_tokens: int, completion_tokens: int) -> dict[str, int]:
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
    }


def completion(
    head: CompletionHead,
    text: str,
    *,
    finish_reason: FinishReason,
    usage: Mapping[str, int] | None = None,
) -> dict[str, Any]:
    """A whole answer."""
    message = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason}
    return _of(head, "chat.completion", [choice], usage)


def chunk(
    head: CompletionHead,
    text: str | None = None,
    *,
    first: bool = False,
    finish_reason: FinishReason | None = None,
) -> dict[str, Any]:
    """A piece of an answer: the first one names the role, the last one says why it ended."""
    delta = {
        **({"role": "assistant"} if first else {}),
        **({"content": text} if text is not None else {}),
    }
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return _of(head, "chat.completion.chunk", [choice], None)


def usage_chunk(head: CompletionHead, usage: Mapping[str, int]) -> dict[str, Any]:
    """What comes after the last piece where the client asked for ``stream_options.include_usage``."""
    return _of(head, "chat.completion.chunk", [], usage)


def models_list(ids: Iterable[str], *, owner: str = "rag-llm-system") -> dict[str, Any]:
    """The answer of ``GET /v1/models``."""
    return {
        "object": "list",
        "data": [{"id": id, "object": "model", "created": 0, "owned_by": owner} for id in ids],
    }


def _of(
    head: CompletionHead, kind: str, choices: list[Any], usage: Mapping[str, int] | None
) -> dict[str, Any]:
    return {
        "id": head.id,
        "object": kind,
        "created": head.created,
        "model": head.model,
        "system_fingerprint": None,
        "choices": choices,
        **({"usage": dict(usage)} if usage is not None else {}),
        **head.more,
    }
