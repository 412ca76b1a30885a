"""A crawl of several links stores what they hold, and its report accounts for every link and document."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_llm_system.application.crawlers.crawl import CrawlFailure, DomainCount, crawl_links
from rag_llm_system.application.crawlers.custom_article import CustomArticleCrawler
from rag_llm_system.application.crawlers.dispatcher import CrawlerDispatcher
from rag_llm_system.application.crawlers.github import GithubCrawler
from rag_llm_system.domain.documents import Author, Document, Page, RepositoryFile
from rag_llm_system.domain.errors import BackendError, ConfigurationError, CrawlError, StorageFull
from rag_llm_system.domain.ports import RepositorySnapshot, SaveReport, SpanKind
from rag_llm_system.infrastructure.db.memory import MemoryDocumentStore
from rag_llm_system.infrastructure.fetchers.memory import MemoryFetcher, MemoryRepositoryReader

AUTHOR = Author.named("Handbook Team")
REPOSITORY = "https://github.com/owner/code"
WORDS = "A sentence about queues and their readers that is long enough to be an article. "


def article(words: str = WORDS, etag: str = "") -> Page:
    html = f"<html><body><article><h1>Queues</h1><p>{words * 3}</p></article></body></html>"
    now = datetime(2025, 4, 1, tzinfo=UTC)
    url = "https://any.example/"
    return Page(
        url=url, final_url=url, status=200, content=html.encode(), etag=etag, fetched_at=now
    )


def dispatcher_of(
    pages: dict[str, Page | CrawlError], files: dict[str, bytes] | None = None, commit: str = "c1"
) -> CrawlerDispatcher:
    entries = [RepositoryFile(path=path, content=c) for path, c in (files or {}).items()]
    snapshot = RepositorySnapshot(commit=commit, files=entries, left_out={"binary": 1})
    reader = MemoryRepositoryReader({f"{REPOSITORY}.git": snapshot})
    return CrawlerDispatcher(
        {"github.com": GithubCrawler(reader), "*": CustomArticleCrawler(MemoryFetcher(pages))}
    )


def test_each_link_is_crawled_and_the_report_adds_up() -> None:
    dispatcher = dispatcher_of(
        {
            "https://a.example/1": article(),
            "https://a.example/2": CrawlError("https://a.example/2", "HTTP 404 Not Found"),
            "https://b.example/": article(),
        },
        {"a.py": b"x = 1", "latin.txt": b"\xe9", "README.md": b"# Code"},
    )
    links = ["https://b.example", "https://a.example/2", REPOSITORY, "https://a.example/1", "nope"]
    store = MemoryDocumentStore()
    report = crawl_links(links, AUTHOR, dispatcher=dispatcher, store=store)
    assert [*report.domains.items()] == [
        ("b.example", DomainCount(attempted=1, succeeded=1)),
        ("a.example", DomainCount(attempted=2, succeeded=1, failed=1)),
        ("github.com", DomainCount(attempted=1, succeeded=1)),
        ("malformed", DomainCount(attempted=1, failed=1)),
    ]
    assert report.failures[0] == CrawlFailure(
        link="https://a.example/2", reason="HTTP 404 Not Found"
    )
    assert [failure.link for failure in report.failures] == ["https://a.example/2", "nope"]
    assert (report.new, report.changed, report.unchanged) == (4, 0, 0)
    assert report.left_out == {"binary": 1, "not UTF-8": 1}
    assert store.count("articles") == store.count("repositories") == 2


def test_a_second_crawl_changes_nothing_and_an_edit_changes_one() -> None:
    store = MemoryDocumentStore()
    pages: dict[str, Page | CrawlError] = {"https://a.example/1": article(etag='"1"')}
    links = ["https://a.example/1", REPOSITORY]
    files = {"a.py": b"x = 1", "README.md": b"# Code"}
    crawl_links(links, AUTHOR, dispatcher=dispatcher_of(pages, files), store=store)
    before = [*store.find("articles"), *store.find("repositories")]

    again = crawl_links(links, AUTHOR, dispatcher=dispatcher_of(pages, files), store=store)
    assert (again.new, again.changed, again.unchanged) == (0, 0, 2)
    assert [*store.find("articles"), *store.find("repositories")] == before

    edited = dispatcher_of({"https://a.example/1": article("New. " + WORDS, '"2"')}, files, "c2")
    report = crawl_links(links, AUTHOR, dispatcher=edited, store=store)
    assert (report.new, report.changed, report.unchanged) == (0, 1, 2)


def test_a_page_without_etag_is_compared_by_its_text() -> None:
    store = MemoryDocumentStore()
    dispatcher = dispatcher_of({"https://a.example/1": article()})
    links = ["https://a.example/1"]
    crawl_links(links, AUTHOR, dispatcher=dispatcher, store=store)
    again = crawl_links(links, AUTHOR, dispatcher=dispatcher, store=store)
    assert (again.new, again.unchanged) == (0, 1)


def test_a_link_given_twice_is_crawled_once_where_it_stood_first() -> None:
    seen: list[tuple[int, int, str]] = []
    links = ["https://A.example", "https://b.example/", "https://a.example/#part", "nope", "nope"]
    report = crawl_links(
        links,
        AUTHOR,
        dispatcher=dispatcher_of({}),
        store=MemoryDocumentStore(),
        on_link=lambda *progress: seen.append(progress),
    )
    assert seen == [(1, 3, "https://a.example/"), (2, 3, "https://b.example/"), (3, 3, "nope")]
    assert sum(count.attempted for count in report.domains.values()) == 3


def test_a_password_in_a_link_reaches_neither_report_nor_progress() -> None:
    seen: list[object] = []
    report = crawl_links(
        ["https://user:hunter2@a.example/"],
        AUTHOR,
        dispatcher=dispatcher_of({}),
        store=MemoryDocumentStore(),
        on_link=lambda *progress: seen.append(progress),
    )
    assert report.failures[0].reason == "links with a user name or password are refused"
    assert "hunter2" not in f"{report} {seen}"


class NotingSpan:
    trace_id = "t"

    def __init__(self, notes: list[dict[str, Any]]) -> None:
        self._notes = notes

    def record(self, **outputs: Any) -> None:
        self._notes.append(outputs)


class NotingTracer:
    """Keeps what spans were opened with and what they recorded."""

    def __init__(self) -> None:
        self.notes: list[dict[str, Any]] = []

    @contextmanager
    def span(
        self, name: str, *, kind: SpanKind = "general", inputs: Mapping[str, Any] | None = None
    ) -> Iterator[NotingSpan]:
        self.notes.append({"span": name, **(inputs or {})})
        yield NotingSpan(self.notes)

    def flush(self) -> None:
        """Everything is in place already."""


def test_each_link_is_traced_with_its_outcome() -> None:
    tracer = NotingTracer()
    crawl_links(
        ["https://a.example/", "https://user:hunter2@b.example/"],
        AUTHOR,
        dispatcher=dispatcher_of({"https://a.example/": article()}),
        store=MemoryDocumentStore(),
        tracer=tracer,
    )
    first, outcome, second, failure = tracer.notes
    assert first == {"span": "crawl_link", "link": "https://a.example/"}
    assert (outcome["saved"]["new"], outcome["failure"]) == (1, None)
    assert second["link"] == "https://b.example/"
    assert failure["failure"] == "links with a user name or password are refused"
    assert "hunter2" not in str(tracer.notes)


def test_without_links_there_is_nothing_to_crawl() -> None:
    with pytest.raises(ConfigurationError, match="no links to crawl"):
        crawl_links([], AUTHOR, dispatcher=dispatcher_of({}), store=MemoryDocumentStore())


class FullStore(MemoryDocumentStore):
    def save(self, documents: Iterable[Document]) -> SaveReport:
        raise StorageFull("the disk took no more")


def test_an_error_of_the_store_stops_the_crawl() -> None:
    dispatcher = dispatcher_of({"https://a.example/1": article()})
    with pytest.raises(BackendError):
        crawl_links(["https://a.example/1"], AUTHOR, dispatcher=dispatcher, store=FullStore())


def test_what_a_link_gave_in_full_batches_is_stored() -> None:
    files = {f"{number:03}.py": b"x = %d" % number for number in range(205)}
    store = MemoryDocumentStore()
    dispatcher = dispatcher_of({}, files)
    report = crawl_links([REPOSITORY], AUTHOR, dispatcher=dispatcher, store=store)
    assert report.new == store.count("repositories") == 205


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from(["good", "same", "bad"]), min_size=1, max_size=6))
def test_attempted_is_succeeded_plus_failed_and_every_document_is_counted(kinds: list[str]) -> None:
    pages: dict[str, Page | CrawlError] = {}
    for number, kind in enumerate(kinds):
        link = f"https://h{number % 2}.example/{number}"
        pages[link] = CrawlError(link, "gone") if kind == "bad" else article(etag=f'"{number}"')
    store = MemoryDocumentStore()
    dispatcher = dispatcher_of(pages)
    same = [link for link, kind in zip(pages, kinds, strict=True) if kind == "same"]
    if same:
        crawl_links(same, AUTHOR, dispatcher=dispatcher, store=store)
    report = crawl_links(pages, AUTHOR, dispatcher=dispatcher, store=store)
    counts = report.domains.values()
    assert all(count.attempted == count.succeeded + count.failed for count in counts)
    assert sum(count.attempted for count in counts) == len(kinds)
    assert sum(count.failed for count in counts) == len(report.failures) == kinds.count("bad")
    assert (report.new, report.changed, report.unchanged) == (kinds.count("good"), 0, len(same))
