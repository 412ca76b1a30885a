"""Rows of links and crawls hold no nulls and no dates, and a foreign row is named."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from rag_llm_system.domain.crawling import CrawlRun, LinkState
from rag_llm_system.domain.documents import Source
from rag_llm_system.domain.errors import DataError, StoreCorrupt
from rag_llm_system.infrastructure.db.stored_links import (
    crawl_of,
    crawl_row_of,
    link_row_of,
    link_state_of,
)

LINK = "https://example.org/a"
MOMENT = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)


def a_state(**changes: Any) -> LinkState:
    return LinkState.model_validate({"author_id": "1", "link": LINK, **changes})


def test_a_row_of_a_link_nobody_has_visited_holds_no_nulls() -> None:
    assert link_row_of(a_state()).fields == {
        "_id": a_state().id,
        "author_id": "1",
        "link": LINK,
        "crawl_id": "",
        "status": "pending",
        "reason": "",
        "found_in": "",
        "depth": 0,
        "attempts": 0,
        "documents": 0,
        "revision": "",
    }


def test_a_row_of_a_visited_link_has_moments_as_text_and_the_anchor_as_a_list() -> None:
    elsewhere = MOMENT.astimezone(timezone(timedelta(hours=-8)))
    source = Source(link=LINK, origin=LINK, fetched_at=elsewhere, etag='"1"')
    state = a_state(kind="gone", checked_at=elsewhere, source=source, anchor=("articles", LINK))

    fields = link_row_of(state).fields

    assert fields["kind"] == "gone"
    assert fields["checked_at"] == "2026-01-02T03:04:05.000006+00:00"
    assert fields["anchor"] == ["articles", LINK]
    assert fields["source"] == {
        "link": LINK,
        "origin": LINK,
        "final_url": "",
        "fetched_at": "2026-01-02T03:04:05.000006+00:00",
        "http_status": 0,
        "etag": '"1"',
        "last_modified": "",
        "commit": "",
    }
    assert link_state_of(fields) == state


def test_a_row_of_a_crawl_has_an_end_only_when_it_has_ended() -> None:
    running = CrawlRun(id="run", author_id="1", started_at=MOMENT)
    ended = running.model_copy(update={"finished_at": MOMENT})
    moment = "2026-01-02T03:04:05.000006+00:00"

    assert crawl_row_of(running) == {"_id": "run", "author_id": "1", "started_at": moment}
    assert crawl_row_of(ended) == {**crawl_row_of(running), "finished_at": moment}
    assert [crawl_of(crawl_row_of(run)) for run in (running, ended)] == [running, ended]


def test_a_moment_without_time_zone_is_taken_as_utc() -> None:
    naive = a_state(checked_at=datetime(2026, 1, 2))

    assert link_state_of(link_row_of(naive).fields).checked_at == datetime(2026, 1, 2, tzinfo=UTC)


def test_what_cannot_be_stored_is_refused_by_its_link() -> None:
    with pytest.raises(DataError, match=f"^{LINK}: .*surrogates not allowed"):
        link_row_of(a_state(reason="half a pair: \ud800"))


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"status": "lost"}, "status: Input should be 'pending'"),
        ({"anchor": ["articles"]}, "anchor.1: Field required"),
        ({"whatever": 1}, "whatever: Extra inputs are not permitted"),
    ],
)
def test_a_row_of_links_that_is_not_ours_is_named(changes: dict[str, Any], wrong: str) -> None:
    fields = {**link_row_of(a_state()).fields, **changes}

    with pytest.raises(StoreCorrupt, match=f"^row '.*' of collection 'links' .*{wrong}"):
        link_state_of(fields)


@pytest.mark.parametrize(
    "fields", [{"_id": "run", "author_id": "1"}, {"author_id": "1", "started_at": "2026-01-02"}]
)
def test_a_row_of_crawls_that_is_not_ours_is_named(fields: dict[str, Any]) -> None:
    with pytest.raises(StoreCorrupt, match=r"^row .* of collection 'crawls' is not one of ours"):
        crawl_of(fields)
