"""Web servers for the browser's tests: pages by path, on a free loopback port, with a list of who asked for what."""

import http.server
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from rag_llm_system.infrastructure.fetchers.browser import BrowserFetcher

WHY_NOT = BrowserFetcher.why_unavailable()
NEEDS_BROWSER = pytest.mark.skipif(WHY_NOT is not None, reason=f"runs Chromium: {WHY_NOT}")
HTML = "text/html; charset=utf-8"
PARAGRAPH = (
    "<p>" + "The quick brown fox jumps over the lazy dog, as it does in every test. " * 10 + "</p>"
)


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers from the server's routes: an HTML text as a page, a function by calling it."""

    server: "WebServer"
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path, _, self.query = self.path.partition("?")
        self.server.asked.append(f"{self.headers.get('Host', '')}{self.path}")
        route = self.server.routes.get(path)
        if callable(route):
            route(self)
        elif route is None:
            self.answer("<title>None</title><p>Nothing is here.</p>", status=404)
        else:
            self.answer(route)

    do_POST = do_HEAD = do_PUT = do_OPTIONS = do_GET

    def answer(
        self, body: str | bytes = b"", *, status: int = 200, kind: str = HTML, **headers: str
    ) -> None:
        content = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        for name, value in {"Content-Type": kind, **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Access-Control-Allow-Origin", "*")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *message: Any) -> None:
        """Silent."""


class WebServer(http.server.ThreadingHTTPServer):
    """``asked`` has host and path of every request; ``over`` is set when the test is."""

    daemon_threads = True

    def __init__(self, host: str, port: int, routes: Mapping[str, Any]) -> None:
        self.routes = routes
        self.asked: list[str] = []
        self.over = threading.Event()
        super().__init__((host, port), Handler)

    def handle_error(self, *request: Any) -> None:
        if not isinstance(sys.exception(), OSError):
            super().handle_error(*request)


@contextmanager
def serving(
    routes: Mapping[str, Any],
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    tls: ssl.SSLContext | None = None,
) -> Iterator[WebServer]:
    with WebServer(host, port, routes) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.over.set()
            server.shutdown()
            thread.join()


def redirect(target: str, status: int = 302) -> Callable[[Handler], None]:
    return lambda handler: handler.answer(status=status, Location=target)


def later(seconds: float, body: str, kind: str = HTML) -> Callable[[Handler], None]:
    """Answers after a while, or not at all when the test ends before."""

    def answer(handler: Handler) -> None:
        if not handler.server.over.wait(seconds):
            handler.answer(body, kind=kind)

    return answer


def wait_until(is_so: Callable[[], object], *, timeout_s: float = 10.0) -> bool:
    """Whether it became so in time; for what only another process or thread can bring about."""
    give_up_at = time.monotonic() + timeout_s
    while not is_so():
        if time.monotonic() > give_up_at:
            return False
        time.sleep(0.02)
    return True
