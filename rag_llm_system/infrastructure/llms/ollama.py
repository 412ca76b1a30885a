"""Ollama's own chat protocol, whose options OpenAI's does not have: how much is read, and what runs on the GPU."""

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

import httpx
from pydantic import BaseModel

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.errors import BackendError
from rag_llm_system.domain.from_context import FromContext
from rag_llm_system.infrastructure.llms.blocking import blocking
from rag_llm_system.infrastructure.llms.model_server import ModelServer
from rag_llm_system.infrastructure.llms.refusals import NotThere, Words, reason_of
from rag_llm_system.infrastructure.llms.timeouts import Timeouts
from rag_llm_system.infrastructure.llms.unknown_models import unknown_model

BASE_URL = "http://127.0.0.1:11434"
MODEL_ID = "llama3.1:8b"

WORDS = Words(
    server="Ollama",
    url_setting="OLLAMA_BASE_URL",
    key_setting="OLLAMA_BASE_URL",  # Ollama has no keys; a proxy before it takes user and password from the URL
    way_out="start it with `ollama serve`, or set OLLAMA_BASE_URL",
)


class OllamaChat:
    """``num_ctx`` is for prompt and answer together: without it Ollama silently cuts long prompts to its own default.

    ``num_gpu`` is the number of layers on the GPU, 99 for all; below 0 Ollama decides.
    """

    def __init__(
        self,
        model_id: str = MODEL_ID,
        base_url: str = BASE_URL,
        *,
        num_ctx: int = 8192,
        num_gpu: int = -1,
        top_p: float = 0.9,
        timeouts: Timeouts = Timeouts(),  # noqa: B008 - frozen
        headers: Callable[[], Mapping[str, str]] = dict,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.model_id = model_id
        self._options: dict[str, float] = {"num_ctx": num_ctx, "top_p": top_p}
        if num_gpu >= 0:
            self._options["num_gpu"] = num_gpu
        self._server = ModelServer(
            base_url, WORDS, timeouts=timeouts, headers=headers, transport=transport
        )

    def close(self) -> None:
        self._server.close()

    def list_models(self) -> list[str]:
        """What was pulled, in order."""
        (names,) = blocking(model_names(self._server))
        return names

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, temperature: float
    ) -> Iterator[str]:
        return blocking(self.astream(messages, max_tokens=max_tokens, temperature=temperature))

    def astream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float,
        from_context: Sequence[FromContext] = (),  # noqa: ARG002 - Ollama knows schemas of JSON only
    ) -> AsyncGenerator[str]:
        body = {
            "model": self.model_id,
            "messages": [{"role": m.role, "content": m.content} for m in messages],
            "stream": True,
            "options": {**self._options, "temperature": temperature, "num_predict": max_tokens},
        }
        return asked(self._server, "/api/chat", body)


async def asked(server: ModelServer, path: str, body: Mapping[str, Any]) -> AsyncGenerator[str]:
    """The pieces of an answer; an unknown model is told with those that are there."""
    try:
        async with aclosing(server.answer(path, body, LineReader)) as pieces:
            async for piece in pieces:
                yield piece
    except NotThere as error:
        names = model_names(server)
        raise await unknown_model(body["model"], names, "OLLAMA_MODEL_ID", error) from error


async def model_names(server: ModelServer) -> AsyncGenerator[list[str]]:
    try:
        tags = _Tags.model_validate_json(await server.get("/api/tags"))
    except ValueError as error:
        raise BackendError(
            f"{server.name} has no list of models; OLLAMA_BASE_URL has no path"
        ) from error
    yield sorted(model.name for model in tags.models)


class _Tag(BaseModel):
    name: str


class _Tags(BaseModel):
    models: list[_Tag]


class _Said(BaseModel):
    content: str = ""


class _Line(BaseModel):
    """``message`` is what a chat says, ``response`` what a prompt alone is answered with."""

    message: _Said = _Said()
    response: str = ""
    done: bool = False
    error: Any = None


class LineReader:
    """One JSON object to a line; the last one says that it is done."""

    def __init__(self) -> None:
        self.ended = False

    def read(self, line: bytes) -> str:
        if not line.strip():
            return ""
        said = _Line.model_validate_json(line)
        if said.error:
            raise BackendError(reason_of({"error": said.error}))
        self.ended = said.done
        return said.message.content or said.response
