"""One HTTP client for each event loop: connections belong to the loop that opened them."""

import asyncio
import ssl
import threading
from collections.abc import AsyncGenerator
from functools import cached_property
from typing import NamedTuple

import httpx

_KEPT_OPEN_S = 4.0
"""Below the 5 s after which uvicorn closes a connection that is not used: no question meets one that is closing."""


class _Kept(NamedTuple):
    client: httpx.AsyncClient
    until_closed: AsyncGenerator[None]


class Clients:
    """Opens a client when a loop first asks for one, and closes it with the loop, or by ``close``."""

    def __init__(
        self,
        connect_s: float,
        *,
        is_tls: bool,
        direct: bool,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._connect_s, self._is_tls, self._direct = connect_s, is_tls, direct
        self._transport = transport
        self._kept: dict[asyncio.AbstractEventLoop, _Kept] = {}
        self._lock = threading.Lock()

    async def here(self) -> httpx.AsyncClient:
        """The client of the running loop."""
        loop = asyncio.get_running_loop()
        with self._lock:
            if found := self._kept.get(loop):
                return found.client
            client = self._client()
            kept = self._kept[loop] = _Kept(client, self._until_closed(loop, client))
        await anext(kept.until_closed)
        return client

    def close(self) -> None:
        """From any thread; answers in work break off, and a question that comes later opens another client."""
        with self._lock:
            kept, self._kept = self._kept, {}
        for loop, (_, until_closed) in kept.items():
            if not loop.is_closed():
                loop.call_soon_threadsafe(loop.create_task, until_closed.aclose())

    async def _until_closed(
        self, loop: asyncio.AbstractEventLoop, client: httpx.AsyncClient
    ) -> AsyncGenerator[None]:
        """A loop that ends closes the generators that are still open in it, and with this one the client."""
        try:
            yield
        finally:
            with self._lock:
                if (kept := self._kept.get(loop)) and kept.client is client:
                    del self._kept[loop]
            await client.aclose()

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            # how long an answer may take is counted by those who wait for it
            timeout=httpx.Timeout(None, connect=self._connect_s),
            limits=httpx.Limits(max_connections=None, keepalive_expiry=_KEPT_OPEN_S),
            verify=self._tls,
            trust_env=not self._direct,
            transport=self._transport,
        )

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Reading the certificates takes longer than a question to this machine, so it is done once, for TLS only."""
        if self._is_tls:
            return httpx.create_ssl_context(trust_env=not self._direct)
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
