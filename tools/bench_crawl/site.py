"""The site of the crawling benchmark as its clients see it: links, what was asked of it, start and stop."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection

from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.errors import BackendError
from rag_llm_system.settings import PROJECT_ROOT

DOMAIN = "bench.example"
LOOPBACK = "127.0.0.1"
LOG_PATH = "/log"
_STOP_TIMEOUT_S = 5.0


class Shape(Value):
    """How many pages under how many host names; page n belongs to host n modulo hosts."""

    pages: int = 200
    hosts: int = 16

    @property
    def host_names(self) -> list[str]:
        return [f"h{number + 1:02}.{DOMAIN}" for number in range(self.hosts)]

    def host_of(self, page: int) -> str:
        return self.host_names[page % self.hosts]


class SiteLog(Value):
    """What was asked of the site since the log was last taken.

    ``pages`` are sent pages of either kind, ``unchanged`` their 304s; ``disallowed`` counts requests that
    robots.txt forbids. ``cpu_s`` is the server's own.
    """

    requests: int = 0
    pages: int = 0
    unchanged: int = 0
    robots: int = 0
    assets: int = 0
    disallowed: int = 0
    not_found: int = 0
    body_bytes: int = 0
    most_in_flight: int = 0
    most_in_flight_per_host: int = 0
    seconds: float = 0.0
    cpu_s: float = 0.0

    @property
    def requests_per_second(self) -> float:
        return self.requests / self.seconds if self.seconds else 0.0


class BenchSite:
    """A running site, as its clients see it."""

    def __init__(self, shape: Shape, port: int) -> None:
        self.shape, self.port = shape, port

    @property
    def address(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    def articles(self) -> list[str]:
        return [self._link(page, "articles") for page in range(self.shape.pages)]

    def script_pages(self) -> list[str]:
        """The same articles, but put into the page by a script."""
        return [self._link(page, "js") for page in range(self.shape.pages)]

    def disallowed(self) -> list[str]:
        """Links that robots.txt forbids, one for each 50 pages."""
        return [self._link(page, "private") for page in range(0, self.shape.pages, 50)]

    def take_log(self) -> SiteLog:
        """What was asked since this was called last."""
        connection = HTTPConnection(LOOPBACK, self.port, timeout=10)
        try:
            connection.request("POST", LOG_PATH)
            return SiteLog.model_validate_json(connection.getresponse().read())
        finally:
            connection.close()

    def _link(self, page: int, kind: str) -> str:
        return f"http://{self.shape.host_of(page)}:{self.port}/{kind}/{page}"


@contextmanager
def serve_bench_site(shape: Shape, *, delay_ms: int = 0) -> Iterator[BenchSite]:
    """The site in a process of its own while the block runs; it ends with this process in any case."""
    options = {"--pages": shape.pages, "--hosts": shape.hosts, "--delay-ms": delay_ms}
    arguments = [text for name, value in options.items() for text in (name, str(value))]
    with subprocess.Popen(  # noqa: S603 - our own module, numbers as arguments
        [sys.executable, "-m", "tools.bench_crawl.server", *arguments],
        cwd=PROJECT_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C ends its clients first
        text=True,
    ) as server:
        try:
            yield BenchSite(shape, _port(server))
        finally:
            _stop(server)


def _port(server: subprocess.Popen[str]) -> int:
    line = server.stdout.readline() if server.stdout else ""
    if not line.strip().isdecimal():
        raise BackendError(
            "the site of the benchmark did not start; see: python -m tools.bench_crawl.server"
        )
    return int(line)


def _stop(server: subprocess.Popen[str]) -> None:
    if server.stdin:
        server.stdin.close()
    try:
        server.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        server.kill()
