"""Pages over real sockets: what a server may send, and what must not be reached through it."""

import gzip
import http.server
import shutil
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

import httpcore
import pytest

from rag_llm_system.domain.documents import Page
from rag_llm_system.domain.errors import ConfigurationError, CrawlError
from rag_llm_system.infrastructure.fetchers.http import FAILURES, HttpFetcher

HTML = {"Content-Type": "text/html; charset=utf-8"}
GZIPPED = HTML | {"Content-Encoding": "gzip"}
BODY = b"<html><body><p>Words.</p></body></html>"


class Site(http.server.BaseHTTPRequestHandler):
    """Answers by the first segment of the path."""

    protocol_version = "HTTP/1.1"
    over = threading.Event()
    clients: ClassVar[set[int]] = set()
    agents: ClassVar[set[str]] = set()

    def do_GET(self) -> None:
        self.clients.add(self.client_address[1])
        self.agents.add(self.headers["User-Agent"])
        kind, _, rest = self.path[1:].partition("/")
        getattr(self, f"_{kind}")(rest)

    def _answer(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _page(self, rest: str) -> None:
        self._answer(200, HTML, BODY)

    def _to(self, rest: str) -> None:
        self._answer(302, {"Location": rest})

    def _count(self, rest: str) -> None:
        self._answer(302, {"Location": f"/count/{int(rest) - 1}" if int(rest) else "/page"})

    def _loop(self, rest: str) -> None:
        self._answer(302, {"Location": "/loop"})

    def _status(self, rest: str) -> None:
        self._answer(int(rest), HTML, BODY)

    def _type(self, rest: str) -> None:
        self._answer(200, {"Content-Type": rest} if rest else {}, BODY)

    def _latin(self, rest: str) -> None:
        self._answer(200, {"Content-Type": "text/html; charset=ISO-8859-1"}, b"\xe9t\xe9")

    def _gzip(self, rest: str) -> None:
        self._answer(200, GZIPPED, gzip.compress(BODY) + b"trailing")

    def _cut(self, rest: str) -> None:
        self._answer(200, GZIPPED, gzip.compress(BODY * 10)[:-12])

    def _damaged(self, rest: str) -> None:
        self._answer(200, GZIPPED, BODY)

    def _bomb(self, rest: str) -> None:
        self._answer(200, GZIPPED, gzip.compress(bytes(50_000_000)))

    def _stacked(self, rest: str) -> None:
        self._answer(200, HTML | {"Content-Encoding": "gzip, gzip"}, BODY)

    def _large(self, rest: str) -> None:
        self._answer(200, HTML, b"a" * 2_000_000)

    def _empty(self, rest: str) -> None:
        self._answer(200, HTML, b" \n")

    def _short(self, rest: str) -> None:
        self._answer(200, HTML | {"Content-Length": "1000"}, BODY)
        self.close_connection = True

    def _slow(self, rest: str) -> None:
        """Sends one byte at a time, of the head or of the body."""
        if rest == "body":
            self._answer(200, HTML | {"Content-Length": "1000"})
        self.close_connection = True
        while not self.over.wait(0.05):
            try:
                self.wfile.write(b"a")
            except OSError:
                return

    def log_message(self, *message: Any) -> None:
        """Silent."""


class Server(http.server.ThreadingHTTPServer):
    """Says nothing when a client hangs up on it, as these tests make clients do."""

    def handle_error(self, *request: Any) -> None:
        if not isinstance(sys.exception(), OSError):
            super().handle_error(*request)


@contextmanager
def serve(
    handler: type[http.server.BaseHTTPRequestHandler], tls: ssl.SSLContext | None = None
) -> Iterator[int]:
    with Server(("127.0.0.1", 0), handler) as server:
        if tls:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    Site.over.clear()
    with serve(Site) as port:
        yield port
        Site.over.set()


Ask = Callable[[str], Page | None]


@pytest.fixture
def fetch(port: int) -> Iterator[Ask]:
    fetcher = HttpFetcher(
        connect_to={"site.example": f"127.0.0.1:{port}"}, timeout_s=5.0, max_bytes=1_000_000
    )
    yield lambda path: fetcher.fetch(f"http://site.example/{path}")
    fetcher.close()


def test_pages_share_a_connection_and_name_the_project(fetch: Ask) -> None:
    Site.clients.clear()
    for _ in range(3):
        fetch("page")
    assert len(Site.clients) == 1
    assert Site.agents == {"rag-llm-system"}


def test_compressed_and_old_encodings_are_read(fetch: Ask) -> None:
    for path, text in (("gzip", BODY.decode()), ("latin", "été")):
        page = fetch(path)
        assert page is not None
        assert page.text == text


def test_five_redirects_are_followed(fetch: Ask) -> None:
    page = fetch("count/4")
    assert page is not None
    assert (page.url, page.final_url) == (
        "http://site.example/count/4",
        "http://site.example/page",
    )


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("status/404", "HTTP 404 Not Found"),
        ("status/503", "HTTP 503 Service Unavailable"),
        ("status/599", "HTTP 599"),
        ("status/304", "HTTP 304 Not Modified"),
        ("count/5", "more than 5 redirects"),
        ("loop", "more than 5 redirects"),
        ("to/", "redirected, but: no target"),
        ("to/file:///etc/passwd", "redirected, but: only http and https pages can be fetched"),
        ("to/http://user:hunter2@site.example/page", "redirected, but: links with a user name"),
        ("to/http://127.0.0.1/", "127.0.0.1 is the private address 127.0.0.1"),
        ("to/http://[::ffff:169.254.169.254]/", "is the private address"),
        ("to/http://a:b/", "redirected to a malformed link"),
        ("type/application/pdf", "not an HTML page but application/pdf"),
        ("type/", "not an HTML page but of no stated type"),
        ("bomb", "larger than 1,000,000 bytes"),
        ("large", "larger than 1,000,000 bytes"),
        ("stacked", "unsupported content coding 'gzip, gzip'"),
        ("cut", "the compressed page is damaged or cut off"),
        ("damaged", "the compressed page is damaged or cut off"),
        ("empty", "the page is empty"),
        ("short", "the server broke the HTTP protocol"),
    ],
)
def test_what_is_not_a_page_is_an_error_with_a_reason(fetch: Ask, path: str, reason: str) -> None:
    with pytest.raises(CrawlError) as raised:
        fetch(path)
    assert raised.value.reason.startswith(reason) or reason in raised.value.reason
    assert raised.value.link == f"http://site.example/{path}"
    assert "hunter2" not in raised.value.reason


@pytest.mark.parametrize("part", ["head", "body"])
def test_a_page_that_comes_too_slowly_is_given_up(port: int, part: str) -> None:
    fetcher = HttpFetcher(connect_to={"site.example": f"127.0.0.1:{port}"}, timeout_s=0.3)
    with pytest.raises(CrawlError, match="no complete answer in time"):
        fetcher.fetch(f"http://site.example/slow/{part}")
    fetcher.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]"])
def test_private_addresses_are_refused_unless_allowed(port: int, host: str) -> None:
    fetcher = HttpFetcher()
    with pytest.raises(CrawlError, match="is the private address"):
        fetcher.fetch(f"http://{host}:{port}/page")
    fetcher.close()


def test_private_addresses_are_fetched_when_allowed(port: int) -> None:
    fetcher = HttpFetcher(allow_private=True)
    assert fetcher.fetch(f"http://127.0.0.1:{port}/page") is not None
    fetcher.close()


def test_a_server_without_tls_or_nobody_listening_is_an_error(port: int) -> None:
    fetcher = HttpFetcher(
        connect_to={"site.example": f"127.0.0.1:{port}", "closed.example": "[::1]:1"}
    )
    with pytest.raises(CrawlError, match="TLS handshake failed"):
        fetcher.fetch("https://site.example/page")
    with pytest.raises(CrawlError, match="connection failed"):
        fetcher.fetch("http://closed.example/")
    fetcher.close()


@pytest.mark.skipif(not shutil.which("openssl"), reason="makes a certificate with openssl")
def test_over_tls_the_certificate_must_be_trusted_and_name_the_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=site.example"
    names = [
        "-addext",
        "subjectAltName=DNS:site.example",
        "-keyout",
        str(key),
        "-out",
        str(certificate),
    ]
    subprocess.run([*command.split(), *names], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with serve(Site, context) as port:
        hosts = {host: f"127.0.0.1:{port}" for host in ("site.example", "other.example")}
        stranger = HttpFetcher(connect_to=hosts)
        with pytest.raises(CrawlError, match="TLS certificate refused: self-signed certificate"):
            stranger.fetch("https://site.example/page")
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        friend = HttpFetcher(connect_to=hosts)
        assert friend.fetch("https://site.example/page") is not None
        with pytest.raises(CrawlError, match="TLS certificate refused: Hostname mismatch"):
            friend.fetch("https://other.example/page")
        stranger.close()
        friend.close()


def test_a_wrong_address_to_connect_to_is_refused_at_once() -> None:
    with pytest.raises(ConfigurationError, match="it must be address or address:port"):
        HttpFetcher(connect_to={"site.example": "127.0.0.1:http"})


@pytest.mark.parametrize(
    "link",
    ["http://user:hunt/hunter2@site.example:x/", "http://site.example:x/", "ftp://a.example/"],
)
def test_links_that_are_no_pages_are_refused(link: str) -> None:
    fetcher = HttpFetcher()
    with pytest.raises(CrawlError) as raised:
        fetcher.fetch(link)
    assert "hunter2" not in str(raised.value)
    fetcher.close()


def test_every_error_of_the_http_library_is_translated() -> None:
    raised = [getattr(httpcore, name) for name in httpcore.__all__]
    errors = [kind for kind in raised if isinstance(kind, type) and issubclass(kind, Exception)]
    assert len(errors) > 10
    assert [kind for kind in errors if not issubclass(kind, tuple(FAILURES))] == []
