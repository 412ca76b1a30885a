"""Pages over real sockets: what a server may send, and what comes of it."""

import gzip
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import ClassVar

import httpcore
import pytest
import trustme

from rag_llm_system.domain.crawling import FailureKind
from rag_llm_system.domain.documents import Page
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.infrastructure.fetchers.addresses import AddressRules
from rag_llm_system.infrastructure.fetchers.failures import FAILURES
from rag_llm_system.infrastructure.fetchers.http import MAX_FAILURE_BYTES, HttpFetcher
from tests.web_server import Handler, serve

HTML = {"Content-Type": "text/html; charset=utf-8"}
GZIPPED = HTML | {"Content-Encoding": "gzip"}
BODY = b"<html><body><p>Words.</p></body></html>"
ETAG = '"1"'


class Site(Handler):
    """Answers by the first segment of the path."""

    over = threading.Event()
    begun = threading.Event()
    clients: ClassVar[set[int]] = set()
    agents: ClassVar[set[str]] = set()
    accepted: ClassVar[dict[str, str]] = {}

    def do_GET(self) -> None:
        self.clients.add(self.client_address[1])
        self.agents.add(self.headers["User-Agent"])
        self.accepted[self.path] = self.headers["Accept"]
        kind, _, rest = self.path[1:].partition("/")
        getattr(self, f"_{kind}")(rest)

    def _page(self, rest: str) -> None:
        if self.headers["If-None-Match"] == ETAG:
            self.answer(304, {"ETag": ETAG})
        else:
            self.answer(200, HTML | {"ETag": ETAG}, BODY)

    def _to(self, rest: str) -> None:
        self.answer(302, {"Location": rest}, b"<p>Moved.</p>")

    def _count(self, rest: str) -> None:
        self.answer(302, {"Location": f"/count/{int(rest) - 1}" if int(rest) else "/page"})

    def _loop(self, rest: str) -> None:
        self.answer(302, {"Location": "/loop"})

    def _status(self, rest: str) -> None:
        self.answer(int(rest), HTML, BODY)

    def _later(self, rest: str) -> None:
        self.answer(int(rest), HTML | {"Retry-After": self.headers["If-None-Match"]}, BODY)

    def _type(self, rest: str) -> None:
        self.answer(200, {"Content-Type": rest} if rest else {}, BODY)

    def _latin(self, rest: str) -> None:
        self.answer(200, {"Content-Type": "text/html; charset=ISO-8859-1"}, b"\xe9t\xe9")

    def _gzip(self, rest: str) -> None:
        self.answer(200, GZIPPED, gzip.compress(BODY) + b"trailing")

    def _sitemap(self, rest: str) -> None:
        packed = gzip.compress(b"<urlset/>")
        coded = {"Content-Encoding": "gzip"} if rest.startswith("coded") else {}
        self.answer(200, {"Content-Type": "application/x-gzip"} | coded, packed)

    def _cut(self, rest: str) -> None:
        self.answer(200, GZIPPED, gzip.compress(BODY * 10)[:-12])

    def _damaged(self, rest: str) -> None:
        self.answer(200, GZIPPED, BODY)

    def _coded(self, rest: str) -> None:
        self.answer(200, HTML | {"Content-Encoding": rest}, BODY)

    def _empty(self, rest: str) -> None:
        self.answer(200, {"Content-Type": f"text/{rest}"}, b" \n")

    def _short(self, rest: str) -> None:
        self.answer(200, HTML | {"Content-Length": "1000"}, BODY)
        self.close_connection = True

    def _gone_away(self, rest: str) -> None:
        self.close_connection = True

    def _blocked(self, rest: str) -> None:
        headers = {"CF-Mitigated": "challenge", "Server": "cloudflare", "Set-Cookie": "id=secret"}
        self.answer(403, HTML | headers, b"<title>Just a moment...</title>" + b" " * 1_000_000)

    def _headers(self, rest: str) -> None:
        names = ("X-Robots-Tag", "Link", "Content-Language", "Set-Cookie", "X-Powered-By")
        self.answer(200, HTML | dict.fromkeys(names, rest), BODY)

    def _file(self, rest: str) -> None:
        if self.headers["If-None-Match"] == ETAG:
            self.answer(304, {})
        else:
            headers = {"Content-Type": "application/x-gzip", "ETag": ETAG, "Last-Modified": "then"}
            self.answer(200, headers, bytes(int(rest)))

    def _slow(self, rest: str) -> None:
        """Sends one byte at a time, of the head or of the body."""
        if rest == "body":
            self.answer(200, HTML | {"Content-Length": "1000"})
        self.close_connection = True
        self.begun.set()
        while not self.over.wait(0.02):
            self.wfile.write(b"a")


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    Site.over.clear()
    with serve(Site) as port:
        yield port
        Site.over.set()


@pytest.fixture
def rules(port: int) -> AddressRules:
    return AddressRules(connect_to={"site.example": f"127.0.0.1:{port}"})


@pytest.fixture
def fetcher(rules: AddressRules) -> Iterator[HttpFetcher]:
    fetcher = HttpFetcher(rules=rules, timeout_s=5.0, max_bytes=1_000_000)
    yield fetcher
    fetcher.close()


Ask = Callable[..., Page | None]


@pytest.fixture
def fetch(fetcher: HttpFetcher) -> Ask:
    return lambda path, **options: fetcher.fetch(f"http://site.example/{path}", **options)


def failure(fetch: Ask, path: str, **options: str) -> CrawlError:
    with pytest.raises(CrawlError) as raised:
        fetch(path, **options)
    return raised.value


def test_pages_share_a_connection_and_name_the_project(fetch: Ask) -> None:
    Site.clients.clear()
    for _ in range(3):
        fetch("page")
    assert len(Site.clients) == 1
    assert Site.agents == {"rag-llm-system/0.1"}


def test_redirects_errors_and_unchanged_pages_leave_the_connection_open(fetch: Ask) -> None:
    Site.clients.clear()
    assert fetch("page", etag=ETAG) is None
    assert fetch("count/2") is not None
    assert failure(fetch, "status/404").kind == "gone"
    assert fetch("to//page") is not None
    assert len(Site.clients) == 1


def test_threads_fetch_at_once(fetch: Ask) -> None:
    Site.clients.clear()
    threads = [threading.Thread(target=fetch, args=("page",)) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert fetch("page") is not None
    assert len(Site.clients) <= 30


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
    ("path", "kind", "reason"),
    [
        ("status/404", "gone", "HTTP 404 Not Found"),
        ("status/410", "gone", "HTTP 410 Gone"),
        ("status/401", "refused", "HTTP 401 Unauthorized"),
        ("status/403", "refused", "HTTP 403 Forbidden"),
        ("status/451", "refused", "HTTP 451 Unavailable For Legal Reasons"),
        ("status/999", "refused", "HTTP 999"),
        ("status/429", "busy", "HTTP 429 Too Many Requests"),
        ("status/503", "busy", "HTTP 503 Service Unavailable"),
        ("status/500", "unreachable", "HTTP 500 Internal Server Error"),
        ("status/599", "unreachable", "HTTP 599"),
        ("status/408", "unreachable", "HTTP 408 Request Timeout"),
        ("status/204", "empty", "HTTP 204 No Content"),
        ("status/300", "failed", "HTTP 300 Multiple Choices"),
        ("status/304", "failed", "HTTP 304 Not Modified"),
        ("count/5", "failed", "more than 5 redirects"),
        ("loop", "failed", "more than 5 redirects"),
        ("to/", "failed", "redirected, but: no target"),
        ("to/http://a:b/", "failed", "redirected to a malformed link"),
        ("type/application/pdf", "not text", "not a page but application/pdf"),
        ("type/application/json", "not text", "not a page but application/json"),
        ("type/text/plain", "not text", "not a page but text/plain"),
        ("type/", "not text", "not a page but of no stated type"),
        ("coded/gzip,%20gzip", "damaged", "unsupported content coding"),
        ("coded/br", "damaged", "unsupported content coding 'br'"),
        ("cut", "damaged", "the compressed page is cut off"),
        ("damaged", "damaged", "the compressed page is damaged"),
        ("empty/html", "empty", "the page is empty"),
        ("short", "unreachable", "the connection was cut off"),
        ("gone_away", "unreachable", "the connection was cut off"),
    ],
)
def test_what_is_not_a_page_is_an_error_with_a_kind_and_a_reason(
    fetch: Ask, path: str, kind: FailureKind, reason: str
) -> None:
    error = failure(fetch, path)
    assert (error.kind, error.link) == (kind, f"http://site.example/{path}")
    assert error.reason.startswith(reason)


@pytest.mark.parametrize(
    ("wanted", "types"),
    [
        (
            "page",
            "text/html application/xhtml+xml text/xml application/xml application/rss+xml "
            "application/atom+xml application/rdf+xml application/feed+json",
        ),
        (
            "text",
            "text/plain text/html text/markdown text/xml application/json application/ld+json "
            "application/vnd.github+json application/xml application/rss+xml ",
        ),
    ],
)
def test_what_is_wanted_is_given(fetch: Ask, wanted: str, types: str) -> None:
    for media_type in types.split():
        page = fetch(f"type/{media_type}", wanted=wanted)
        assert page is not None
        assert page.content_type == media_type


def test_text_may_be_empty_and_without_a_type_but_no_image(fetch: Ask) -> None:
    for path in ("type/", "empty/plain"):
        assert fetch(path, wanted="text") is not None
    assert failure(fetch, "type/image/png", wanted="text").reason == "not a text but image/png"


def test_a_server_is_told_what_is_wanted(fetch: Ask) -> None:
    fetch("page")
    assert Site.accepted["/page"].startswith("text/html")
    fetch("type/", wanted="text")
    assert Site.accepted["/type/"].startswith("text/plain")


@pytest.mark.parametrize("path", ["sitemap/plain.xml.gz", "sitemap/coded.xml.gz"])
def test_a_sitemap_that_is_kept_compressed_is_unpacked(fetch: Ask, path: str) -> None:
    page = fetch(path)
    assert page is not None
    assert (page.text, page.content_type) == ("<urlset/>", "application/xml")
    assert failure(fetch, "sitemap/other.gz").kind == "not text"


def test_an_answer_that_is_no_success_comes_with_the_error(fetch: Ask) -> None:
    page = failure(fetch, "blocked").page
    assert page is not None
    assert page.status == 403
    assert page.text.startswith("<title>Just a moment...")
    assert len(page.content) == MAX_FAILURE_BYTES
    assert page.headers.keys() == {"cf-mitigated", "server"}
    assert page.headers["cf-mitigated"] == "challenge"


def test_few_headers_are_kept(fetch: Ask) -> None:
    page = fetch("headers/noindex")
    assert page is not None
    kept = {name: value for name, value in page.headers.items() if name != "server"}
    assert kept == dict.fromkeys(("x-robots-tag", "link", "content-language"), "noindex")


def test_a_server_may_ask_to_come_back_later(fetch: Ask) -> None:
    def asked_for(value: str) -> float | None:
        error = failure(fetch, "later/429", etag=value)
        assert error.kind == "busy"
        return error.retry_after_s

    assert asked_for("120") == 120
    assert asked_for("soon") is None
    assert asked_for("-1") is None
    assert asked_for("9" * 400) == 366 * 86_400
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert 50 < (asked_for(in_a_minute) or 0) <= 60
    assert asked_for("Wed, 01 Jan 2020 00:00:00 GMT") == 0
    assert asked_for("Wed, 01 Jan 99999 00:00:00 GMT") is None


def test_etags_that_a_header_cannot_carry_are_not_sent(fetch: Ask) -> None:
    assert fetch("page", etag='"ü"') is not None
    assert fetch("page", etag='"1"\r\nX-Evil: 1') is not None


@pytest.mark.parametrize("part", ["head", "body"])
def test_a_page_that_comes_too_slowly_is_given_up(rules: AddressRules, part: str) -> None:
    fetcher = HttpFetcher(rules=rules, timeout_s=0.3)
    started = time.monotonic()
    with pytest.raises(CrawlError, match="no complete answer in time") as raised:
        fetcher.fetch(f"http://site.example/slow/{part}")
    assert raised.value.kind == "unreachable"
    assert time.monotonic() - started < 2
    fetcher.close()


def test_a_server_without_tls_or_nobody_listening_is_unreachable(port: int) -> None:
    hosts = {"site.example": f"127.0.0.1:{port}", "closed.example": "[::1]:1"}
    fetcher = HttpFetcher(rules=AddressRules(connect_to=hosts))
    for link, reason in (
        ("https://site.example/page", "TLS handshake failed"),
        ("http://closed.example/", "connection failed"),
        ("http://no-such-host.invalid/", "host name 'no-such-host.invalid' not found"),
    ):
        with pytest.raises(CrawlError, match=reason) as raised:
            fetcher.fetch(link)
        assert raised.value.kind == "unreachable"
    fetcher.close()


def test_an_address_that_answers_is_found_behind_one_that_does_not(port: int) -> None:
    class Both:
        def __call__(self, host: str, asked_port: int, **_: object) -> list[tuple[object, ...]]:
            return [(0, 0, 0, "", ("127.0.0.2", port)), (0, 0, 0, "", ("127.0.0.1", port))]

    rules = AddressRules(allow_hosts=["127.0.0.0/8"], resolve=Both())
    fetcher = HttpFetcher(rules=rules)
    assert fetcher.fetch(f"http://site.example:{port}/page") is not None
    fetcher.close()


def test_over_tls_the_certificate_must_be_trusted_and_name_the_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("site.example").configure_cert(context)
    with serve(Site, context) as port:
        hosts = {host: f"127.0.0.1:{port}" for host in ("site.example", "other.example")}
        stranger = HttpFetcher(rules=AddressRules(connect_to=hosts))
        with pytest.raises(CrawlError, match="TLS certificate refused: ") as raised:
            stranger.fetch("https://site.example/page")
        assert raised.value.kind == "unreachable"
        certificates = tmp_path / "certificates.pem"
        authority.cert_pem.write_to_path(str(certificates))
        monkeypatch.setenv("SSL_CERT_FILE", str(certificates))
        friend = HttpFetcher(rules=AddressRules(connect_to=hosts))
        assert friend.fetch("https://site.example/page") is not None
        with pytest.raises(CrawlError, match="TLS certificate refused: Hostname mismatch"):
            friend.fetch("https://other.example/page")
        stranger.close()
        friend.close()


@pytest.mark.parametrize(
    "link",
    ["http://user:hunt/hunter2@site.example:x/", "http://site.example:x/", "ftp://a.example/"],
)
def test_links_that_are_no_pages_are_refused(fetcher: HttpFetcher, link: str) -> None:
    with pytest.raises(CrawlError) as raised:
        fetcher.fetch(link)
    assert raised.value.kind in {"malformed", "unsafe"}
    assert "hunter2" not in str(raised.value)


def test_a_file_is_read_while_it_arrives(fetcher: HttpFetcher) -> None:
    link = "http://site.example/file/3000000"
    with fetcher.download(link, max_bytes=3_000_000) as download:
        assert download is not None
        assert (download.final_url, download.status, download.etag) == (link, 200, ETAG)
        assert (download.content_type, download.last_modified) == ("application/x-gzip", "then")
        sizes = [len(chunk) for chunk in download.chunks]
    assert sum(sizes) == 3_000_000
    assert max(sizes) < 1_000_000


def test_a_file_that_has_not_changed_is_none(fetcher: HttpFetcher) -> None:
    with fetcher.download("http://site.example/file/9", max_bytes=9, etag=ETAG) as download:
        assert download is None


def test_a_file_is_asked_for_as_the_caller_says_and_redirects_are_followed(
    fetcher: HttpFetcher,
) -> None:
    link = "http://site.example/to//file/9"
    with fetcher.download(link, max_bytes=9, accept="application/gzip") as download:
        assert download is not None
        assert download.final_url == "http://site.example/file/9"
        assert b"".join(download.chunks) == bytes(9)
    assert Site.accepted["/file/9"] == "application/gzip"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("file/10", "too large"),
        ("status/404", "gone"),
        ("to/file:///etc/passwd", "unsafe"),
        ("to/http://127.0.0.1/", "unsafe"),
    ],
)
def test_a_file_that_cannot_be_had_is_an_error_before_the_block(
    fetcher: HttpFetcher, path: str, kind: FailureKind
) -> None:
    with (
        pytest.raises(CrawlError) as raised,
        fetcher.download(f"http://site.example/{path}", max_bytes=9),
    ):
        pytest.fail("it cannot be had")
    assert raised.value.kind == kind


@pytest.mark.parametrize(
    ("path", "kind"),
    [("cut", "damaged"), ("short", "unreachable"), ("slow/body", "unreachable")],
)
def test_a_file_that_ends_early_is_an_error_where_it_is_read(
    fetcher: HttpFetcher, path: str, kind: FailureKind
) -> None:
    link = f"http://site.example/{path}"
    with fetcher.download(link, max_bytes=10_000, timeout_s=0.5) as download:
        assert download is not None
        with pytest.raises(CrawlError) as raised:
            list(download.chunks)
        assert (raised.value.kind, raised.value.link) == (kind, link)


def test_other_pages_can_be_fetched_while_a_file_is_read(fetcher: HttpFetcher) -> None:
    with fetcher.download("http://site.example/file/300000", max_bytes=300_000) as download:
        assert download is not None
        first = next(download.chunks)
        assert fetcher.fetch("http://site.example/page") is not None
        assert len(first) + sum(map(len, download.chunks)) == 300_000


def test_what_goes_wrong_with_the_caller_of_a_download_stays_as_it_is(fetcher: HttpFetcher) -> None:
    def read_numbers() -> None:
        with fetcher.download("http://site.example/page", max_bytes=1000) as download:
            assert download is not None
            json.loads(b"".join(download.chunks))

    with pytest.raises(json.JSONDecodeError):
        read_numbers()


def test_no_more_connections_are_opened_than_allowed(rules: AddressRules) -> None:
    fetcher = HttpFetcher(rules=rules, max_connections=1, timeout_s=0.3)
    with (
        fetcher.download("http://site.example/file/300000", max_bytes=300_000),
        pytest.raises(CrawlError, match="no complete answer in time"),
    ):
        fetcher.fetch("http://site.example/page")
    assert fetcher.fetch("http://site.example/page") is not None
    fetcher.close()


@pytest.mark.parametrize("part", ["head", "body"])
def test_closing_ends_what_is_under_way(rules: AddressRules, part: str) -> None:
    fetcher = HttpFetcher(rules=rules, timeout_s=60)
    Site.begun.clear()
    with ThreadPoolExecutor(1) as pool:
        page = pool.submit(fetcher.fetch, f"http://site.example/slow/{part}")
        assert Site.begun.wait(timeout=10)
        fetcher.close()
        error = page.exception(timeout=10)
    assert isinstance(error, CrawlError)
    assert error.kind == "unreachable"
    with pytest.raises(CrawlError, match="connection failed"):
        fetcher.fetch("http://site.example/page")


def test_every_error_of_the_http_library_is_translated() -> None:
    raised = [getattr(httpcore, name) for name in httpcore.__all__]
    errors = [kind for kind in raised if isinstance(kind, type) and issubclass(kind, Exception)]
    assert len(errors) > 10
    assert [kind for kind in errors if not issubclass(kind, tuple(FAILURES))] == []
