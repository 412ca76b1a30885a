"""The sockets under the HTTP fetcher: only checked addresses are dialled, and no wait outlives the fetch.

httpx has no public hook at this height; httpcore, the transport layer it is built on, has: a NetworkBackend.
"""

import math
import ssl
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Any

import httpcore

from rag_llm_system.domain.errors import ConfigurationError
from rag_llm_system.infrastructure.fetchers.addresses import addresses_of

SocketOptions = Iterable[httpcore.SOCKET_OPTION]


class Deadline(threading.local):
    """When the fetch that runs in this thread must be over.

    Timeouts of single reads do not bound a server that sends one byte at a time; this does.
    """

    at = math.inf

    def start(self, seconds: float) -> None:
        self.at = time.monotonic() + seconds

    def cap(self, timeout: float | None) -> float:
        """The timeout, or what is left of the time if that is less."""
        left = self.at - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("deadline passed")
        return left if timeout is None else min(left, timeout)


class CheckedBackend(httpcore.NetworkBackend):
    """Resolves a host once, checks every address and dials the checked one, so nothing can change in between.

    ``connect_to`` sends a host to an address of the operator's choice instead, as ``curl --connect-to`` does.
    """

    def __init__(
        self, deadline: Deadline, *, connect_to: Mapping[str, str], allow_private: bool
    ) -> None:
        self._deadline = deadline
        self._connect_to = {
            host.lower(): _address(host, value) for host, value in connect_to.items()
        }
        self._allow_private = allow_private
        self._sockets = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: SocketOptions | None = None,
    ) -> httpcore.NetworkStream:
        addresses, port = self._addresses(host, port)
        failure: Exception = httpcore.ConnectError("no address")
        for address in addresses:
            try:
                stream = self._sockets.connect_tcp(
                    address, port, self._deadline.cap(timeout), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return DeadlineStream(stream, self._deadline)
        raise failure

    def _addresses(self, host: str, port: int) -> tuple[list[str], int]:
        if host.lower() in self._connect_to:
            address, other_port = self._connect_to[host.lower()]
            return [address], other_port or port
        return addresses_of(host, port, allow_private=self._allow_private), port


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

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, self._deadline.cap(timeout))
        return DeadlineStream(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _address(host: str, value: str) -> tuple[str, int | None]:
    address, colon, port = value.rpartition(":")
    if not colon or value.endswith("]"):
        return value.strip("[]"), None
    if not address or not port.isdecimal():
        raise ConfigurationError(
            f"connect_to[{host!r}] is {value!r}; it must be address or address:port"
        )
    return address.strip("[]"), int(port)
