"""A forward proxy between the browser and the network: it dials what the address rules allow, and nothing else.

A browser looks names up, follows redirects and loads parts of a page by itself; only at its proxy can all of
that be checked. TLS is passed through unread.
"""

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import AsyncIterator, Collection
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import Self

from rag_llm_system.domain.crawling import FailureKind
from rag_llm_system.infrastructure.fetchers.addresses import AddressRules, UnusableHost
from rag_llm_system.infrastructure.fetchers.egress_messages import (
    BadMessage,
    ProxyRequest,
    parse_request,
    refusal,
)
from rag_llm_system.infrastructure.fetchers.egress_relay import (
    Client,
    PageAccount,
    Refused,
    Relay,
    Streams,
)

MAX_HEAD_BYTES = 65_536
MAX_CONNECTIONS = 256  # a browser keeps 32 to its proxy, and as many more as it has WebSockets
_HEAD_TIMEOUT_S = 10.0
_LOOK_UPS_AT_ONCE = 16
_CONNECTIONS = Path("/proc/net/tcp")  # Linux's list of IPv4 connections with the user of each


class EgressProxy:
    """Listens on a free port of 127.0.0.1 from ``start`` to ``close``, in a thread of its own.

    Only processes of the same user are served, where the system tells (Linux). ``closed_hosts`` are refused whatever
    the rules say. ``max_response_bytes`` bounds one response (inside a tunnel they cannot be told apart),
    ``max_page_bytes`` all that a page receives; over it, connections are cut and ``too_large`` says so until the
    next page begins.
    """

    def __init__(
        self,
        rules: AddressRules,
        *,
        closed_hosts: Collection[str] = (),
        max_response_bytes: int = 10_000_000,
        max_page_bytes: int = 30_000_000,
        connect_timeout_s: float = 10.0,
        idle_timeout_s: float = 60.0,
    ) -> None:
        self._rules = rules
        self._closed_hosts = closed_hosts
        self._connect_timeout_s = connect_timeout_s
        self._account = PageAccount(
            max_response_bytes=max_response_bytes, max_page_bytes=max_page_bytes
        )
        self._relay = Relay(self._account, idle_timeout_s=idle_timeout_s)
        self._own_ports: set[int] = set()
        self._tasks: set[asyncio.Task[None] | None] = set()
        self._thread: threading.Thread | None = None
        self.port = 0

    def start(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(ThreadPoolExecutor(_LOOK_UPS_AT_ONCE, "egress-look-up"))
        self._over = asyncio.Event()
        ready = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(ready,), name="egress-proxy", daemon=True
        )
        self._thread.start()
        ready.wait()
        return self

    def close(self) -> None:
        """Ends all connections; waits for look-ups under way, which the system's resolver bounds."""
        if self._thread:
            self._loop.call_soon_threadsafe(self._over.set)
            self._thread.join()
            self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def begin_page(self) -> None:
        """Forgets what was refused and received so far."""
        self._account.begin()

    def keep_off(self, port: int) -> None:
        """Never dial this port of this machine, whatever the rules allow."""
        self._own_ports.add(port)

    @property
    def refused(self) -> list[Refused]:
        """What was refused for the current page; of very many, the last ones."""
        return list(self._account.refused)

    @property
    def received_bytes(self) -> int:
        """What all connections received since the page began."""
        return self._account.received_bytes

    @property
    def too_large(self) -> str:
        """Why connections of this page were cut, or ""."""
        return self._account.too_large

    def _run(self, ready: threading.Event) -> None:
        with contextlib.closing(self._loop) as loop:
            asyncio.set_event_loop(loop)
            try:
                loop.run_until_complete(self._listen(ready))
            finally:
                ready.set()
                loop.run_until_complete(loop.shutdown_default_executor())
                asyncio.set_event_loop(None)

    async def _listen(self, ready: threading.Event) -> None:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=MAX_HEAD_BYTES)
        self.port = server.sockets[0].getsockname()[1]
        self.keep_off(self.port)
        ready.set()
        await self._over.wait()
        server.close()
        tasks = [task for task in self._tasks if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            if len(self._tasks) <= MAX_CONNECTIONS and _is_ours(writer):
                await self._serve(Client(reader, writer))
        except (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError):
            pass  # one side hung up, or said nothing or too much: the other one sees the connection end
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve(self, client: Client) -> None:
        async with asyncio.timeout(_HEAD_TIMEOUT_S):
            head = await client.reader.readuntil(b"\r\n\r\n")
        try:
            client.request = parse_request(head)
        except BadMessage as error:
            await self._refuse(client, str(error), "unsafe")
            return
        if self._account.too_large:
            await self._refuse(client, self._account.too_large, "too large")
            return
        try:
            addresses = await self._addresses(client.request)
        except UnusableHost as error:
            await self._refuse(client, str(error), "unsafe" if error.unsafe else "unreachable")
            return
        await self._connect(client, addresses)

    async def _connect(self, client: Client, addresses: list[tuple[str, int]]) -> None:
        async with self._connected(addresses) as server:
            if server is None:
                await self._refuse(client, "connection failed", "unreachable")
            elif client.request.tunnel:
                await self._relay.tunnel(client, server)
            else:
                try:
                    await self._relay.forward(client, server)
                except BadMessage as error:
                    await self._refuse(client, str(error), "unreachable")

    async def _addresses(self, request: ProxyRequest) -> list[tuple[str, int]]:
        """What to dial; looked up in another thread, once for each connection."""
        if request.host in self._closed_hosts:
            raise UnusableHost("a service of the browser's own", unsafe=True)
        dial = self._rules.dial
        addresses = await self._loop.run_in_executor(None, dial, request.host, request.port)
        if any(port in self._own_ports and _is_loopback(address) for address, port in addresses):
            raise UnusableHost("the crawler's own ports are not crawled", unsafe=True)
        return addresses

    @contextlib.asynccontextmanager
    async def _connected(self, addresses: list[tuple[str, int]]) -> AsyncIterator[Streams | None]:
        """A connection to the first address that takes one, or None."""
        for address, port in addresses:
            try:
                async with asyncio.timeout(self._connect_timeout_s):
                    reader, writer = await asyncio.open_connection(
                        address, port, limit=MAX_HEAD_BYTES
                    )
            except (OSError, TimeoutError):
                continue
            try:
                yield reader, writer
            finally:
                writer.close()
            return
        yield None

    async def _refuse(self, client: Client, reason: str, kind: FailureKind) -> None:
        self._account.note(client.request, reason, kind)
        client.writer.write(refusal(502 if kind == "unreachable" else 403, reason))
        await client.writer.drain()


def _is_loopback(address: str) -> bool:
    try:
        ip = ip_address(address)
    except ValueError:  # a name that the operator chose to connect to
        return address == "localhost"
    return ip.is_loopback or ip.is_unspecified


def _is_ours(writer: asyncio.StreamWriter) -> bool:
    """Whether the client runs under our user; others on this machine must not use what we may reach."""
    if not _CONNECTIONS.exists():
        return True
    host, port = writer.get_extra_info("peername")[:2]
    local = f"{int.from_bytes(ip_address(host).packed, sys.byteorder):08X}:{port:04X}"
    for line in _CONNECTIONS.read_text(encoding="ascii").splitlines()[1:]:
        fields = line.split()
        if fields[1] == local:
            return int(fields[7]) == os.geteuid()
    return False
