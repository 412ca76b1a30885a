"""What passes through the egress proxy: bytes in both directions, counted against the limits of a page."""

import asyncio
import time
from collections import deque
from collections.abc import Coroutine
from typing import NamedTuple

from rag_llm_system.domain.crawling import FailureKind
from rag_llm_system.infrastructure.fetchers.egress_messages import (
    ProxyRequest,
    parse_answer,
)

PIECE_BYTES = 65_536
_REFUSED_KEPT = 200

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Refused(NamedTuple):
    """A connection that was not made or that was cut, and why."""

    host: str
    port: int
    reason: str
    kind: FailureKind


class Client:
    """One connection of the browser, and how much it received since the current page began."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.request = ProxyRequest("", 0)
        self.page = 0
        self.received_bytes = 0
        self.active_at = time.monotonic()


class PageAccount:
    """What one page received and was refused. ``too_large`` says why its connections were cut, or is ""."""

    def __init__(self, *, max_response_bytes: int, max_page_bytes: int) -> None:
        self._max_response_bytes = max_response_bytes
        self._max_page_bytes = max_page_bytes
        self._page = 0
        self.begin()

    def begin(self) -> None:
        self._page += 1
        self.received_bytes = 0
        self.too_large = ""
        self.refused: deque[Refused] = deque(maxlen=_REFUSED_KEPT)

    def note(self, request: ProxyRequest, reason: str, kind: FailureKind) -> None:
        self.refused.append(Refused(request.host, request.port, reason, kind))

    def take(self, client: Client, size_bytes: int) -> bool:
        """Whether the client may still have these; over a limit its connection is cut, so that no one
        takes what arrived for the whole."""
        if client.page != self._page:
            client.page, client.received_bytes = self._page, 0
        client.received_bytes += size_bytes
        self.received_bytes += size_bytes
        if not client.request.tunnel and client.received_bytes > self._max_response_bytes:
            self.too_large = f"one response is larger than {self._max_response_bytes:,} bytes"
        elif self.received_bytes > self._max_page_bytes:
            self.too_large = f"its parts are larger than {self._max_page_bytes:,} bytes together"
        if self.too_large:
            self.note(client.request, self.too_large, "too large")
            client.writer.transport.abort()
        return not self.too_large


class Relay:
    """Connects a client with the server it asked for, until one of them ends or both are silent."""

    def __init__(self, account: PageAccount, *, idle_timeout_s: float) -> None:
        self._account = account
        self._idle_timeout_s = idle_timeout_s

    async def tunnel(self, client: Client, server: Streams) -> None:
        client.writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await _until_one_ends(self._up(client, server[1]), self._down(client, server[0]))

    async def forward(self, client: Client, server: Streams) -> None:
        """One request and its answer; raises BadMessage when the server answers with something else."""
        reader, writer = server
        writer.write(client.request.head)
        left = client.request.body_bytes
        while left:
            async with asyncio.timeout(self._idle_timeout_s):
                piece = await client.reader.read(min(left, PIECE_BYTES))
                if not piece:
                    return
                left -= len(piece)
                writer.write(piece)
                await writer.drain()
        await _until_one_ends(self._answer(client, reader), self._up(client, None))

    async def _answer(self, client: Client, reader: asyncio.StreamReader) -> None:
        status = 100
        while status < 200:  # interim answers are for the connection that we are
            async with asyncio.timeout(self._idle_timeout_s):
                head = await reader.readuntil(b"\r\n\r\n")
            status, passed_on = parse_answer(head)
        if not self._account.take(client, len(passed_on)):
            return
        client.writer.write(passed_on)
        await self._down(client, reader)

    async def _down(self, client: Client, reader: asyncio.StreamReader) -> None:
        while piece := await self._read(client, reader):
            if not self._account.take(client, len(piece)):
                return
            client.writer.write(piece)
            await client.writer.drain()

    async def _up(self, client: Client, writer: asyncio.StreamWriter | None) -> None:
        """To the server, or to nobody when the request has been sent and only the client's end is awaited."""
        while piece := await self._read(client, client.reader):
            if writer:
                writer.write(piece)
                await writer.drain()

    async def _read(self, client: Client, reader: asyncio.StreamReader) -> bytes:
        """The next bytes; none at the end, or when nothing came for too long from either side."""
        while True:
            try:
                async with asyncio.timeout(self._idle_timeout_s):
                    piece = await reader.read(PIECE_BYTES)
            except TimeoutError:
                if time.monotonic() - client.active_at < self._idle_timeout_s:
                    continue  # the other direction is busy
                return b""
            client.active_at = time.monotonic()
            return piece


async def _until_one_ends(
    first: Coroutine[None, None, None], second: Coroutine[None, None, None]
) -> None:
    """Runs both directions of a connection; when one ends, so does the other. What ended it badly is raised."""
    tasks = [asyncio.ensure_future(first), asyncio.ensure_future(second)]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in ended:
        task.result()
