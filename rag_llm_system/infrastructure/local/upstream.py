"""An engine that runs no model: it hands requests on to a server with OpenAI's protocol, such as vLLM."""

import asyncio
import json
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, NoReturn

import httpx
from pydantic import SecretStr

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.errors import (
    BackendError,
    ConfigurationError,
    DataError,
    Overloaded,
    RagSystemError,
)
from rag_llm_system.domain.from_context import FromContext
from rag_llm_system.infrastructure.local.pending import PendingAnswer
from rag_llm_system.infrastructure.local.protocol import EngineStats
from rag_llm_system.infrastructure.local.upstream_answer import Answer, refusal

_CONNECT_S, _READ_S = 3.0, 120.0
"""Between two pieces of a stream, the first one included: it may wait for the requests before it."""

_STRUCTURED = "structured_outputs"
"""vLLM's parameter; others do not know it, and say so by its name or ignore it."""

_logger = logging.getLogger(__name__)

RegexOf = Callable[[Sequence[FromContext]], str]


class UpstreamGeneration:
    """A request on its way; ``cancel`` closes its connection, which ends it over there."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._task: asyncio.Task[None] | None = None

    def cancel(self) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._cancel_task)

    def runs_as(self, task: "asyncio.Task[None]") -> None:
        """Called in the loop."""
        self._task = task

    def _cancel_task(self) -> None:
        if self._task:
            self._task.cancel()


class UpstreamEngine:
    """``base_url`` ends in ``/v1``. Requests wait over there; those that have heard nothing yet are counted here.

    ``regex_of`` makes a regular expression of the fields of ``from_context``; without it, or where the server takes
    none, their text is not held to the context. ``model_id``: as the server calls it; else the first it names.
    """

    device = "upstream"

    def __init__(
        self,
        base_url: str,
        *,
        api_key: SecretStr | None = None,
        model_id: str = "",
        max_waiting: int = 32,
        regex_of: RegexOf | None = None,
        connect_timeout_s: float = _CONNECT_S,
        read_timeout_s: float = _READ_S,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Asks the server for its model. Raises ConfigurationError and BackendError. ``transport`` is for tests."""
        self._url, self._shown = _address(base_url)
        secret = api_key.get_secret_value() if api_key else ""
        self._headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        self._timeout = httpx.Timeout(read_timeout_s, connect=connect_timeout_s)
        self._transport = transport
        self._max_waiting = max_waiting
        self._regex_of = regex_of
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting = self._running = 0
        self._lock = threading.Lock()
        self._closed = False
        opened: Future[asyncio.AbstractEventLoop] = Future()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._work(opened)), name="upstream", daemon=True
        )
        self._thread.start()
        self._loop = opened.result()
        try:
            self.model_id = (
                model_id
                or asyncio.run_coroutine_threadsafe(self._first_model(), self._loop).result()
            )
        except RagSystemError:
            self.close()
            raise

    def start(
        self,
        messages: Sequence[Message],
        listener: PendingAnswer,
        *,
        max_new_tokens: int,
        temperature: float,
        top_p: float,
        stop: Sequence[str] = (),
        from_context: Sequence[FromContext] = (),
    ) -> UpstreamGeneration:
        """Raises Overloaded. That a prompt is too long is known when the server says so: the listener hears it."""
        body = {
            "model": self.model_id,
            "messages": [{"role": m.role, "content": m.content} for m in messages],
            "max_tokens": max_new_tokens,
            "temperature": temperature,
            "top_p": top_p,
            "stream": True,
            "stream_options": {"include_usage": True},
            **({"stop": list(stop)} if stop else {}),
        }
        held = {}
        if from_context and self._regex_of:
            held = {_STRUCTURED: {"regex": self._regex_of(from_context)}}
        with self._lock:
            if self._closed:
                raise BackendError("the engine has stopped; restart the server")
            if self._waiting >= self._max_waiting:
                raise Overloaded(
                    f"{self._max_waiting} requests are waiting already; try again later"
                )
            self._waiting += 1
            generation = UpstreamGeneration(self._loop)
            self._loop.call_soon_threadsafe(self._begin, generation, body, held, listener)
        return generation

    def stats(self) -> EngineStats:
        with self._lock:
            return EngineStats(
                running=self._running, waiting=self._waiting, max_waiting=self._max_waiting
            )

    def close(self) -> None:
        """Cancels what runs, and ends the thread."""
        with self._lock:
            was_closed, self._closed = self._closed, True
        if not was_closed:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    async def _work(self, opened: "Future[asyncio.AbstractEventLoop]") -> None:
        self._stop = asyncio.Event()
        # the server is ours and near: a proxy of the environment has no business between
        async with httpx.AsyncClient(
            headers=self._headers,
            timeout=self._timeout,
            limits=httpx.Limits(max_connections=None),
            transport=self._transport,
            trust_env=False,
        ) as self._client:
            opened.set_result(asyncio.get_running_loop())
            await self._stop.wait()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _begin(
        self,
        generation: UpstreamGeneration,
        body: Mapping[str, Any],
        held: Mapping[str, Any],
        listener: PendingAnswer,
    ) -> None:
        answer = Answer(listener, self._begun)
        task = asyncio.create_task(self._answer(body, held, answer))
        generation.runs_as(task)
        self._tasks.add(task)
        task.add_done_callback(lambda ended: self._ended(ended, answer, listener))

    async def _answer(
        self, body: Mapping[str, Any], held: Mapping[str, Any], answer: Answer
    ) -> None:
        try:
            await self._stream({**body, **held}, answer)
        except DataError as error:
            if not held:
                raise
            # it comes before the first piece; if the question itself is at fault, the second answer is the same
            if _STRUCTURED in str(error):
                self._regex_of = None
            await self._stream(body, answer)

    def _ended(self, task: "asyncio.Task[None]", answer: Answer, listener: PendingAnswer) -> None:
        """Also for a task that was cancelled before it had begun."""
        self._tasks.discard(task)
        with self._lock:
            if answer.has_begun:
                self._running -= 1
            else:
                self._waiting -= 1
        error = None if task.cancelled() else task.exception()
        if task.cancelled():
            answer.cancelled()
        elif error is None:
            answer.end()
        elif isinstance(error, RagSystemError):
            listener.failed(error)
        else:
            _logger.error("an answer of %s could not be read", self._shown, exc_info=error)
            listener.failed(
                BackendError(f"{self._shown} sent what is no answer ({type(error).__name__})")
            )

    def _begun(self) -> None:
        with self._lock:
            self._waiting -= 1
            self._running += 1

    async def _stream(self, body: Mapping[str, Any], answer: Answer) -> None:
        try:
            async with self._client.stream(
                "POST", f"{self._url}/chat/completions", json=body
            ) as response:
                if response.status_code != httpx.codes.OK:
                    await response.aread()
                    raise refusal(response, self._shown, self.model_id)
                async for line in response.aiter_lines():
                    answer.add(line)
        except httpx.HTTPError as error:
            self._raise(error)

    async def _first_model(self) -> str:
        try:
            response = await self._client.get(f"{self._url}/models")
        except httpx.HTTPError as error:
            self._raise(error)
        if response.status_code != httpx.codes.OK:
            raise refusal(response, self._shown, "")
        try:
            return str(response.json()["data"][0]["id"])
        except (json.JSONDecodeError, KeyError, IndexError, TypeError) as error:
            raise BackendError(
                f"{self._shown}/models names no model; INFERENCE_UPSTREAM_URL is the /v1 of a server such as vLLM"
            ) from error

    def _raise(self, error: httpx.HTTPError) -> NoReturn:
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            reason = "no model server there; start it, or set INFERENCE_UPSTREAM_URL"
        elif isinstance(error, httpx.TimeoutException):
            reason = f"it sent nothing for {self._timeout.read:g} s; ask for fewer tokens or look at its log"
        else:
            reason = f"it broke off ({type(error).__name__}); look at its log"
        raise BackendError(f"{self._shown}: {reason}") from error


def _address(base_url: str) -> tuple[str, str]:
    """The URL, and how it may be shown: without a name and a password."""
    try:
        url = httpx.URL(base_url.rstrip("/"))
    except httpx.InvalidURL as error:
        raise _no_address(base_url) from error
    if url.scheme not in ("http", "https") or not url.host:
        raise _no_address(base_url)
    return str(url), str(url.copy_with(userinfo=b""))


def _no_address(base_url: str) -> ConfigurationError:
    return ConfigurationError(
        f"INFERENCE_UPSTREAM_URL {base_url!r} is no URL; it looks like http://127.0.0.1:8080/v1"
    )
