"""What every document store must do with the state of links and crawls, and with many threads, run on each of them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from rag_llm_system.application.warehouse_dump import export_dump
from rag_llm_system.domain.crawling import CrawlRun, LinkState
from rag_llm_system.domain.documents import Author, Document, Source
from rag_llm_system.domain.errors import DataError
from rag_llm_system.domain.ports import DocumentStore, SaveReport

MOMENT = datetime(2026, 11, 20, 1, 59, 59, 123456, tzinfo=UTC)
ADA, BOB = Author.named("Ada Lovelace"), Author.named("Bob")
FEED = "https://example.org/feed"
THREADS = 32


def a_state(n: int = 0, **changes: Any) -> LinkState:
    fields = {"author_id": ADA.id, "link": f"https://example.org/{n}", "crawl_id": "run@1"}
    return LinkState.model_validate({**fields, **changes})


def a_document(n: int = 0, *, category: str = "articles", origin: str = "") -> Document:
    return Document(
        category=category,
        platform="example.org",
        text=f"Text {n}",
        author_id=ADA.id,
        author_full_name=ADA.full_name,
        source=Source(link=f"https://example.org/{n}", origin=origin, fetched_at=MOMENT),
    )


def by_id(*states: LinkState) -> list[LinkState]:
    return sorted(states, key=lambda state: state.id)


def test_an_empty_store_knows_no_link_and_no_crawl(store: DocumentStore) -> None:
    assert store.find_link(ADA.id, FEED) is None
    assert list(store.links()) == []
    assert store.delete_links([a_state().id]) == 0
    assert store.find_crawl("run") is None
    assert store.ids_from(FEED) == []
    store.save_links([])


def test_a_state_comes_back_as_it_was_saved(store: DocumentStore) -> None:
    source = Source(
        link="https://example.org/0?b=2&a=1",
        origin=FEED,
        final_url="https://example.org/größe",
        fetched_at=MOMENT,
        http_status=200,
        etag='W/"abc"',
        last_modified="Fri, 20 Nov 2026 01:00:00 GMT",
    )
    state = a_state(
        link="https://example.org/0?b=2&a=1",
        status="failed",
        kind="too large",
        reason='日本語, 😀, a "quoted" \\ line\u2028and another, key.with.dots and $dollars',
        found_in=FEED,
        depth=2,
        attempts=3,
        documents=2**40,
        checked_at=MOMENT,
        source=source,
        anchor=("articles", "https://example.org/0"),
        revision="custom-article-3",
    )

    store.save_links([state])

    assert store.find_link(ADA.id, state.link) == state
    assert list(store.links()) == [state]


def test_a_state_of_which_little_is_known_comes_back_as_it_was_saved(store: DocumentStore) -> None:
    store.save_links([a_state()])

    assert store.find_link(ADA.id, a_state().link) == a_state()


def test_moments_of_a_state_come_back_in_utc(store: DocumentStore) -> None:
    elsewhere = MOMENT.astimezone(timezone(timedelta(hours=5, minutes=30)))
    source = Source(link="https://example.org/0", fetched_at=elsewhere)

    store.save_links([a_state(checked_at=elsewhere, source=source)])

    [found] = store.links()
    assert found.source is not None
    for moment in (found.checked_at, found.source.fetched_at):
        assert moment == MOMENT
        assert moment.utcoffset() == timedelta(0)


def test_a_link_is_found_in_any_spelling_and_of_its_author_alone(store: DocumentStore) -> None:
    adas, bobs = a_state(link="https://example.org/a"), a_state(link="https://example.org/a")
    bobs = bobs.model_copy(update={"author_id": BOB.id, "reason": "Bob's"})
    store.save_links([adas, bobs])

    assert store.find_link(ADA.id, "HTTPS://Example.ORG:443/a#top") == adas
    assert store.find_link(BOB.id, "https://example.org/a") == bobs
    assert store.find_link(ADA.id, "https://example.org/b") is None


def test_a_later_state_replaces_the_earlier_one_whole(store: DocumentStore) -> None:
    source = Source(link="https://example.org/0", fetched_at=MOMENT)
    store.save_links(
        [a_state(source=source, anchor=("articles", "x"), checked_at=MOMENT, kind="busy")]
    )

    store.save_links([a_state(status="gone")])

    assert list(store.links()) == [a_state(status="gone")]


def test_the_last_of_two_states_in_one_save_counts(store: DocumentStore) -> None:
    store.save_links(iter([a_state(attempts=1), a_state(1), a_state(attempts=2)]))

    assert list(store.links()) == by_id(a_state(attempts=2), a_state(1))


def test_links_meet_all_of_what_is_asked_for(store: DocumentStore) -> None:
    named, found = a_state(1), a_state(2, found_in=FEED)
    before = a_state(3, found_in=FEED, crawl_id="run@0")
    bobs = a_state(4, found_in=FEED, author_id=BOB.id)
    store.save_links([named, found, before, bobs])

    assert list(store.links()) == by_id(named, found, before, bobs)
    assert list(store.links(author_id=ADA.id)) == by_id(named, found, before)
    assert list(store.links(crawl_id="run@1")) == by_id(named, found, bobs)
    assert list(store.links(found_in=FEED)) == by_id(found, before, bobs)
    assert list(store.links(author_id=ADA.id, crawl_id="run@1", found_in=FEED)) == [found]
    assert list(store.links(author_id=ADA.id, found_in="")) == [named]
    assert list(store.links(crawl_id="another")) == []


def test_thousands_of_states_are_streamed_in_the_order_of_their_ids(store: DocumentStore) -> None:
    states = [a_state(n) for n in range(3_000)]

    store.save_links(iter(states))

    assert list(store.links(author_id=ADA.id)) == by_id(*states)
    assert store.delete_links([state.id for state in states]) == 3_000


def test_states_may_be_saved_and_deleted_while_others_are_streamed(store: DocumentStore) -> None:
    store.save_links([a_state(n) for n in range(1_200)])

    streamed = []
    for state in store.links():
        streamed.append(state.id)
        store.save_links([state.model_copy(update={"status": "fetched"})])
        if len(streamed) == 1:
            store.save_links([a_state(n) for n in range(1_200, 1_300)])

    assert streamed == sorted(streamed)
    assert len(set(streamed)) == len(streamed) == 1_200


def test_states_are_deleted_by_id(store: DocumentStore) -> None:
    kept, gone = a_state(1), a_state(2)
    store.save_links([kept, gone])

    assert store.delete_links([gone.id, a_state(3).id]) == 1
    assert store.delete_links([gone.id]) == 0
    assert list(store.links()) == [kept]


def test_a_state_over_the_limit_is_refused_by_its_link(store: DocumentStore) -> None:
    with pytest.raises(DataError, match=r"^https://example.org/7: 16,\d+,\d+ bytes"):
        store.save_links([a_state(7, reason="x" * 16 * 1024 * 1024)])

    assert list(store.links()) == []


def test_what_breaks_off_in_the_caller_is_the_callers(store: DocumentStore) -> None:
    def broken() -> Iterator[LinkState]:
        yield a_state()
        raise KeyError("the caller's own")

    with pytest.raises(KeyError, match="the caller's own"):
        store.save_links(broken())


def test_a_crawl_comes_back_while_it_runs_and_when_it_has_finished(store: DocumentStore) -> None:
    begun = CrawlRun(id="run", author_id=ADA.id, started_at=MOMENT)
    finished = begun.model_copy(update={"finished_at": MOMENT + timedelta(seconds=1)})

    store.save_crawl(begun)
    assert store.find_crawl("run") == begun
    assert store.find_crawl("another") is None

    store.save_crawl(finished)
    assert store.find_crawl("run") == finished

    store.save_crawl(begun)
    assert store.find_crawl("run") == begun


def test_the_documents_of_an_origin_are_found_in_every_category(store: DocumentStore) -> None:
    origin = "https://example.org/repository"
    article, file = a_document(1, origin=origin), a_document(2, category="files", origin=origin)
    other, none = a_document(3, origin=f"{origin}/other"), a_document(4)
    store.save([file, other, article, none])
    store.save_author(ADA)
    store.save_links([a_state()])
    store.save_crawl(CrawlRun(id="run", author_id=ADA.id, started_at=MOMENT))

    assert store.ids_from(origin) == [("articles", article.id), ("files", file.id)]
    assert store.ids_from(f"{origin}/other") == [("articles", other.id)]
    assert store.ids_from("https://example.org/unknown") == []
    assert store.source_of("articles", article.link) == article.source
    assert next(store.find("files")) == file

    store.delete("files", [file.id])
    assert store.ids_from(origin) == [("articles", article.id)]


def test_a_document_that_moved_is_of_its_new_origin(store: DocumentStore) -> None:
    store.save([a_document(origin="https://example.org/old")])

    assert store.save([a_document(origin="https://example.org/new")]) == SaveReport(unchanged=1)

    assert store.ids_from("https://example.org/old") == []
    assert store.ids_from("https://example.org/new") == [("articles", a_document().id)]


def test_links_and_crawls_are_no_documents_and_are_not_exported(
    store: DocumentStore, tmp_path: Path
) -> None:
    store.save_author(ADA)
    export_dump(store, tmp_path / "without")

    store.save_links([a_state()])
    store.save_crawl(CrawlRun(id="run", author_id=ADA.id, started_at=MOMENT))
    export_dump(store, tmp_path / "with")

    without, with_them = (
        {file.name: file.read_bytes() for file in (tmp_path / name).iterdir()}
        for name in ("without", "with")
    )
    assert with_them == without


def test_many_threads_use_one_store_at_once(store: DocumentStore) -> None:
    """As a crawl does: each thread stores the document of a link, then its state, and asks for others."""
    links_each = 12

    def crawl(thread: int) -> SaveReport:
        saved = SaveReport()
        for n in range(thread * links_each, (thread + 1) * links_each):
            store.save_links([a_state(n)])
            document = a_document(n, origin=a_state(n).link)
            report = store.save([document])
            saved = SaveReport(new=saved.new + report.new)
            assert store.ids_from(document.source.origin) == [("articles", document.id)]
            assert store.source_of("articles", document.link) == document.source
            store.save_links([a_state(n, status="fetched", documents=1)])
            found = store.find_link(ADA.id, document.link)
            assert found is not None
            assert found.status == "fetched"
        return saved

    with ThreadPoolExecutor(THREADS) as pool:
        reports = list(pool.map(crawl, range(THREADS)))

    total = THREADS * links_each
    assert sum(report.new for report in reports) == total
    assert store.count("articles") == total
    assert list(store.links()) == by_id(
        *(a_state(n, status="fetched", documents=1) for n in range(total))
    )


def test_threads_that_save_the_same_link_leave_one_whole_state(store: DocumentStore) -> None:
    states = [a_state(attempts=n, reason=f"attempt {n}", documents=n) for n in range(THREADS)]

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(store.save_links, [[state] for state in states]))

    [left] = store.links()
    assert left in states


def test_closing_twice_is_harmless(store: DocumentStore) -> None:
    store.save_links([a_state()])
    store.close()
    store.close()
