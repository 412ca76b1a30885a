"""The sockets under the HTTP fetcher: only checked addresses are dialled, and no wait outlives the fetch.

httpx has no public hook at this height; httpcore, the transport layer it is built on, has: a NetworkBackend.
"""

import math
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from weakref import WeakSet

import httpcore

from rag_llm_system.infrastructure.fetchers.addresses import AddressRules

SocketOptions = Iterable[httpcore.SOCKET_OPTION]


class Deadline(threading.local):
    """When the work that runs in this thread must be over, as ``time.monotonic`` counts.

    Timeouts of single reads do not bound a server that sends one byte at a time; this does.
    """

    at = math.inf

    @contextmanager
    def until(self, at: float) -> Iterator[None]:
        """The block must be over then; afterwards what held before holds again."""
        before, self.at = self.at, at
        try:
            yield
        finally:
            self.at = before

    def extend(self, seconds: float) -> None:
        """Time that is not counted, such as a wait for one's turn."""
        self.at += seconds

    def cap(self, timeout: float | None) -> float:
        """The timeout, or what is left of the time if that is less."""
        left = self.at - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("deadline passed")
        return left if timeout is None else min(left, timeout)


class CheckedBackend(httpcore.NetworkBackend):
    """Resolves a host once, checks every address and dials the checked one, so nothing can change in between."""

    def __init__(self, rules: AddressRules, deadline: Deadline) -> None:
        self._rules = rules
        self._deadline = deadline
        self._sockets = httpcore.SyncBackend()
        self._lock = threading.Lock()
        self._open: WeakSet[DeadlineStream] = WeakSet()
        self._closed = False

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: SocketOptions | None = None,
    ) -> httpcore.NetworkStream:
        dialled = self._rules.dial(host, port)
        failure: Exception = httpcore.ConnectError("no address")
        for left, (address, address_port) in zip(range(len(dialled), 0, -1), dialled, strict=True):
            # an address that never answers leaves the others their share of the time
            share = self._deadline.cap(timeout) / left
            try:
                stream = self._sockets.connect_tcp(
                    address, address_port, share, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return self._watched(DeadlineStream(stream, self._deadline))
        raise failure

    def close(self) -> None:
        """Ends every connection, also those that some thread waits for, and opens no more."""
        with self._lock:
            self._closed = True
            streams = list(self._open)
        for stream in streams:
            stream.shut_down()

    def _watched(self, stream: "DeadlineStream") -> "DeadlineStream":
        with self._lock:
            self._open.add(stream)
            closed = self._closed
        if closed:
            stream.close()
            raise httpcore.ConnectError("the fetcher was closed")
        return stream


class DeadlineStream(httpcore.NetworkStream):
    """A connection whose reads and writes end with the fetch they belong to."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.cap(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.cap(timeout))

    def close(self) -> None:
        self._stream.close()

    def shut_down(self) -> None:
        """Wakes a thread that waits for the other side; may be called from any."""
        plain = self._stream.get_extra_info("socket")
        with suppress(OSError):  # the other side, or our own thread, was faster
            socket.socket.shutdown(plain, socket.SHUT_RDWR)

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        try:
            self._stream = self._stream.start_tls(
                ssl_context, server_hostname, self._deadline.cap(timeout)
            )
        except BaseException:
            self.close()  # nobody else knows the socket yet
            raise
        return self

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
