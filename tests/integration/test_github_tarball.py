"""GitHub links through the real HTTP client: one request a repository, against a codeload on this machine."""

import http.server
import os
import ssl
import subprocess
import threading
import zlib
from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import trustme

from rag_llm_system.application.crawlers.github import GithubCrawler
from rag_llm_system.domain.crawling import CrawlEnd
from rag_llm_system.domain.documents import Author, Document
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.infrastructure.fetchers.addresses import AddressRules
from rag_llm_system.infrastructure.fetchers.http import HttpFetcher
from rag_llm_system.infrastructure.fetchers.tarball import TarballRepositoryReader

AUTHOR = Author.named("Code Owner")
FILES = {"README.md": b"# Code\n", "src/a b.py": b"def f(x):\n\treturn x  \n", "logo.png": b"\x00"}


class Codeload(http.server.BaseHTTPRequestHandler):
    """Serves the archives of one repository, and a few that are something else."""

    protocol_version = "HTTP/1.1"
    archives: dict[str, bytes] = {}  # noqa: RUF012 - filled by the fixture
    asked: list[str] = []  # noqa: RUF012

    def do_GET(self) -> None:
        self.asked.append(self.path)
        archive = self.archives.get(self.path)
        if self.path == "/owner/renamed/tar.gz/HEAD":
            self._answer(301, {"Location": "/owner/code/tar.gz/HEAD"})
        elif self.path == "/owner/busy/tar.gz/HEAD":
            self._answer(429, {"Retry-After": "7"})
        elif archive is None:
            self._answer(404, {})
        elif self.headers["If-None-Match"] == '"state-1"':
            self._answer(304, {"ETag": '"state-1"'})
        else:
            self._answer(200, {"ETag": '"state-1"', "Content-Type": "application/x-gzip"}, archive)

    def _answer(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            self.close_connection = True  # the client has seen enough

    def log_message(self, *message: Any) -> None:
        """Silent."""


def git(folder: Path, *arguments: str) -> bytes:
    identity = ("-c", "user.name=Nobody", "-c", "user.email=nobody@code.example")
    environment = {"PATH": os.defpath, "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    command = ["git", "-C", str(folder), *identity, *arguments]
    return subprocess.run(command, check=True, capture_output=True, env=environment).stdout


def archives(folder: Path) -> dict[str, bytes]:
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    git(folder, "init", "-q", "-b", "trunk")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "first")
    head = git(folder, "archive", "--format=tar.gz", "--prefix=code-1a2b3c/", "HEAD")
    deflater = zlib.compressobj(9, wbits=31)
    bomb = b"".join(deflater.compress(b"\x00" * 1_000_000) for _ in range(201)) + deflater.flush()
    return {
        "/owner/code/tar.gz/HEAD": head,
        "/owner/code/tar.gz/feature/login": head,
        "/owner/cut/tar.gz/HEAD": head[:-20],
        "/owner/bomb/tar.gz/HEAD": bomb,
        "/owner/page/tar.gz/HEAD": b"<html>We are down for maintenance.</html>" * 20,
    }


@pytest.fixture(scope="module")
def codeload(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpFetcher]:
    """The client of a server that the host name leads to, with a certificate that it trusts."""
    Codeload.archives = archives(tmp_path_factory.mktemp("repository"))
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("codeload.github.com").configure_cert(context)
    with (
        authority.cert_pem.tempfile() as trusted,
        pytest.MonkeyPatch.context() as patch,
        http.server.ThreadingHTTPServer(("127.0.0.1", 0), Codeload) as server,
    ):
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        patch.setenv("SSL_CERT_FILE", trusted)
        here = {"codeload.github.com": f"127.0.0.1:{server.server_port}"}
        with closing(HttpFetcher(rules=AddressRules(connect_to=here))) as fetcher:
            yield fetcher
        server.shutdown()
        thread.join()


def crawler_of(fetcher: HttpFetcher) -> GithubCrawler:
    Codeload.asked.clear()
    return GithubCrawler(TarballRepositoryReader(fetcher.download))


def crawled(crawl: Generator[Document, None, CrawlEnd]) -> tuple[list[Document], CrawlEnd]:
    documents = []
    while True:
        try:
            documents.append(next(crawl))
        except StopIteration as end:
            return documents, CrawlEnd.model_validate(end.value)


def test_a_repository_is_one_request_and_its_files_come_out_as_they_are(
    codeload: HttpFetcher,
) -> None:
    crawl = crawler_of(codeload).crawl("https://github.com/Owner/Code", AUTHOR, None)
    documents, end = crawled(crawl)
    assert {d.title: d.text.encode() for d in documents} == {
        name: content for name, content in FILES.items() if name != "logo.png"
    }
    assert end.left_out == {"binary": 1}
    assert end.source is not None
    assert end.source.etag == '"state-1"'
    assert len(end.source.commit) == 40
    assert Codeload.asked == ["/owner/code/tar.gz/HEAD"]


def test_a_repository_that_did_not_change_is_not_sent_again(codeload: HttpFetcher) -> None:
    crawler = crawler_of(codeload)
    _, first = crawled(crawler.crawl("https://github.com/owner/code", AUTHOR, None))
    for known in (first.source, first.source and first.source.model_copy(update={"etag": ""})):
        documents, end = crawled(crawler.crawl("https://github.com/owner/code", AUTHOR, known))
        assert (documents, end.unchanged, end.source) == ([], True, known)


def test_a_renamed_repository_and_a_branch_with_a_slash_are_found(codeload: HttpFetcher) -> None:
    crawler = crawler_of(codeload)
    documents, _ = crawled(crawler.crawl("https://github.com/owner/renamed", AUTHOR, None))
    assert len(documents) == 2
    link = "https://github.com/owner/code/blob/feature/login/src/a%20b.py"
    (document,), _ = crawled(crawler.crawl(link, AUTHOR, None))
    assert (document.link, document.metadata["ref"]) == (link, "feature/login")
    assert Codeload.asked == [
        "/owner/renamed/tar.gz/HEAD",
        "/owner/code/tar.gz/HEAD",
        "/owner/code/tar.gz/feature",
        "/owner/code/tar.gz/feature/login",
    ]


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [
        ("absent", "gone", "the repository or the branch does not exist or is private"),
        ("busy", "busy", "HTTP 429 Too Many Requests"),
        ("cut", "damaged", "the archive is damaged: it was cut off"),
        ("page", "damaged", "the archive is damaged: "),
        ("bomb", "too large", "the archive holds more than"),
    ],
)
def test_what_is_no_repository_is_refused_with_the_reason(
    codeload: HttpFetcher, name: str, kind: str, reason: str
) -> None:
    crawl = crawler_of(codeload).crawl(f"https://github.com/owner/{name}", AUTHOR, None)
    with pytest.raises(CrawlError) as raised:
        next(crawl)
    assert raised.value.kind == kind
    assert reason in raised.value.reason
    assert raised.value.retry_after_s == (7.0 if kind == "busy" else None)
