"""Pages over HTTP/2: one request at a time on a connection, whatever the other side does with it."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings
import pytest
import trustme

from rag_llm_system.domain.crawling import FailureKind
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.infrastructure.fetchers.addresses import AddressRules
from rag_llm_system.infrastructure.fetchers.http import HttpFetcher
from tests.web_server import serve_raw

BODY = b"<p>Words.</p>"
GARBAGE = b"\x00\x00\x00\x01\x04\x00\x00\x00\x00"  # headers of no request
HEAD = [(":status", "200"), ("content-type", "text/html")]


class Request(NamedTuple):
    """One request that arrived, and what it takes to answer it."""

    path: str
    stream: int
    connection: h2.connection.H2Connection
    socket: socket.socket


Answer = Callable[[Request], None]


class Site:
    """Counts connections and answers each path as told."""

    def __init__(self, context: ssl.SSLContext, answers: dict[str, Answer]) -> None:
        self.connections = 0
        self.at_once = 0
        self._context = context
        self._answers = answers

    def talk(self, plain: socket.socket) -> None:
        try:
            with self._context.wrap_socket(plain, server_side=True) as secured:
                self.connections += 1
                self._serve(secured)
        except (ssl.SSLError, h2.exceptions.ProtocolError):
            return  # the client went away, or had been told to

    def _serve(self, secured: socket.socket) -> None:
        config = h2.config.H2Configuration(client_side=False, validate_outbound_headers=False)
        connection = h2.connection.H2Connection(config)
        connection.initiate_connection()
        secured.sendall(connection.data_to_send())
        while data := secured.recv(65_536):
            for event in connection.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    self.at_once = max(self.at_once, connection.open_inbound_streams)
                    path = dict(event.headers)[b":path"].decode()
                    self._answers[path](Request(path, event.stream_id, connection, secured))
            secured.sendall(connection.data_to_send())


def page(request: Request) -> None:
    request.connection.send_headers(request.stream, HEAD)
    request.connection.send_data(request.stream, BODY, end_stream=True)


def reset(request: Request) -> None:
    request.connection.reset_stream(request.stream)


def goodbye(request: Request) -> None:
    request.connection.close_connection()


def headers_only(request: Request) -> None:
    request.connection.send_headers(request.stream, HEAD)


def garbage(request: Request) -> None:
    request.connection.send_headers(request.stream, HEAD)
    request.socket.sendall(request.connection.data_to_send() + GARBAGE)


def garbage_at_once(request: Request) -> None:
    request.socket.sendall(GARBAGE)


def strange_status(request: Request) -> None:
    request.connection.send_headers(
        request.stream, [(":status", "fine"), ("content-type", "text/html")], end_stream=True
    )


def endless(request: Request) -> None:
    """As much as the window lets through; the client has seen enough long before."""
    connection, stream = request.connection, request.stream
    connection.send_headers(stream, HEAD)
    while window := connection.local_flow_control_window(stream):
        connection.send_data(stream, bytes(min(window, connection.max_outbound_frame_size)))
    request.socket.sendall(connection.data_to_send())


def fewer_streams(request: Request) -> None:
    one = {h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 1}
    request.connection.update_settings(one)
    page(request)


@contextmanager
def served(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answers: dict[str, Answer],
    timeout_s: float = 1.0,
) -> Iterator[tuple[Site, HttpFetcher]]:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["h2"])
    authority.issue_cert("site.example").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    site = Site(context, answers)
    with serve_raw(site.talk) as port:
        rules = AddressRules(connect_to={"site.example": f"127.0.0.1:{port}"})
        fetcher = HttpFetcher(rules=rules, timeout_s=timeout_s, max_bytes=100_000)
        yield site, fetcher
        fetcher.close()


def test_pages_share_a_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(tmp_path, monkeypatch, {"/": page}) as (site, fetcher):
        for _ in range(5):
            found = fetcher.fetch("https://site.example/")
            assert found is not None
            assert found.content == BODY
        assert site.connections == 1


def test_threads_do_not_share_a_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with served(tmp_path, monkeypatch, {"/": fewer_streams}) as (site, fetcher):
        threads = [
            threading.Thread(target=fetcher.fetch, args=("https://site.example/",))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=10)
            assert not thread.is_alive()
        assert site.at_once == 1


@pytest.mark.parametrize(
    ("answer", "kind", "reason"),
    [
        (reset, "unreachable", "the connection was cut off"),
        (goodbye, "unreachable", "the connection was cut off"),
        (garbage, "damaged", "the server broke the HTTP protocol"),
        (garbage_at_once, "damaged", "the server broke the HTTP protocol"),
        (strange_status, "damaged", "the server broke the HTTP protocol"),
        (headers_only, "unreachable", "no complete answer in time"),
        (endless, "too large", "larger than 100,000 bytes"),
    ],
)
def test_a_bad_answer_is_an_error_and_the_next_page_comes_all_the_same(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: Answer,
    kind: FailureKind,
    reason: str,
) -> None:
    with served(tmp_path, monkeypatch, {"/": page, "/bad": answer}) as (_, fetcher):
        for _ in range(2):
            with pytest.raises(CrawlError, match=reason) as raised:
                fetcher.fetch("https://site.example/bad")
            assert raised.value.kind == kind
            assert fetcher.fetch("https://site.example/") is not None


def test_closing_ends_what_is_under_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = threading.Event()

    def begin(request: Request) -> None:
        headers_only(request)
        begun.set()

    with (
        served(tmp_path, monkeypatch, {"/": begin}, timeout_s=60) as (_, fetcher),
        ThreadPoolExecutor(1) as pool,
    ):
        page = pool.submit(fetcher.fetch, "https://site.example/")
        assert begun.wait(timeout=10)
        fetcher.close()
        assert isinstance(page.exception(timeout=10), CrawlError)
