"""What every fetcher and every repository reader must do, whatever it is built on."""

import http.server
import io
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from rag_llm_system.domain.documents import Page, RepositoryFile, Source
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.domain.ports import Fetcher, RepositoryReader, RepositorySnapshot
from rag_llm_system.infrastructure.fetchers import FETCHERS, REPOSITORY_READERS
from rag_llm_system.infrastructure.fetchers.addresses import AddressRules
from rag_llm_system.infrastructure.fetchers.browser import BrowserFetcher
from rag_llm_system.infrastructure.loading import load

LINK = "http://handbook.example/page"
HTML = "<html><body><p>Überall.</p></body></html>"
NOTES = "http://handbook.example/notes.txt"
ETAG, MODIFIED = '"1"', "Tue, 01 Apr 2025 00:00:00 GMT"


class Handbook(http.server.BaseHTTPRequestHandler):
    """Serves a page and a text as a web server does."""

    def do_GET(self) -> None:
        types = {"/page": "text/html; charset=utf-8", "/notes.txt": "text/plain; charset=utf-8"}
        known = self.headers["If-None-Match"] == ETAG
        known |= self.headers["If-Modified-Since"] == MODIFIED
        self.send_response(404 if self.path not in types else 304 if known else 200)
        self.send_header("Content-Type", types.get(self.path, "text/html"))
        self.send_header("ETag", ETAG)
        self.send_header("Last-Modified", MODIFIED)
        self.send_header("Set-Cookie", "id=1")
        self.end_headers()
        if self.path not in types or not known:
            self.wfile.write(HTML.encode())

    def log_message(self, *message: Any) -> None:
        """Silent."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handbook) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module", params=sorted(FETCHERS))
def fetcher(request: pytest.FixtureRequest, address: str) -> Iterator[Fetcher]:
    if request.param == "browser" and (reason := BrowserFetcher.why_unavailable()):
        pytest.skip(reason)
    pages = {
        link: Page(
            url=link,
            final_url=link,
            status=200,
            content=HTML.encode(),
            content_type=content_type,
            etag=ETAG,
            last_modified=MODIFIED,
            fetched_at=datetime.now(UTC),
        )
        for link, content_type in ((LINK, "text/html"), (NOTES, "text/plain"))
    }
    arguments: dict[str, dict[str, Any]] = {
        "browser": {"rules": AddressRules(connect_to={"handbook.example": address})},
        "http": {"rules": AddressRules(connect_to={"handbook.example": address})},
        "memory": {"pages": pages},
    }
    fetcher = load("fetcher", request.param, FETCHERS)(**arguments[request.param])
    yield fetcher
    fetcher.close()


# a browser gives pages only, each one whole and as its scripts left it
WITHOUT_BROWSER = pytest.mark.parametrize(
    "fetcher", sorted({*FETCHERS} - {"browser"}), indirect=True
)


def test_a_page_comes_with_what_the_server_said_about_it(fetcher: Fetcher) -> None:
    before = datetime.now(UTC)
    page = fetcher.fetch(LINK)
    assert page is not None
    assert "<p>Überall.</p>" in page.text
    assert (page.status, page.content_type) == (200, "text/html")
    assert (page.url, page.final_url) == (LINK, LINK)
    assert (page.fetched_at - before).total_seconds() < 60


@WITHOUT_BROWSER
def test_a_page_comes_with_what_tells_it_from_the_next(fetcher: Fetcher) -> None:
    page = fetcher.fetch(LINK)
    assert page is not None
    assert (page.etag, page.last_modified) == (ETAG, MODIFIED)


@WITHOUT_BROWSER
def test_an_unchanged_page_is_none(fetcher: Fetcher) -> None:
    assert fetcher.fetch(LINK, etag=ETAG) is None
    assert fetcher.fetch(LINK, last_modified=MODIFIED) is None


def test_a_changed_page_is_given_again(fetcher: Fetcher) -> None:
    assert fetcher.fetch(LINK, etag='"0"') is not None
    assert fetcher.fetch(LINK, last_modified="Mon, 31 Mar 2025 00:00:00 GMT") is not None


def test_a_fragment_does_not_make_another_page(fetcher: Fetcher) -> None:
    page = fetcher.fetch(LINK + "#part")
    assert page is not None
    assert page.final_url == LINK


def test_a_page_that_is_not_there_is_an_error_with_a_reason(fetcher: Fetcher) -> None:
    with pytest.raises(CrawlError) as raised:
        fetcher.fetch("http://handbook.example/absent")
    assert raised.value.link == "http://handbook.example/absent"
    assert (raised.value.kind, raised.value.reason) == ("gone", "HTTP 404 Not Found")


def test_a_link_with_a_password_is_refused_without_showing_it(fetcher: Fetcher) -> None:
    with pytest.raises(CrawlError) as raised:
        fetcher.fetch("http://user:hunter2@handbook.example/page")
    assert raised.value.kind == "unsafe"
    assert raised.value.reason == "links with a user name or password are not fetched"
    assert "hunter2" not in str(raised.value)


def test_a_text_is_no_page(fetcher: Fetcher) -> None:
    with pytest.raises(CrawlError, match="but text/plain") as raised:
        fetcher.fetch(NOTES)
    assert raised.value.kind == "not text"


@WITHOUT_BROWSER
def test_a_text_is_given_to_who_wants_text(fetcher: Fetcher) -> None:
    text = fetcher.fetch(NOTES, wanted="text")
    assert text is not None
    assert (text.text, text.content_type) == (HTML, "text/plain")


def test_cookies_are_not_kept(fetcher: Fetcher) -> None:
    page = fetcher.fetch(LINK)
    assert page is not None
    assert "set-cookie" not in page.headers


FILES = {"README.md": b"# Code\r\n", "src/a b.py": b"def f():\n\treturn 1"}
ARCHIVE = "https://forge.example/code.tar.gz"


class Archive(NamedTuple):
    """The files as a forge sends them."""

    chunks: Iterator[bytes]
    etag: str = '"1"'


@contextmanager
def download(
    link: str, *, etag: str = "", max_bytes: int, timeout_s: float
) -> Iterator[Archive | None]:
    if link != ARCHIVE:
        raise CrawlError(link, "HTTP 404 Not Found", kind="gone")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for path, content in FILES.items():
            member = tarfile.TarInfo(f"code-main/{path}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    yield Archive(iter([packed.getvalue()]))


class Stored(NamedTuple):
    """A reader, where it finds the files, and where it finds nothing."""

    reader: RepositoryReader
    location: str = "git+file:code"
    absent: str = "git+file:absent"


@pytest.fixture(params=sorted(REPOSITORY_READERS))
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> Stored:
    for path, content in FILES.items():
        (tmp_path / "code" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "code" / path).write_bytes(content)
    files = [RepositoryFile(path=path, content=content) for path, content in FILES.items()]
    snapshot = RepositorySnapshot(commit="", files=files, left_out={})
    arguments: dict[str, dict[str, Any]] = {
        "git": {"allow_local": True, "base": tmp_path},
        "memory": {"repositories": {"git+file:code": snapshot}},
        "tarball": {"download": download},
    }
    reader = load("reader", request.param, REPOSITORY_READERS)(**arguments[request.param])
    if request.param == "tarball":
        return Stored(reader, ARCHIVE, ARCHIVE.replace("code", "absent"))
    return Stored(reader)


def test_the_files_are_read_byte_by_byte_in_order(stored: Stored) -> None:
    snapshot = stored.reader.read(stored.location)
    assert [(file.path, file.content) for file in snapshot.files] == [*FILES.items()]
    assert snapshot.left_out == {}


def test_the_head_is_the_commit_of_a_read(stored: Stored) -> None:
    snapshot = stored.reader.read(stored.location)
    assert stored.reader.head(stored.location) == snapshot.commit


def test_a_repository_that_is_not_there_is_an_error(stored: Stored) -> None:
    for ask in (stored.reader.head, stored.reader.read):
        with pytest.raises(CrawlError) as raised:
            ask(stored.absent)
        assert raised.value.link == stored.absent


def test_a_repository_at_another_commit_is_read_again(stored: Stored) -> None:
    known = Source(link=stored.location, fetched_at=datetime.now(UTC), commit="0" * 40)
    again = stored.reader.read_if_changed(stored.location, known)
    assert again == stored.reader.read(stored.location)
