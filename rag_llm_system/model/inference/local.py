"""Client of the local inference server: the port ``LLM`` over ``POST /infer``."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

import httpx

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.errors import BackendError, ConfigurationError, DataError
from rag_llm_system.domain.from_context import FromContext

_CONNECT_S = 3.0
_READ_S = 120.0
"""Between two pieces of a stream, the first one included: it may wait for the requests before it."""

_START_IT = "start it with `poe deploy-inference-local`, or set LOCAL_INFERENCE_ENDPOINT_URL"


class LocalInferenceLLM:
    """``url`` ends in ``/infer``. ``transport`` replaces the network, for tests."""

    def __init__(
        self,
        url: str,
        *,
        top_p: float = 1.0,
        stop: Sequence[str] = (),
        connect_timeout_s: float = _CONNECT_S,
        read_timeout_s: float = _READ_S,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._url = url
        self._top_p = top_p
        self._stop = tuple(stop)
        self._timeout = httpx.Timeout(read_timeout_s, connect=connect_timeout_s)
        self._transport = transport

    @property
    def model_id(self) -> str:
        """The server decides which model answers; its ``/health`` names it."""
        return "local"

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, temperature: float
    ) -> Iterator[str]:
        """Closing the iterator closes the connection, which cancels the generation.

        Raises DataError for a prompt the server will not read, BackendError for all other failures.
        """
        return self._sent(self._body(messages, max_tokens, temperature))

    def stream_from_context(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float,
        from_context: Sequence[FromContext],
    ) -> Iterator[str]:
        """As ``stream``; the server masks what is not from the context."""
        fields = [field.model_dump(mode="json") for field in from_context]
        body = self._body(messages, max_tokens, temperature)
        return self._sent({**body, "from_context": fields})

    def _body(
        self, messages: Sequence[Message], max_tokens: int, temperature: float
    ) -> dict[str, Any]:
        return {
            "messages": [{"role": m.role, "content": m.content} for m in messages],
            "max_new_tokens": max_tokens,
            "temperature": temperature,
            "top_p": self._top_p,
            "stop": list(self._stop),
            "stream": True,
        }

    def _sent(self, body: dict[str, Any]) -> Iterator[str]:
        try:
            # the server is ours and near: a proxy of the environment has no business between
            with (
                httpx.Client(
                    timeout=self._timeout, transport=self._transport, trust_env=False
                ) as client,
                client.stream("POST", self._url, json=body) as response,
            ):
                if response.status_code != httpx.codes.OK:
                    response.read()
                    raise self._refusal(response)
                yield from self._pieces(_events(response.iter_lines()))
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise ConfigurationError(
                f"LOCAL_INFERENCE_ENDPOINT_URL is no URL ({error}); it looks like http://127.0.0.1:8000/infer"
            ) from error
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise BackendError(f"no inference server at {self._url}: {_START_IT}") from error
        except httpx.TimeoutException as error:
            raise BackendError(
                f"the inference server at {self._url} sent nothing for {self._timeout.read:g} s;"
                " ask for fewer tokens or look at its log"
            ) from error
        except httpx.HTTPError as error:
            raise BackendError(
                f"the inference server at {self._url} broke off ({type(error).__name__}); look at its log"
            ) from error

    def _pieces(self, events: Iterator[tuple[str, dict[str, Any]]]) -> Iterator[str]:
        for name, data in events:
            if name == "token":
                yield str(data.get("text", ""))
            elif name == "error":
                raise BackendError(f"the inference server failed: {data.get('error', 'no reason')}")
            elif name == "done":
                status = data.get("compliance_status")
                if status != "compliant":
                    raise BackendError(
                        f"the inference server withheld the answer ({status}); its banned terms decide"
                    )
                return
        raise BackendError(
            f"the inference server at {self._url} ended the answer early; look at its log"
        )

    def _refusal(self, response: httpx.Response) -> BackendError | DataError:
        try:
            body = response.json()
        except ValueError:
            body = None
        reason = body.get("error") if isinstance(body, dict) else None
        if response.status_code == httpx.codes.NOT_FOUND:
            return BackendError(f"no POST /infer at {self._url}: {_START_IT}")
        if response.status_code == httpx.codes.UNPROCESSABLE_ENTITY:
            return DataError(f"the inference server refused the request: {reason or 'no reason'}")
        return BackendError(
            f"the inference server answered {response.status_code}: {reason or 'no reason'}"
        )


def _events(lines: Iterator[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Server-sent events as (name, data); other lines, such as comments, say nothing."""
    name = "message"
    for line in lines:
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            yield name, _object(value)
            name = "message"


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise BackendError(f"the inference server sent what is no JSON: {text[:80]!r}") from error
    if not isinstance(value, dict):
        raise BackendError(f"the inference server sent no JSON object: {text[:80]!r}")
    return value
