"""OpenAI's chat protocol: OpenAI, vLLM, text-generation-inference and the like are one adapter at several addresses."""

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, SecretStr

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.errors import BackendError, ConfigurationError, DataError
from rag_llm_system.domain.from_context import FromContext
from rag_llm_system.infrastructure.llms.blocking import blocking
from rag_llm_system.infrastructure.llms.field_regex import field_regex
from rag_llm_system.infrastructure.llms.lines import Events
from rag_llm_system.infrastructure.llms.model_server import ModelServer
from rag_llm_system.infrastructure.llms.refusals import (
    NotThere,
    RefusedQuestion,
    Words,
    reason_of,
)
from rag_llm_system.infrastructure.llms.timeouts import Timeouts
from rag_llm_system.infrastructure.llms.unknown_models import unknown_model

_OFFICIAL_HOST = "api.openai.com"
_STRUCTURED = "structured_outputs"
"""vLLM's parameter; others do not know it, and say so by its name or ignore it."""
_LIMIT, _NEWER_LIMIT = "max_tokens", "max_completion_tokens"
"""All servers know the first; OpenAI's newer models take the second only."""

_WORDS = Words(
    server="the model server",
    url_setting="OPENAI_BASE_URL",
    key_setting="OPENAI_API_KEY",
    way_out="start it, or set OPENAI_BASE_URL",
)


class OpenAIChat:
    """``base_url`` ends in ``/v1``. Servers on this machine need no key."""

    def __init__(
        self,
        model_id: str,
        base_url: str,
        api_key: SecretStr = SecretStr(""),  # noqa: B008 - frozen
        *,
        top_p: float = 1.0,
        timeouts: Timeouts = Timeouts(),  # noqa: B008 - frozen
        headers: Callable[[], Mapping[str, str]] = dict,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        is_official = urlsplit(base_url).hostname == _OFFICIAL_HOST
        if is_official and not api_key.get_secret_value():
            raise ConfigurationError(
                "LLM_BACKEND=openai needs OPENAI_API_KEY, or OPENAI_BASE_URL of a server of your own"
            )
        self.model_id = model_id
        self._top_p = top_p
        self._server = ModelServer(
            base_url,
            _WORDS,
            api_key=api_key,
            timeouts=timeouts,
            headers=headers,
            transport=transport,
        )
        self._takes_regex = True
        self._limit = _NEWER_LIMIT if is_official else _LIMIT

    def close(self) -> None:
        self._server.close()

    def list_models(self) -> list[str]:
        """What the server has, in order."""
        (names,) = blocking(self._names())
        return names

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, temperature: float
    ) -> Iterator[str]:
        return blocking(self.astream(messages, max_tokens=max_tokens, temperature=temperature))

    def stream_from_context(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float,
        from_context: Sequence[FromContext],
    ) -> Iterator[str]:
        return blocking(
            self.astream(
                messages,
                max_tokens=max_tokens,
                temperature=temperature,
                from_context=from_context,
            )
        )

    async def astream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float,
        from_context: Sequence[FromContext] = (),
    ) -> AsyncGenerator[str]:
        """vLLM's structured outputs hold the answer to the fields ``from_context``, by a regular expression.

        What a server refuses by its name is left out, or put in other words, and from then on for good. A refusal comes
        before the first piece; if the question itself is at fault, the last answer is the error.
        """
        body: dict[str, Any] = {
            "model": self.model_id,
            "messages": [{"role": m.role, "content": m.content} for m in messages],
            "temperature": temperature,
            "stream": True,
        }
        if self._top_p < 1:
            body["top_p"] = self._top_p
        regex = field_regex(from_context) if from_context and self._takes_regex else ""
        while True:
            held = {_STRUCTURED: {"regex": regex}} if regex else {}
            try:
                asked = self._asked({**body, self._limit: max_tokens, **held})
                async with aclosing(asked) as pieces:
                    async for piece in pieces:
                        yield piece
            except RefusedQuestion as error:
                if _NEWER_LIMIT in error.reason and self._limit == _LIMIT:
                    self._limit = _NEWER_LIMIT
                elif regex:
                    self._takes_regex = _STRUCTURED not in error.reason
                    regex = ""
                else:
                    raise
            else:
                return

    async def _asked(self, body: Mapping[str, Any]) -> AsyncGenerator[str]:
        try:
            async with aclosing(
                self._server.answer("/chat/completions", body, ChunkReader)
            ) as pieces:
                async for piece in pieces:
                    yield piece
        except NotThere as error:
            raise await unknown_model(
                self.model_id, self._names(), "OPENAI_MODEL_ID", error
            ) from error

    async def _names(self) -> AsyncGenerator[list[str]]:
        try:
            models = _Models.model_validate_json(await self._server.get("/models"))
        except ValueError as error:
            raise BackendError(
                f"{self._server.name} has no list of models; OPENAI_BASE_URL ends in /v1"
            ) from error
        yield sorted(model.id for model in models.data)


class _Model(BaseModel):
    id: str


class _Models(BaseModel):
    data: list[_Model]


class _Delta(BaseModel):
    content: str | None = None


class _Choice(BaseModel):
    delta: _Delta = _Delta()
    finish_reason: str | None = None


class _Chunk(BaseModel):
    choices: list[_Choice] = []
    error: Any = None


class ChunkReader:
    """Events with a chunk of one choice each; the chunk that says why it ends is the last, or ``[DONE]`` is."""

    def __init__(self) -> None:
        self._events = Events()
        self.ended = False

    def read(self, line: bytes) -> str:
        event = self._events.add(line)
        if event is None:
            return ""
        if event[1] == b"[DONE]":
            self.ended = True
            return ""
        chunk = _Chunk.model_validate_json(event[1])
        if chunk.error:
            raise BackendError(reason_of({"error": chunk.error}))
        choice = chunk.choices[0] if chunk.choices else _Choice()
        if choice.finish_reason == "content_filter":
            raise DataError("the model server withheld the rest of the answer (content_filter)")
        self.ended = choice.finish_reason is not None
        return choice.delta.content or ""
