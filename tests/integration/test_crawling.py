"""A crawl of pages, a repository and records, with real sockets and the real git."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rag_llm_system.application.crawlers.crawl import CrawlReport, crawl_links
from rag_llm_system.application.crawlers.custom_article import CustomArticleCrawler
from rag_llm_system.application.crawlers.dispatcher import CrawlerDispatcher
from rag_llm_system.application.crawlers.github import GithubCrawler
from rag_llm_system.application.crawlers.records import RecordsCrawler
from rag_llm_system.domain.documents import Author
from rag_llm_system.infrastructure.db.memory import MemoryDocumentStore
from rag_llm_system.infrastructure.fetchers.git import GitRepositoryReader
from rag_llm_system.infrastructure.fetchers.http import HttpFetcher

ARTICLE = (Path(__file__).parents[1] / "data/pages/engineering_article.html").read_bytes()
RECORD = '{"category": "posts", "link": "https://posts.example/1", "text": "A post."}'
LINKS = ["http://site.example/twice", "git+file:code", "file:posts.jsonl"]


class Site(http.server.BaseHTTPRequestHandler):
    """Serves one article, whatever the path, and answers 304 to who has it."""

    def do_GET(self) -> None:
        known = self.headers["If-None-Match"] == '"a"'
        self.send_response(304 if known else 200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("ETag", '"a"')
        self.end_headers()
        if not known:
            self.wfile.write(ARTICLE)

    def log_message(self, *message: Any) -> None:
        """Silent."""


@pytest.fixture
def address() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def crawl(address: str, base: Path, store: MemoryDocumentStore) -> CrawlReport:
    fetcher = HttpFetcher(connect_to={"site.example": address})
    dispatcher = CrawlerDispatcher(
        {
            "file": RecordsCrawler(base, allow_local=True),
            "git+file": GithubCrawler(GitRepositoryReader(allow_local=True, base=base)),
            "*": CustomArticleCrawler(fetcher),
        }
    )
    report = crawl_links(LINKS, Author.named("Handbook Team"), dispatcher=dispatcher, store=store)
    fetcher.close()
    return report


def test_a_second_crawl_changes_nothing_and_an_edited_file_is_found(
    address: str, tmp_path: Path
) -> None:
    code = tmp_path / "code" / "a.py"
    code.parent.mkdir()
    code.write_text("def f(x):\n\treturn x\n")
    (tmp_path / "posts.jsonl").write_text(RECORD)
    store = MemoryDocumentStore()

    first = crawl(address, tmp_path, store)
    assert (first.new, first.failures) == (3, ())
    assert [document.title for document in store.find("articles")] == ["Writes that may run twice"]
    assert [document.text for document in store.find("repositories")] == [code.read_text()]

    second = crawl(address, tmp_path, store)
    assert (second.new, second.changed, second.unchanged) == (0, 0, 3)

    code.write_text("def f(y):\n\treturn y\n")
    third = crawl(address, tmp_path, store)
    assert (third.new, third.changed, third.unchanged) == (0, 1, 2)
