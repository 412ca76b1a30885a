"""Client of the local inference server: the port ``LLM`` over ``POST /infer``."""

from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

import httpx
from pydantic import BaseModel, SecretStr

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.errors import BackendError, DataError
from rag_llm_system.domain.from_context import FromContext
from rag_llm_system.infrastructure.llms.blocking import blocking
from rag_llm_system.infrastructure.llms.lines import Events
from rag_llm_system.infrastructure.llms.model_server import ModelServer
from rag_llm_system.infrastructure.llms.refusals import NotThere, Words, reason_of
from rag_llm_system.infrastructure.llms.timeouts import Timeouts

_START_IT = "start it with `poe deploy-inference-local`, or set LOCAL_INFERENCE_ENDPOINT_URL"
_COMPLIANT = "compliant"
_REFUSED_QUESTION = frozenset({400, 413, 422})

_WORDS = Words(
    server="the inference server",
    url_setting="LOCAL_INFERENCE_ENDPOINT_URL",
    key_setting="LOCAL_INFERENCE_API_KEY",
    way_out=_START_IT,
)


class LocalInferenceLLM:
    """``url`` ends in ``/infer``. ``transport`` replaces the network, for tests."""

    def __init__(
        self,
        url: str,
        *,
        api_key: SecretStr = SecretStr(""),  # noqa: B008 - frozen
        top_p: float = 1.0,
        stop: Sequence[str] = (),
        timeouts: Timeouts = Timeouts(),  # noqa: B008 - frozen
        headers: Callable[[], Mapping[str, str]] = dict,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._top_p, self._stop = top_p, tuple(stop)
        self._server = ModelServer(
            url, _WORDS, api_key=api_key, timeouts=timeouts, headers=headers, transport=transport
        )

    @property
    def model_id(self) -> str:
        """The server decides which model answers; its ``/health`` names it."""
        return "local"

    def close(self) -> None:
        self._server.close()

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, temperature: float
    ) -> Iterator[str]:
        """Closing the iterator closes the connection, which cancels the generation.

        Raises DataError for a prompt the server will not read and an answer it withholds, BackendError for all other
        failures.
        """
        return blocking(self.astream(messages, max_tokens=max_tokens, temperature=temperature))

    def stream_from_context(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float,
        from_context: Sequence[FromContext],
    ) -> Iterator[str]:
        """As ``stream``; the server masks what is not from the context."""
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
        body: dict[str, Any] = {
            "messages": [{"role": m.role, "content": m.content} for m in messages],
            "max_new_tokens": max_tokens,
            "temperature": temperature,
            "top_p": self._top_p,
            "stop": list(self._stop),
            "stream": True,
        }
        if from_context:
            body["from_context"] = [field.model_dump(mode="json") for field in from_context]
        try:
            async with aclosing(self._server.answer("", body, _AnswerReader)) as pieces:
                async for piece in pieces:
                    yield piece
        except NotThere as error:
            raise BackendError(
                f"no POST /infer: {self._server.name} answered 404; {_START_IT}"
            ) from error


class _Data(BaseModel):
    """The fields of all events that matter here."""

    text: str = ""
    error: Any = None
    status: int = 500
    compliance_status: str = ""


class _AnswerReader:
    """``token`` events, then ``done`` or ``error``."""

    def __init__(self) -> None:
        self._events = Events()
        self.ended = False

    def read(self, line: bytes) -> str:
        event = self._events.add(line)
        if event is None:
            return ""
        name, data = event[0], _Data.model_validate_json(event[1])
        if name == "error":
            reason = reason_of({"error": data.error})
            if data.status in _REFUSED_QUESTION:  # known only after it had waited for its turn
                raise DataError(f"the inference server refused the question: {reason}")
            raise BackendError(reason)
        if name == "done":
            if data.compliance_status != _COMPLIANT:
                raise DataError(
                    f"the inference server withheld the answer ({data.compliance_status}); its policy decides"
                )
            self.ended = True
        return data.text if name == "token" else ""
