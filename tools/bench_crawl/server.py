"""Serves the pages of the crawling benchmark, in a process of its own: ``python -m tools.bench_crawl.server``.

Many host names share one loopback port; each has its own pages. Answers are made before the first request, and a
delay is a timer, so that a client measures itself and not this server.
"""

import asyncio
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple, cast

import click

from rag_llm_system.domain.documents import sha256_of
from tools.bench_crawl.pages import (
    FIGURE,
    SCRIPT,
    STYLE,
    content_script,
    page_html,
    read_passages,
    script_page_html,
)
from tools.bench_crawl.site import LOG_PATH, LOOPBACK, Shape, SiteLog
from tools.start import start

ROBOTS = "User-agent: *\nDisallow: /private/\n"
_LARGEST_HEAD_BYTES = 16_384


class _Answer(NamedTuple):
    """``counted`` is the field of the log; ``host`` is None where every host gives it."""

    counted: str
    full: bytes
    unchanged: bytes
    body_bytes: int
    etag: bytes
    host: bytes | None = None


class _Request(NamedTuple):
    method: bytes
    path: bytes
    host: bytes
    if_none_match: bytes
    closes: bool


class _Log:
    """Counts what is asked, and how much of it at the same time."""

    def __init__(self) -> None:
        self.counts = Counter[str]()
        self.in_flight = Counter[bytes]()
        self.started = self.ended = 0.0
        self.cpu_s = _cpu_s()

    def begin(self, host: bytes) -> None:
        self.started = self.started or time.perf_counter()
        self.in_flight[host] += 1
        self.counts["requests"] += 1
        for name, now in (
            ("most_in_flight", self.in_flight.total()),
            ("most_in_flight_per_host", self.in_flight[host]),
        ):
            self.counts[name] = max(self.counts[name], now)

    def end(self, host: bytes) -> None:
        self.in_flight[host] -= 1
        self.ended = time.perf_counter()

    def taken(self) -> SiteLog:
        return SiteLog(
            **self.counts, seconds=self.ended - self.started, cpu_s=_cpu_s() - self.cpu_s
        )


class _Site:
    """The answers by path, and the log."""

    def __init__(self, shape: Shape, delay_s: float) -> None:
        self.delay_s = delay_s
        self.hosts = frozenset(name.encode() for name in shape.host_names)
        self.answers = dict(_answers(shape))
        self.not_found = _answer("not_found", "not found", "text/plain", status="404 Not Found")
        self.log = _Log()

    def answer(self, request: _Request) -> tuple[_Answer, bytes]:
        """The answer and the bytes of it to send."""
        found = self.answers.get(request.path, self.not_found)
        if request.host not in self.hosts or found.host not in {None, request.host}:
            found = self.not_found
        if found.etag and request.if_none_match == found.etag:
            return found, found.unchanged
        return found, found.full

    def take_log(self) -> bytes:
        body = self.log.taken().model_dump_json()
        self.log = _Log()
        return _answer("", body, "application/json").full


def _answers(shape: Shape) -> Iterator[tuple[bytes, _Answer]]:
    passages = read_passages()
    yield b"/robots.txt", _answer("robots", ROBOTS, "text/plain")
    for path, text, kind in (
        (b"/style.css", STYLE, "text/css"),
        (b"/app.js", SCRIPT, "text/javascript"),
        (b"/figure.svg", FIGURE, "image/svg+xml"),
    ):
        yield path, _answer("assets", text, kind, kept_s=3600)
    for page in range(shape.pages):
        host = shape.host_of(page)
        html = page_html(page, passages)
        yield b"/articles/%d" % page, _answer("pages", html, "text/html", host=host)
        yield b"/private/%d" % page, _answer("disallowed", html, "text/html", host=host)
        shell = script_page_html(page)
        yield b"/js/%d" % page, _answer("pages", shell, "text/html", host=host)
        script = content_script(page, passages)
        yield b"/content/%d.js" % page, _answer("assets", script, "text/javascript", host=host)


def _answer(
    counted: str,
    text: str,
    kind: str,
    *,
    status: str = "200 OK",
    host: str | None = None,
    kept_s: int = 0,
) -> _Answer:
    body = text.encode()
    etag = f'"{sha256_of(text)[:32]}"'
    kept = f"max-age={kept_s}" if kept_s else "no-cache"
    shared = f"ETag: {etag}\r\nCache-Control: {kept}\r\n"
    head = f"Content-Type: {kind}; charset=utf-8\r\nContent-Length: {len(body)}\r\n{shared}\r\n"
    return _Answer(
        counted=counted,
        full=f"HTTP/1.1 {status}\r\n{head}".encode() + body,
        unchanged=f"HTTP/1.1 304 Not Modified\r\n{shared}\r\n".encode(),
        body_bytes=len(body),
        etag=etag.encode(),
        host=host.encode() if host else None,
    )


class _Connection(asyncio.Protocol):
    """One client: requests are answered one after another, each after the delay."""

    def __init__(self, site: _Site) -> None:
        self._site = site
        self._received = b""
        self._answering = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._answering:
            self._next()

    def _next(self) -> None:
        head, end, rest = self._received.partition(b"\r\n\r\n")
        if not end:
            if len(head) > _LARGEST_HEAD_BYTES:
                self._transport.close()
            return
        self._received = rest
        request = _parsed(head)
        if request.method == b"POST" and request.path == LOG_PATH.encode():
            self._transport.write(self._site.take_log())
            return
        self._answering = True
        log = self._site.log
        log.begin(request.host)
        if self._site.delay_s:
            loop = asyncio.get_running_loop()
            loop.call_later(self._site.delay_s, self._send, request, log)
        else:
            self._send(request, log)

    def _send(self, request: _Request, log: _Log) -> None:
        answer, sent = self._site.answer(request)
        log.end(request.host)
        known = sent is answer.unchanged
        log.counts["unchanged" if known and answer.counted == "pages" else answer.counted] += 1
        log.counts["body_bytes"] += 0 if known else answer.body_bytes
        self._answering = False
        if self._transport.is_closing():
            return
        self._transport.write(sent)
        if request.closes:
            self._transport.close()
        elif self._received:
            asyncio.get_running_loop().call_soon(self._next)


def _parsed(head: bytes) -> _Request:
    first, *lines = head.split(b"\r\n")
    method, path, *_ = (*first.split(b" "), b"", b"")
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)
    }
    return _Request(
        method=method,
        path=path.partition(b"?")[0],
        host=headers.get(b"host", b"").partition(b":")[0].lower(),
        if_none_match=headers.get(b"if-none-match", b""),
        closes=headers.get(b"connection", b"").lower() == b"close",
    )


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


class _UntilClosed(asyncio.Protocol):
    """Waits for the end of standard input: the process that wanted the site is gone."""

    def __init__(self) -> None:
        self.closed = asyncio.Event()

    def eof_received(self) -> None:
        self.closed.set()

    def connection_lost(self, _: Exception | None) -> None:
        self.closed.set()


async def _serve(site: _Site) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(site), LOOPBACK, 0, backlog=1024)
    click.echo(server.sockets[0].getsockname()[1])
    until = _UntilClosed()
    await loop.connect_read_pipe(lambda: until, sys.stdin)
    await until.closed.wait()
    server.close()


@click.command(
    help="Serve the benchmark's pages on a free loopback port until the input is closed."
)
@click.option("--pages", type=click.IntRange(min=1), default=200, show_default=True)
@click.option("--hosts", type=click.IntRange(min=1, max=99), default=16, show_default=True)
@click.option("--delay-ms", type=click.IntRange(min=0), default=0, show_default=True)
def main(pages: int, hosts: int, delay_ms: int) -> None:
    asyncio.run(_serve(_Site(Shape(pages=pages, hosts=hosts), delay_ms / 1000)))


if __name__ == "__main__":
    start(main)
