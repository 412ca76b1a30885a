"""Pages are read over HTTP, by browser where that helps, and never given out when they are no articles."""

from datetime import UTC, datetime

import pytest

from rag_llm_system.application.crawlers.pages import PageReader
from rag_llm_system.domain.crawling import FailureKind
from rag_llm_system.domain.documents import Page, Source
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.domain.ports import Wanted
from rag_llm_system.infrastructure.fetchers.memory import MemoryFetcher
from rag_llm_system.infrastructure.sandboxes.inline import InlineSandbox

LINK = "https://site.example/queues"
NOW = datetime(2026, 11, 21, tzinfo=UTC)
PROSE = "<p>A sentence about queues and their readers, long enough to be one of an article.</p>" * 4
ARTICLE = f"<html><head><title>Queues</title></head><body><article>{PROSE}</article></body></html>"
SHELL = (
    "<html><head><title>App</title></head><body><noscript>You need to enable JavaScript to run this"
    " app.</noscript><div id='root'></div><script src='/static/main.js'></script></body></html>"
)
CHALLENGE = (
    "<html><head><title>Just a moment...</title></head><body><h1>site.example</h1>"
    "<p>Verify you are human by completing the action below.</p>"
    "<script src='/cdn-cgi/challenge-platform/h/b/orchestrate/jsch/v1'></script></body></html>"
)


def page(html: str, link: str = LINK, **more: object) -> Page:
    fields = {"url": link, "final_url": link, "status": 200, "content_type": "text/html", **more}
    return Page.model_validate({**fields, "content": html.encode(), "fetched_at": NOW})


class NotingFetcher(MemoryFetcher):
    """Notes which links it was asked for."""

    def __init__(self, pages: dict[str, Page | CrawlError]) -> None:
        super().__init__(pages)
        self.asked: list[str] = []

    def fetch(
        self, link: str, *, wanted: Wanted = "page", etag: str = "", last_modified: str = ""
    ) -> Page | None:
        self.asked.append(link)
        return super().fetch(link, wanted=wanted, etag=etag, last_modified=last_modified)


def reader(
    http: dict[str, Page | CrawlError],
    browser: dict[str, Page | CrawlError] | None = None,
    browser_hosts: tuple[str, ...] = (),
) -> tuple[PageReader, NotingFetcher, NotingFetcher]:
    first, second = NotingFetcher(http), NotingFetcher(browser or {})
    lane = second if browser is not None else None
    return (
        PageReader(first, lane, InlineSandbox(), browser_hosts=browser_hosts),
        first,
        second,
    )


def kind_of(pages: PageReader, link: str = LINK) -> FailureKind:
    with pytest.raises(CrawlError) as refused:
        pages.article(link)
    return refused.value.kind


def test_an_article_is_read_over_http_and_no_browser_is_asked() -> None:
    pages, _, browser = reader({LINK: page(ARTICLE)}, {})
    found = pages.article(LINK)
    assert found is not None
    assert "queues and their readers" in found.article.text
    assert browser.asked == []


def test_an_unchanged_page_is_none() -> None:
    pages, _, _ = reader({LINK: page(ARTICLE, etag='"1"')})
    assert pages.article(LINK, Source(link=LINK, fetched_at=NOW, etag='"1"')) is None


def test_a_page_made_by_scripts_is_read_by_browser() -> None:
    pages, _, browser = reader({LINK: page(SHELL)}, {LINK: page(ARTICLE, via="browser")})
    found = pages.article(LINK)
    assert found is not None
    assert found.page.via == "browser"
    assert browser.asked == [LINK]


def test_without_a_browser_a_page_made_by_scripts_is_refused_with_the_reason() -> None:
    pages, _, _ = reader({LINK: page(SHELL)})
    with pytest.raises(CrawlError, match="browser: off") as refused:
        pages.article(LINK)
    assert refused.value.kind == "script"


def test_a_browser_that_cannot_start_says_why() -> None:
    missing = CrawlError(LINK, "needs a browser, and none is installed", kind="script")
    pages, _, _ = reader({LINK: page(SHELL)}, {LINK: missing})
    with pytest.raises(CrawlError, match="none is installed"):
        pages.article(LINK)


@pytest.mark.parametrize("status", [200, 403])
def test_a_challenge_is_given_one_chance_to_clear_in_the_browser(status: int) -> None:
    challenged = page(CHALLENGE, status=status, headers={"cf-mitigated": "challenge"})
    answer: Page | CrawlError = challenged
    if status == 403:
        answer = CrawlError(LINK, "HTTP 403 Forbidden", kind="refused", page=challenged)
    cleared, _, _ = reader({LINK: answer}, {LINK: page(ARTICLE)})
    assert cleared.article(LINK) is not None
    stubborn, _, browser = reader({LINK: answer}, {LINK: page(CHALLENGE)})
    assert kind_of(stubborn) == "challenge"
    assert browser.asked == [LINK]
    alone, _, _ = reader({LINK: answer})
    assert kind_of(alone) == "challenge"


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [(404, "gone", "HTTP 404 Not Found"), (503, "busy", "HTTP 503 Service Unavailable")],
)
def test_an_error_page_keeps_the_reason_of_its_status(
    status: int, kind: FailureKind, reason: str
) -> None:
    answer = CrawlError(LINK, reason, kind=kind, page=page("<p>Sorry.</p>", status=status))
    pages, _, browser = reader({LINK: answer}, {})
    with pytest.raises(CrawlError, match=reason) as refused:
        pages.article(LINK)
    assert refused.value.kind == kind
    assert browser.asked == []


def test_an_article_behind_an_error_status_is_not_taken_for_one() -> None:
    answer = CrawlError(LINK, "HTTP 500", kind="unreachable", page=page(ARTICLE, status=500))
    pages, _, _ = reader({LINK: answer})
    assert kind_of(pages) == "unreachable"


def test_listed_hosts_always_go_through_the_browser() -> None:
    other = "https://sub.site.example/"
    pages, http, browser = reader(
        {LINK: page(ARTICLE)}, {LINK: page(ARTICLE), other: page(ARTICLE)}, ("site.example",)
    )
    assert pages.article(LINK) is not None
    assert pages.article(other) is not None
    assert (http.asked, browser.asked) == ([], [LINK, other])


def test_a_page_that_sends_its_readers_on_is_followed_once() -> None:
    target = "https://site.example/new"
    refresh = f"<html><head><meta http-equiv='refresh' content='0; url=/new'></head>{'{}'}</html>"
    pages, http, _ = reader({LINK: page(refresh), target: page(ARTICLE, target)})
    found = pages.article(LINK)
    assert found is not None
    assert found.page.final_url == target
    circle, http, _ = reader({LINK: page(refresh), target: page(refresh, target)})
    kind_of(circle)
    assert http.asked == [LINK, target]


def test_a_feed_is_given_out_as_it_is() -> None:
    feed = "<rss version='2.0'><channel><title>Notes</title></channel></rss>"
    for content_type in ("application/rss+xml", "text/html"):
        pages, _, _ = reader({LINK: page(feed, content_type=content_type)})
        found = pages.article(LINK)
        assert found is not None
        assert (found.page.text, found.article.text) == (feed, "")
