"""The connections of the HTTP fetcher, kept open between requests."""

import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import h2.exceptions
import httpcore
import httpx

from rag_llm_system.infrastructure.fetchers.sockets import CheckedBackend, Deadline

KEEPALIVE_S = (
    30.0  # less than the 60 s and more after which servers close a connection that is not used
)
Trace = Callable[[str, object], None]


class Reply(NamedTuple):
    """The head of an answer, and its body as it comes in."""

    status: int
    headers: list[tuple[bytes, bytes]]
    pieces: Iterator[bytes]


class _Idle(NamedTuple):
    origin: httpcore.Origin
    connection: httpcore.HTTPConnection
    stream: httpcore.NetworkStream
    since: float

    @property
    def is_old(self) -> bool:
        return time.monotonic() - self.since > KEEPALIVE_S

    @property
    def is_usable(self) -> bool:
        """A server that sends something unasked says goodbye."""
        return not (self.is_old or self.stream.get_extra_info("is_readable"))


class Connections:
    """HTTP/1.1 and HTTP/2 connections, at most ``limit``; each carries one request at a time.

    httpcore's own pool lets threads share an HTTP/2 connection. There the timeout of one request ends the others, a
    server that lowers its limit of streams blocks them for good, and a body that is not read to its end uses up the
    window of all. It also compares every connection with every other, twice a request (2 ms at 64 connections).
    """

    def __init__(
        self, backend: CheckedBackend, deadline: Deadline, *, tls: ssl.SSLContext, limit: int
    ) -> None:
        self._backend = backend
        self._deadline = deadline
        self._tls = tls
        self._limit = limit
        self._places = threading.Semaphore(limit)
        self._lock = threading.Lock()
        self._idle: list[_Idle] = []  # the longest idle first
        self._in_use = 0
        self._closed = False

    @contextmanager
    def ask(
        self, url: httpx.URL, headers: Mapping[str, str], trace: Trace | None = None
    ) -> Iterator[Reply]:
        """The answer while the block runs; one that is read to its end leaves its connection to the next request."""
        timeout = self._deadline.cap(None)
        extensions: dict[str, object] = {
            "timeout": dict.fromkeys(("connect", "read", "write"), timeout)
        }
        if trace:
            extensions["trace"] = trace
        target = httpcore.URL(
            scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
        )
        if not self._places.acquire(timeout=timeout):
            raise httpcore.PoolTimeout("all connections are in use")
        try:
            connection = self._take(target.origin)
            body = _Body()
            try:
                with ExitStack() as asked:
                    with _translated():
                        response = asked.enter_context(
                            connection.stream(
                                "GET",
                                target,
                                headers=[("Host", url.netloc), *headers.items()],
                                extensions=extensions,
                            )
                        )
                    yield Reply(response.status, response.headers, body.pieces(response))
            finally:
                stream = body.stream if body.is_read and connection.is_idle() else None
                self._give_back(target.origin, connection, stream)
        finally:
            self._places.release()

    def close(self) -> None:
        """Ends what is under way as well."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for entry in idle:
            entry.connection.close()
        self._backend.close()

    def _take(self, origin: httpcore.Origin) -> httpcore.HTTPConnection:
        """An idle connection, the last that was used as it is the likeliest to be open, or a new one."""
        found, closing = None, []
        with self._lock:
            self._in_use += 1
            for entry in [entry for entry in reversed(self._idle) if entry.origin == origin]:
                self._idle.remove(entry)
                if entry.is_usable:
                    found = entry.connection
                    break
                closing.append(entry)
            while self._idle and (
                self._idle[0].is_old or self._in_use + len(self._idle) > self._limit
            ):
                closing.append(self._idle.pop(0))
        for entry in closing:
            entry.connection.close()
        return found or httpcore.HTTPConnection(
            origin, ssl_context=self._tls, http2=True, network_backend=self._backend
        )

    def _give_back(
        self,
        origin: httpcore.Origin,
        connection: httpcore.HTTPConnection,
        stream: httpcore.NetworkStream | None,
    ) -> None:
        """``stream`` is what the connection runs on, or None when it cannot be used again."""
        with self._lock:
            self._in_use -= 1
            is_kept = stream is not None and not self._closed
            if stream is not None and is_kept:
                self._idle.append(_Idle(origin, connection, stream, time.monotonic()))
        if not is_kept:
            connection.close()


class _Body:
    """The body of an answer; knows whether it was read to its end, and what it came on."""

    def __init__(self) -> None:
        self.is_read = False
        self.stream: httpcore.NetworkStream | None = None

    def pieces(self, response: httpcore.Response) -> Iterator[bytes]:
        self.stream = response.extensions["network_stream"]
        with _translated():
            yield from response.iter_stream()
        self.is_read = True


@contextmanager
def _translated() -> Iterator[None]:
    """What httpcore 1.0 lets through of HTTP/2: faults in a body, and a status that is no number."""
    try:
        yield
    except (h2.exceptions.H2Error, ValueError) as error:
        raise httpcore.RemoteProtocolError(str(error)) from error
