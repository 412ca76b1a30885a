"""What every fetcher and every repository reader must do, whatever it is built on."""

import http.server
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rag_llm_system.domain.documents import Page, RepositoryFile
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.domain.ports import Fetcher, RepositoryReader, RepositorySnapshot
from rag_llm_system.infrastructure.fetchers import FETCHERS, REPOSITORY_READERS
from rag_llm_system.infrastructure.loading import load

LINK = "http://handbook.example/page"
HTML = "<html><body><p>Überall.</p></body></html>"
ETAG, MODIFIED = '"1"', "Tue, 01 Apr 2025 00:00:00 GMT"


class OnePage(http.server.BaseHTTPRequestHandler):
    """Serves /page as a web server does."""

    def do_GET(self) -> None:
        known = self.headers["If-None-Match"] == ETAG
        known |= self.headers["If-Modified-Since"] == MODIFIED
        self.send_response(404 if self.path != "/page" else 304 if known else 200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("ETag", ETAG)
        self.send_header("Last-Modified", MODIFIED)
        self.end_headers()
        if self.path == "/page" and not known:
            self.wfile.write(HTML.encode())

    def log_message(self, *message: Any) -> None:
        """Silent."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), OnePage) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(params=sorted(FETCHERS))
def fetcher(request: pytest.FixtureRequest, address: str) -> Iterator[Fetcher]:
    page = Page(
        url=LINK,
        final_url=LINK,
        status=200,
        content=HTML.encode(),
        content_type="text/html",
        etag=ETAG,
        last_modified=MODIFIED,
        fetched_at=datetime.now(UTC),
    )
    arguments: dict[str, dict[str, Any]] = {
        "http": {"connect_to": {"handbook.example": address}},
        "memory": {"pages": {LINK: page}},
    }
    fetcher = load("fetcher", request.param, FETCHERS)(**arguments[request.param])
    yield fetcher
    fetcher.close()


def test_a_page_comes_with_what_the_server_said_about_it(fetcher: Fetcher) -> None:
    before = datetime.now(UTC)
    page = fetcher.fetch(LINK)
    assert page is not None
    assert (page.text, page.status, page.content_type) == (HTML, 200, "text/html")
    assert (page.url, page.final_url) == (LINK, LINK)
    assert (page.etag, page.last_modified) == (ETAG, MODIFIED)
    assert (page.fetched_at - before).total_seconds() < 60


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
    assert raised.value.reason == "HTTP 404 Not Found"


def test_a_link_with_a_password_is_refused_without_showing_it(fetcher: Fetcher) -> None:
    with pytest.raises(CrawlError) as raised:
        fetcher.fetch("http://user:hunter2@handbook.example/page")
    assert raised.value.reason == "links with a user name or password are not fetched"
    assert "hunter2" not in str(raised.value)


FILES = {"README.md": b"# Code\r\n", "src/a b.py": b"def f():\n\treturn 1"}


@pytest.fixture(params=sorted(REPOSITORY_READERS))
def reader(request: pytest.FixtureRequest, tmp_path: Path) -> RepositoryReader:
    for path, content in FILES.items():
        (tmp_path / "code" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "code" / path).write_bytes(content)
    files = [RepositoryFile(path=path, content=content) for path, content in FILES.items()]
    snapshot = RepositorySnapshot(commit="", files=files, left_out={})
    arguments: dict[str, dict[str, Any]] = {
        "git": {"allow_local": True, "base": tmp_path},
        "memory": {"repositories": {"git+file:code": snapshot}},
    }
    reader: RepositoryReader = load("reader", request.param, REPOSITORY_READERS)(
        **arguments[request.param]
    )
    return reader


def test_the_files_are_read_byte_by_byte_in_order(reader: RepositoryReader) -> None:
    snapshot = reader.read("git+file:code")
    assert [(file.path, file.content) for file in snapshot.files] == [*FILES.items()]
    assert snapshot.left_out == {}


def test_the_head_is_the_commit_of_a_read(reader: RepositoryReader) -> None:
    assert reader.head("git+file:code") == reader.read("git+file:code").commit


def test_a_repository_that_is_not_there_is_an_error(reader: RepositoryReader) -> None:
    for ask in (reader.head, reader.read):
        with pytest.raises(CrawlError) as raised:
            ask("git+file:absent")
        assert raised.value.link == "git+file:absent"
