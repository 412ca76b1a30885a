"""A crawl of every kind of link, over TLS under the platforms' own names: real sockets, workers, stores and git."""

import http.server
import io
import ssl
import tarfile
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trustme

from rag_llm_system.application.crawlers.crawl import crawl_links
from rag_llm_system.application.crawlers.options import CrawlOptions
from rag_llm_system.application.crawlers.report import CrawlReport
from rag_llm_system.bootstrap import build
from rag_llm_system.domain.documents import Author, Document
from rag_llm_system.infrastructure.db.memory import MemoryDocumentStore
from rag_llm_system.settings import Settings

DATA = Path(__file__).parents[1] / "data"
AUTHOR = Author.named("Ada Test")
HOSTS = (
    "medium.com", "technik.laternenwerk.example", "slowferry.substack.com", "www.linkedin.com",
    "codeload.github.com", "news.example", "app.example",
)  # fmt: skip
ARTICLE = (DATA / "pages" / "engineering_article.html").read_bytes()
SHELL = (DATA / "pages" / "shell.html").read_bytes()
ROBOTS = b"User-agent: *\nDisallow: /private/\n"

Answer = tuple[int, str, bytes]


def file(name: str, kind: str = "text/html; charset=utf-8", status: int = 200) -> Answer:
    return status, kind, (DATA / name).read_bytes()


def tarball() -> bytes:
    """A repository as the forge packs it."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", format=tarfile.PAX_FORMAT,
                      pax_headers={"comment": "c" * 40}) as archive:  # fmt: skip
        for name, content in {
            "README.md": b"# Code\n",
            "src/a.py": b"def f(x):\n\treturn x\n",
        }.items():
            member = tarfile.TarInfo(f"code-{'c' * 40}/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def pages() -> dict[str, Answer]:
    story = "@mira.okafor/queues-that-tell-the-truth-4f1c9a7be203"
    custom = "drei-uhren-und-ein-protokoll-b7d2e10c5a94"
    gzip = "application/x-gzip"
    return {
        f"medium.com/{story}": file("medium/story.html"),
        "medium.com/feed/@mira.okafor": file("medium/feed.xml", "text/xml; charset=utf-8"),
        "medium.com/@mira.okafor/clocks-do-not-agree-1111aaaa2222": file(
            "medium/challenge.html", status=403
        ),
        f"technik.laternenwerk.example/{custom}": file("medium/custom_domain.html"),
        "slowferry.substack.com/p/the-timetable": file("substack/free_post.html"),
        "slowferry.substack.com/p/winter-tides": file("substack/paid_post.html"),
        "slowferry.substack.com/api/v1/posts/winter-tides": file(
            "substack/paid_post.json", "application/json"
        ),
        "codeload.github.com/ada/code/tar.gz/HEAD": (200, gzip, tarball()),
        "news.example/article": (200, "text/html; charset=utf-8", ARTICLE),
        "news.example/private/article": (200, "text/html; charset=utf-8", ARTICLE),
        "app.example/": (200, "text/html; charset=utf-8", SHELL),
    }


@dataclass
class Platforms:
    """A server that plays all hosts; answers may be changed, and what was asked is noted."""

    answers: dict[str, Answer] = field(default_factory=pages)
    asked: list[tuple[str, int]] = field(default_factory=list)
    address: str = ""

    def options(self, **more: Any) -> CrawlOptions:
        hosts: Mapping[str, str] = dict.fromkeys(HOSTS, self.address)
        return CrawlOptions(connect_to=hosts, interval_s=0, browser="off", **more)


def handler(platforms: Platforms) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            where = f"{self.headers['Host']}{self.path.partition('?')[0]}"
            missing: Answer = (404, "text/html", b"<h1>Not found</h1>")
            robots: Answer = (200, "text/plain", ROBOTS)
            answer = robots if self.path == "/robots.txt" else platforms.answers.get(where, missing)
            status, kind, body = answer
            etag = f'"{hash(body) & 0xFFFFFFFF:x}"'
            if status == 200 and self.headers["If-None-Match"] == etag:
                status, body = 304, b""
            platforms.asked.append((where, status))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("ETag", etag)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *message: Any) -> None:
            """Silent."""

    return Handler


@pytest.fixture
def platforms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platforms]:
    authority = trustme.CA()
    trusted = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(trusted))
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*HOSTS).configure_cert(context)
    played = Platforms()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler(played)) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        played.address = f"127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield played
        server.shutdown()
        thread.join()


Crawl = Callable[..., CrawlReport]


@pytest.fixture
def store() -> MemoryDocumentStore:
    return MemoryDocumentStore()


@pytest.fixture
def crawl(platforms: Platforms, store: MemoryDocumentStore, tmp_path: Path) -> Crawl:
    settings = Settings(_env_file=None, DATA_DIR=tmp_path)  # type: ignore[call-arg]

    def run(*links: str, **more: Any) -> CrawlReport:
        options = platforms.options(**more)
        with build(settings) as system, system.crawlers(options) as dispatcher:
            return crawl_links(links, AUTHOR, dispatcher=dispatcher, store=store, options=options)

    return run


def by_link(store: MemoryDocumentStore) -> dict[str, Document]:
    return {d.link: d for c in ("articles", "posts", "repositories") for d in store.find(c)}


def test_every_platform_gives_its_documents(crawl: Crawl, store: MemoryDocumentStore) -> None:
    story = "https://medium.com/@mira.okafor/queues-that-tell-the-truth-4f1c9a7be203"
    report = crawl(
        f"{story}?source=share",
        "https://technik.laternenwerk.example/drei-uhren-und-ein-protokoll-b7d2e10c5a94",
        "https://slowferry.substack.com/p/the-timetable",
        "https://github.com/ada/code",
        "https://news.example/article",
    )
    assert report.failures == ()
    found = by_link(store)
    assert {d.platform for d in found.values()} >= {"medium", "substack", "github", "news.example"}
    assert found[story].title == "Queues that tell the truth"
    assert found["https://github.com/ada/code/blob/HEAD/src/a.py"].text == "def f(x):\n\treturn x\n"
    assert len(found) == 6


def test_what_is_no_article_is_refused_with_its_kind(
    crawl: Crawl, store: MemoryDocumentStore
) -> None:
    links = {
        "https://slowferry.substack.com/p/winter-tides": "paywall",
        "https://www.linkedin.com/posts/ada_test-activity-7193180189491212345-Qx1z": "not allowed",
        "https://news.example/private/article": "robots",
        "https://news.example/nowhere": "gone",
        "https://github.com/ada/nothing": "gone",
        "https://app.example/": "script",
    }
    report = crawl(*links)
    assert {f.link: f.kind for f in report.failures} == links
    assert by_link(store) == {}


def test_a_story_behind_a_challenge_comes_from_the_feed_of_its_author(
    crawl: Crawl, store: MemoryDocumentStore
) -> None:
    link = "https://medium.com/@mira.okafor/clocks-do-not-agree-1111aaaa2222"
    assert crawl(link).failures == ()
    (document,) = by_link(store).values()
    assert document.link == link
    assert document.metadata["via"] == "feed"


def test_a_disallowed_page_is_never_asked_for(crawl: Crawl, platforms: Platforms) -> None:
    crawl("https://news.example/private/article", "https://news.example/article")
    assert [where for where, _ in platforms.asked].count("news.example/robots.txt") == 1
    assert "news.example/private/article" not in dict(platforms.asked)
    crawl("https://news.example/private/article", obey_robots=False)
    assert "news.example/private/article" in dict(platforms.asked)


def test_a_second_crawl_transfers_no_body_and_an_edit_is_found(
    crawl: Crawl, platforms: Platforms, store: MemoryDocumentStore
) -> None:
    links = ("https://news.example/article", "https://github.com/ada/code")
    crawl(*links)
    before = by_link(store)
    platforms.asked.clear()
    report = crawl(*links)
    assert (report.new, report.changed, report.unchanged) == (0, 0, 2)
    pages = [(where, status) for where, status in platforms.asked if "robots" not in where]
    assert {status for _, status in pages} == {304}
    assert by_link(store).keys() == before.keys()

    edited = ARTICLE.replace(b"A pipeline that is started twice", b"A job that is started twice")
    platforms.answers["news.example/article"] = (200, "text/html; charset=utf-8", edited)
    assert crawl(*links).changed == 1


def test_a_feed_is_crawled_with_the_stories_it_lists(
    crawl: Crawl, platforms: Platforms, store: MemoryDocumentStore
) -> None:
    crawl("https://medium.com/feed/@mira.okafor")
    asked = {where for where, _ in platforms.asked}
    assert "medium.com/@mira.okafor/queues-that-tell-the-truth-4f1c9a7be203" in asked
    assert "https://medium.com/@mira.okafor/queues-that-tell-the-truth-4f1c9a7be203" in by_link(
        store
    )


def test_a_certificate_that_nobody_vouches_for_is_refused(
    crawl: Crawl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    report = crawl("https://news.example/article", retries=0)
    assert "TLS certificate refused" in report.failures[0].reason
