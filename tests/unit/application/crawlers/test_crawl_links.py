"""A crawl of several links stores what they hold, keeps the state of each, and its report adds up."""

import threading
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_llm_system.application.crawlers.crawl import AHEAD, crawl_links
from rag_llm_system.application.crawlers.dispatcher import CrawlerDispatcher
from rag_llm_system.application.crawlers.options import CrawlOptions
from rag_llm_system.application.crawlers.report import CrawlFailure, CrawlReport, DomainCount
from rag_llm_system.domain.crawling import CrawlEnd, FoundLink, LinkState
from rag_llm_system.domain.documents import Author, Document, Source, canonical_link
from rag_llm_system.domain.errors import BackendError, ConfigurationError, CrawlError, StorageFull
from rag_llm_system.domain.ports import SaveReport, SpanKind
from rag_llm_system.infrastructure.db.memory import MemoryDocumentStore

AUTHOR = Author.named("Handbook Team")
A1, A2, B1 = "https://a.example/1", "https://a.example/2", "https://b.example/1"


@dataclass
class Entry:
    """What one link holds: texts by document link, links found, or the error it gives."""

    texts: Mapping[str, str] = field(default_factory=dict)
    links: tuple[str, ...] = ()
    etag: str = ""
    left_out: Mapping[str, int] = field(default_factory=dict)
    error: CrawlError | None = None


class Site:
    """A crawler over entries that may be changed between crawls; it notes what it was asked."""

    def __init__(self, entries: dict[str, Entry], revision: str = "1") -> None:
        self.entries = entries
        self.revision = revision
        self.asked: list[tuple[str, str]] = []
        self.interrupt_at = ""

    def crawl(
        self, link: str, author: Author, known: Source | None
    ) -> Generator[Document | FoundLink, None, CrawlEnd]:
        self.asked.append((link, known.etag if known else ""))
        if link == self.interrupt_at:
            raise KeyboardInterrupt
        entry = self.entries.get(link, Entry(error=CrawlError(link, "HTTP 404", kind="gone")))
        if entry.error:
            raise entry.error
        source = Source(link=link, fetched_at=datetime.now(UTC), etag=entry.etag)
        if known and known.etag and known.etag == entry.etag:
            return CrawlEnd(source=known, unchanged=True)
        yield from (FoundLink(link=one) for one in entry.links)
        for where, text in entry.texts.items():
            yield Document(
                category="articles",
                platform="site",
                text=text,
                author_id=author.id,
                author_full_name=author.full_name,
                source=source.model_copy(update={"link": where, "origin": canonical_link(link)}),
            )
        return CrawlEnd(source=source, left_out=entry.left_out)


def article(link: str, text: str = "Words.", etag: str = "") -> dict[str, Entry]:
    return {link: Entry(texts={link: text}, etag=etag)}


def crawl(links: Iterable[str], site: Site, store: MemoryDocumentStore, **more: Any) -> CrawlReport:
    options = more.pop("options", CrawlOptions(concurrency=4))
    dispatcher = CrawlerDispatcher({"*": site, "file": site, "git+file": site})
    return crawl_links(links, AUTHOR, dispatcher=dispatcher, store=store, options=options, **more)


def states(store: MemoryDocumentStore) -> dict[str, LinkState]:
    return {state.link: state for state in store.links(author_id=AUTHOR.id)}


def test_each_link_is_crawled_and_the_report_adds_up() -> None:
    site = Site({**article(A1), **article(B1), A2: Entry(error=CrawlError(A2, "too slow"))})
    site.entries[B1].left_out = {"binary": 2}
    store = MemoryDocumentStore()
    report = crawl([B1, A2, A1, "nope"], site, store)
    assert [*report.domains.items()] == [
        ("b.example", DomainCount(attempted=1, succeeded=1)),
        ("a.example", DomainCount(attempted=2, succeeded=1, failed=1)),
        ("malformed", DomainCount(attempted=1, failed=1)),
    ]
    assert report.failures[0] == CrawlFailure(link=A2, reason="too slow", kind="failed")
    assert [failure.kind for failure in report.failures] == ["failed", "malformed"]
    assert (report.new, report.changed, report.unchanged) == (2, 0, 0)
    assert (report.attempted, report.succeeded, report.left_out) == (4, 2, {"binary": 2})
    assert store.count("articles") == 2


def test_the_state_of_each_link_is_kept_with_the_reason_of_a_failure() -> None:
    site = Site({**article(A1, etag='"1"'), A2: Entry(error=CrawlError(A2, "no", kind="robots"))})
    store = MemoryDocumentStore()
    crawl([A1, A2, B1], site, store)
    found = states(store)
    assert [found[one].status for one in (A1, A2, B1)] == ["fetched", "failed", "gone"]
    assert (found[A2].kind, found[A2].reason, found[A2].attempts) == ("robots", "no", 1)
    assert found[A1].source is not None
    assert found[A1].source.etag == '"1"'
    assert found[A1].anchor == ("articles", A1)
    assert found[A1].checked_at is not None


def test_a_second_crawl_asks_only_whether_something_changed() -> None:
    site, store = Site({**article(A1, etag='"1"'), **article(B1)}), MemoryDocumentStore()
    crawl([A1, B1], site, store)
    before = [*store.find("articles")]
    site.asked.clear()
    report = crawl([A1, B1], site, store)
    assert sorted(site.asked) == [(A1, '"1"'), (B1, "")]
    assert (report.new, report.changed, report.unchanged) == (0, 0, 2)
    assert [d.text for d in store.find("articles")] == [d.text for d in before]
    assert [states(store)[one].status for one in (A1, B1)] == ["unchanged", "fetched"]


def test_an_edit_changes_one_document() -> None:
    site, store = Site(article(A1, etag='"1"')), MemoryDocumentStore()
    crawl([A1], site, store)
    site.entries |= article(A1, "Other words.", '"2"')
    report = crawl([A1], site, store)
    assert (report.new, report.changed, report.unchanged) == (0, 1, 0)


@pytest.mark.parametrize("lost", ["document", "revision"])
def test_a_page_is_fetched_whole_when_its_document_is_lost_or_would_be_made_otherwise(
    lost: str,
) -> None:
    site, store = Site(article(A1, etag='"1"')), MemoryDocumentStore()
    crawl([A1], site, store)
    if lost == "document":
        store.delete("articles", [document.id for document in store.find("articles")])
    else:
        site.revision = "2"
    site.asked.clear()
    crawl([A1], site, store)
    assert site.asked == [(A1, "")]
    assert store.count("articles") == 1


def test_found_links_are_crawled_in_the_same_run_and_once() -> None:
    feed = "https://a.example/feed"
    site = Site({feed: Entry(links=(A1, B1, A1), etag='"f"'), **article(A1), **article(B1)})
    store = MemoryDocumentStore()
    report = crawl([feed, A1], site, store)
    assert sorted(link for link, _ in site.asked) == [A1, feed, B1]
    assert (report.new, report.found_links) == (2, 2)
    assert (states(store)[B1].found_in, states(store)[A1].found_in) == (feed, "")


def test_an_unchanged_feed_still_asks_for_the_pages_it_gave_before() -> None:
    feed = "https://a.example/feed"
    site = Site({feed: Entry(links=(B1,), etag='"f"'), **article(B1, etag='"1"')})
    store = MemoryDocumentStore()
    crawl([feed], site, store)
    site.entries |= article(B1, "New words.", '"2"')
    report = crawl([feed], site, store)
    assert (report.changed, report.unchanged) == (1, 1)


def test_no_more_links_are_followed_than_the_options_say() -> None:
    feed = "https://a.example/feed"
    pages = [f"https://a.example/{number}" for number in range(9)]
    site = Site({feed: Entry(links=tuple(pages))})
    for page in pages:
        site.entries |= article(page)
    report = crawl([feed], site, MemoryDocumentStore(), options=CrawlOptions(max_found_links=4))
    assert report.new == 4
    assert report.left_out == {"links over max_found_links": 5}


def test_links_that_lead_in_a_circle_end() -> None:
    site = Site({A1: Entry(links=(A2,)), A2: Entry(links=(A1,))})
    store = MemoryDocumentStore()
    assert crawl([A1], site, store).attempted == 2
    site.interrupt_at = A2
    with pytest.raises(KeyboardInterrupt):
        crawl([A1], site, store)
    site.interrupt_at = ""
    assert crawl([A1], site, store).attempted == 1


def test_an_interrupted_crawl_is_continued_and_then_finished() -> None:
    links = [f"https://h{number}.example/" for number in range(6)]
    site, store = Site({}), MemoryDocumentStore()
    for link in links:
        site.entries |= article(link)
    site.interrupt_at = links[3]
    with pytest.raises(KeyboardInterrupt):
        crawl(links, site, store, options=CrawlOptions(concurrency=1))
    done = [link for link, _ in site.asked if link != links[3]]
    site.interrupt_at = ""
    site.asked.clear()

    report = crawl(links, site, store)
    assert sorted(link for link, _ in site.asked) == sorted(set(links) - set(done))
    assert report.continued == len(done)
    assert store.count("articles") == len(links)

    site.asked.clear()
    assert crawl(links, site, store).continued == 0
    assert len(site.asked) == len(links)


def test_a_continued_crawl_tries_again_what_may_work_now() -> None:
    site, store = Site(article(A1)), MemoryDocumentStore()
    site.entries[A2] = Entry(error=CrawlError(A2, "no answer", kind="unreachable"))
    site.entries[B1] = Entry(error=CrawlError(B1, "no", kind="robots"))
    last = "https://c.example/"
    site.interrupt_at = last
    with pytest.raises(KeyboardInterrupt):
        crawl([A1, A2, B1, last], site, store, options=CrawlOptions(concurrency=1))
    site.interrupt_at = ""
    site.asked.clear()
    crawl([A1, A2, B1, last], site, store)
    assert sorted(link for link, _ in site.asked) == [A2, last]


def test_a_crawl_that_was_interrupted_days_ago_starts_anew() -> None:
    site, store = Site({**article(A1), **article(B1)}), MemoryDocumentStore()
    site.interrupt_at = B1
    with pytest.raises(KeyboardInterrupt):
        crawl([A1, B1], site, store, options=CrawlOptions(concurrency=1))
    site.interrupt_at = ""
    site.asked.clear()
    run_id = states(store)[A1].crawl_id.partition("@")[0]
    run = store.find_crawl(run_id)
    assert run is not None
    old = run.started_at - timedelta(days=2)
    store.save_crawl(run.model_copy(update={"started_at": old}))
    assert crawl([A1, B1], site, store).continued == 0
    assert len(site.asked) == 2


def test_a_page_that_is_gone_is_marked_and_its_document_kept() -> None:
    site, store = Site(article(A1)), MemoryDocumentStore()
    crawl([A1], site, store)
    site.entries.clear()
    for _ in range(2):
        report = crawl([A1], site, store)
        assert (report.gone, report.removed, store.count("articles")) == (1, 0, 1)
        assert states(store)[A1].status == "gone"


def test_a_page_that_is_gone_is_removed_from_index_and_store_when_the_options_say_so() -> None:
    site, store = Site({**article(A1), **article(B1)}), MemoryDocumentStore()
    crawl([A1, B1], site, store)
    [of_a] = [d.id for d in store.find("articles") if d.link == A1]
    del site.entries[A1]
    forgotten: list[Any] = []
    options = CrawlOptions(when_gone="remove")
    report = crawl([A1, B1], site, store, options=options, forget=forgotten.append)
    assert (report.gone, report.removed) == (1, 1)
    assert forgotten == [[("articles", of_a)]]
    assert [d.link for d in store.find("articles")] == [B1]
    assert crawl([A1, B1], site, store, options=options, forget=forgotten.append).gone == 0


def test_a_crawl_killed_before_the_removal_does_it_when_continued() -> None:
    site, store = Site(article(A1)), MemoryDocumentStore()
    crawl([A1], site, store)
    site.entries.clear()
    options = CrawlOptions(when_gone="remove")

    def killed(ids: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        crawl([A1], site, store, options=options, forget=killed)
    assert store.count("articles") == 1
    assert crawl([A1], site, store, options=options).removed == 1
    assert store.count("articles") == 0


def test_a_document_that_cannot_be_stored_fails_its_link_only() -> None:
    site = Site({**article(A1, "half a pair \ud800"), **article(B1)})
    store = MemoryDocumentStore()
    report = crawl([A1, B1], site, store)
    assert (report.new, [f.kind for f in report.failures]) == (1, ["damaged"])
    assert states(store)[A1].status == "failed"


def test_a_source_of_many_documents_loses_those_it_gives_no_more() -> None:
    site, store = (
        Site({A1: Entry(texts={A1: "one", A2: "two", B1: "three"})}),
        MemoryDocumentStore(),
    )
    crawl([A1], site, store)
    site.entries[A1].texts = {A1: "one"}
    report = crawl([A1], site, store, options=CrawlOptions(when_gone="remove"))
    assert (report.unchanged, report.gone, report.removed) == (1, 2, 2)
    assert [d.link for d in store.find("articles")] == [A1]


def test_a_failure_that_may_pass_loses_nothing() -> None:
    site, store = Site(article(A1, etag='"1"')), MemoryDocumentStore()
    crawl([A1], site, store)
    site.entries[A1].error = CrawlError(A1, "no answer", kind="unreachable")
    report = crawl([A1], site, store, options=CrawlOptions(when_gone="remove"))
    assert (report.gone, store.count("articles"), states(store)[A1].attempts) == (0, 1, 1)
    site.entries[A1].error = None
    assert crawl([A1], site, store).unchanged == 1
    assert states(store)[A1].attempts == 0


def test_what_a_link_gave_before_it_failed_is_stored() -> None:
    class Breaking(Site):
        def crawl(
            self, link: str, author: Author, known: Source | None
        ) -> Generator[Document | FoundLink, None, CrawlEnd]:
            yield from super().crawl(link, author, known)
            raise CrawlError(link, "cut off", kind="damaged")

    many = {f"https://a.example/{number}": f"text {number}" for number in range(205)}
    store = MemoryDocumentStore()
    report = crawl([A1], Breaking({A1: Entry(texts=many)}), store)
    assert (report.new, store.count("articles"), len(report.failures)) == (200, 200, 1)


def test_a_link_given_twice_is_crawled_once_where_it_stood_first() -> None:
    site = Site({})
    links = ["https://A.example", B1, "https://a.example/#part", "nope", "nope"]
    report = crawl(links, site, MemoryDocumentStore())
    assert sorted(link for link, _ in site.asked) == ["https://a.example/", B1]
    assert [f.link for f in report.failures] == ["https://a.example/", B1, "nope"]


@pytest.mark.parametrize(
    "link", ["file:posts.jsonl", "file:/abs/posts.jsonl", "git+file:.", "git+file:../other"]
)
def test_a_relative_path_stays_relative(link: str) -> None:
    site = Site({})
    crawl([link], site, MemoryDocumentStore())
    (asked, _), *_ = site.asked
    assert asked.replace("file:///abs", "file:/abs") == link


def test_links_of_different_hosts_are_crawled_at_the_same_time() -> None:
    meeting = threading.Barrier(2, timeout=30)

    class Meeting(Site):
        def crawl(
            self, link: str, author: Author, known: Source | None
        ) -> Generator[Document | FoundLink, None, CrawlEnd]:
            meeting.wait()
            return (yield from super().crawl(link, author, known))

    site = Meeting({**article(A1), **article(B1)})
    assert crawl([A1, B1], site, MemoryDocumentStore()).new == 2


def test_one_host_cannot_occupy_every_worker() -> None:
    inside: list[str] = []
    most: list[int] = []
    counting = threading.Lock()
    crowd = threading.Semaphore(0)

    class Slow(Site):
        def crawl(
            self, link: str, author: Author, known: Source | None
        ) -> Generator[Document | FoundLink, None, CrawlEnd]:
            if "b.example" in link:
                crowd.release(9)
                return (yield from super().crawl(link, author, known))
            with counting:
                inside.append(link)
                most.append(len(inside))
            assert crowd.acquire(timeout=30)
            inside.remove(link)
            return (yield from super().crawl(link, author, known))

    links = [f"https://a.example/{number}" for number in range(8)]
    site = Slow({B1: Entry(texts={B1: "Words."})})
    for link in links:
        site.entries |= article(link)
    assert crawl([*links, B1], site, MemoryDocumentStore()).new == 9
    assert max(most) <= AHEAD


def test_progress_tells_what_became_of_each_link() -> None:
    seen: list[tuple[int, int, str]] = []
    site = Site(article(A1))
    crawl(
        [A1, B1, "nope"],
        site,
        MemoryDocumentStore(),
        on_link=lambda done, total, outcome: seen.append((done, total, outcome.status)),
    )
    assert sorted(seen) == [(2, 3, "fetched"), (3, 3, "gone")] or sorted(seen) == [
        (2, 3, "gone"),
        (3, 3, "fetched"),
    ]


def test_a_password_in_a_link_reaches_neither_report_nor_store() -> None:
    store = MemoryDocumentStore()
    report = crawl(["https://user:hunter2@a.example/"], Site({}), store)
    assert report.failures[0].reason == "links with a user name or password are refused"
    assert "hunter2" not in f"{report} {states(store)}"


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
    one_by_one = CrawlOptions(concurrency=1)
    site = Site(article(A1))
    crawl([A1, B1], site, MemoryDocumentStore(), tracer=tracer, options=one_by_one)
    first, outcome, second, failure = tracer.notes
    assert first == {"span": "crawl_link", "link": A1}
    assert (outcome["status"], outcome["saved"]["new"]) == ("fetched", 1)
    assert second["link"] == B1
    assert (failure["status"], failure["reason"]) == ("gone", "HTTP 404")


def test_without_links_there_is_nothing_to_crawl() -> None:
    with pytest.raises(ConfigurationError, match="no links to crawl"):
        crawl([], Site({}), MemoryDocumentStore())


class FullStore(MemoryDocumentStore):
    def save(self, documents: Iterable[Document]) -> SaveReport:
        raise StorageFull("the disk took no more")


def test_an_error_of_the_store_stops_the_crawl_and_wakes_who_waits() -> None:
    stopped = threading.Event()
    dispatcher = CrawlerDispatcher({"*": Site(article(A1))}, stop=stopped.set)
    with pytest.raises(BackendError):
        crawl_links([A1], AUTHOR, dispatcher=dispatcher, store=FullStore())
    assert stopped.is_set()


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from(["good", "same", "bad"]), min_size=1, max_size=6))
def test_attempted_is_succeeded_plus_failed_and_every_document_is_counted(kinds: list[str]) -> None:
    site = Site({})
    for number, kind in enumerate(kinds):
        link = f"https://h{number % 2}.example/{number}"
        site.entries |= article(link, etag=f'"{number}"')
        if kind == "bad":
            site.entries[link].error = CrawlError(link, "no")
    store = MemoryDocumentStore()
    same = [link for link, kind in zip(site.entries, kinds, strict=True) if kind == "same"]
    if same:
        crawl(same, site, store)
    report = crawl(site.entries, site, store)
    counts = report.domains.values()
    assert all(count.attempted == count.succeeded + count.failed for count in counts)
    assert report.attempted == len(kinds)
    assert sum(count.failed for count in counts) == len(report.failures) == kinds.count("bad")
    assert (report.new, report.changed, report.unchanged) == (kinds.count("good"), 0, len(same))
