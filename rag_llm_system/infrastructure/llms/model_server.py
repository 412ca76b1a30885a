"""A server of language models over HTTP: pooled connections, timeouts, retries and errors, whatever its protocol."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from itertools import count
from typing import Any, Protocol

import httpx
from pydantic import SecretStr

from rag_llm_system.domain.errors import BackendError, ConfigurationError
from rag_llm_system.domain.redaction import redact
from rag_llm_system.infrastructure.llms.addresses import checked_key, checked_url, is_near
from rag_llm_system.infrastructure.llms.breaker import CircuitBreaker
from rag_llm_system.infrastructure.llms.clients import Clients
from rag_llm_system.infrastructure.llms.guarded import guarded
from rag_llm_system.infrastructure.llms.lines import Lines
from rag_llm_system.infrastructure.llms.refusals import WAITING, Words, refusal, retry_after_s
from rag_llm_system.infrastructure.llms.timeouts import Timeouts

_TRIES = 3
_FIRST_PAUSE_S = 0.1
_LONGEST_REFUSAL_BYTES = 1 << 16
_EXCERPT_CHARACTERS = 80
_REST_S = 0.05
"""After its last event a server has only the end of the answer left to send; then the connection serves again."""


class Reader(Protocol):
    """Reads one answer, line by line."""

    ended: bool

    def read(self, line: bytes) -> str:
        """The text that the line adds; "" for none.

        Raises ValueError for what is not of the protocol, BackendError with the server's reason.
        """


class ModelServer:
    """``transport`` replaces the network, for tests."""

    def __init__(
        self,
        url: str,
        words: Words,
        *,
        api_key: SecretStr = SecretStr(""),  # noqa: B008 - frozen
        timeouts: Timeouts = Timeouts(),  # noqa: B008 - frozen
        headers: Callable[[], Mapping[str, str]] = dict,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._url = checked_url(url, words.url_setting)
        self._key = checked_key(api_key, words.key_setting)
        self._timeouts, self._headers = timeouts, headers
        self.words = words.model_copy(
            update={"server": f"{words.server} at {redact(url.rstrip('/'))}"}
        )
        self._breaker = CircuitBreaker(self.words.server)
        self._clients = Clients(
            timeouts.connect_s,
            is_tls=self._url.startswith("https"),
            direct=is_near(self._url),
            transport=transport,
        )

    @property
    def name(self) -> str:
        """The server in a message."""
        return self.words.server

    def close(self) -> None:
        """Closes its connections, from any thread."""
        self._clients.close()

    def answer(
        self, path: str, body: Mapping[str, Any], reader: Callable[[], Reader]
    ) -> AsyncGenerator[str]:
        """The pieces of an answer, behind the circuit breaker and in time."""
        return guarded(self._pieces(path, body, reader()), self.name, self._timeouts, self._breaker)

    async def get(self, path: str) -> bytes:
        """What the server says about itself."""
        limit_s = self._timeouts.idle_s
        try:
            with self._translated():
                async with asyncio.timeout(limit_s), self._response("GET", path) as answer:
                    return await answer.aread()
        except TimeoutError as error:
            raise BackendError(f"{self.name} sent nothing for {limit_s:g} s") from error

    async def _pieces(
        self, path: str, body: Mapping[str, Any], reader: Reader
    ) -> AsyncGenerator[str]:
        with self._translated():
            async with (
                self._response("POST", path, body) as response,
                aclosing(self._lines(response)) as lines,
            ):
                async for line in lines:
                    if text := self._read(reader, line):
                        yield text
                    if reader.ended:
                        await _drained(lines)
                        return
        raise BackendError(f"{self.name} ended the answer early; look at its log")

    async def _lines(self, response: httpx.Response) -> AsyncGenerator[bytes]:
        lines = Lines()
        async for data in response.aiter_bytes():
            try:
                complete = lines.add(data)
            except ValueError as error:
                raise BackendError(f"{self.name} sent {error}; look at its log") from error
            for line in complete:
                yield line
        if rest := lines.rest():
            yield rest

    def _read(self, reader: Reader, line: bytes) -> str:
        try:
            return reader.read(line)
        except BackendError as error:
            raise BackendError(f"{self.name} failed: {error}") from error
        except ValueError as error:
            said = redact(line.decode(errors="replace"))[:_EXCERPT_CHARACTERS]
            raise BackendError(
                f"{self.name} sent what is no answer ({said!r}); check {self.words.url_setting}"
            ) from error

    @asynccontextmanager
    async def _response(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> AsyncGenerator[httpx.Response]:
        """The beginning of a good answer.

        The question is asked again only where nothing was done with it: no connection came about, or the server says
        when to come back and that is in time.
        """
        client = await self._clients.here()
        latest = time.monotonic() + self._timeouts.read_s
        for attempt in count(1):
            pause_s = _FIRST_PAUSE_S * 2 ** (attempt - 1)
            request = client.build_request(
                method, f"{self._url}{path}", json=body, headers=self._sent_headers()
            )
            try:
                response = await client.send(request, stream=True)
            except httpx.ConnectError:
                if attempt == _TRIES:
                    raise
            else:
                async with aclosing(response):
                    if response.is_success:
                        yield response
                        return
                    asked_s = retry_after_s(response.headers)
                    said = await _beginning(response)
                pause_s = max(pause_s, asked_s or 0)
                in_time = asked_s is not None and time.monotonic() + pause_s < latest
                if response.status_code not in WAITING or attempt == _TRIES or not in_time:
                    raise refusal(response.status_code, said, asked_s, self.words, self._key)
            await asyncio.sleep(pause_s)

    def _sent_headers(self) -> dict[str, str]:
        key = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        return {**self._headers(), **key}

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Every error of httpx as one of ours."""
        try:
            yield
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise ConfigurationError(f"{self.words.url_setting} is no URL") from error
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise BackendError(f"no connection to {self.name}: {self.words.way_out}") from error
        except (httpx.HTTPError, httpx.StreamError) as error:
            raise BackendError(
                f"{self.name} broke off ({type(error).__name__}); look at its log"
            ) from error


async def _drained(lines: AsyncGenerator[bytes]) -> None:
    """How the connection ends is of no interest: the answer is whole."""
    with suppress(TimeoutError, BackendError, httpx.HTTPError):
        async with asyncio.timeout(_REST_S):
            async for _ in lines:
                continue


async def _beginning(response: httpx.Response) -> bytes:
    said = b""
    async for some in response.aiter_bytes():
        said += some
        if len(said) > _LONGEST_REFUSAL_BYTES:
            break
    return said
