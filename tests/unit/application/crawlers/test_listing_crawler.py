"""A page that lists articles gives their links: those of its feed first, then those on it."""

from datetime import UTC, datetime

import pytest

from rag_llm_system.application.crawlers.listing import ListingCrawler
from rag_llm_system.domain.crawling import CrawlEnd, FoundLink
from rag_llm_system.domain.documents import Author, Document, Page, Source
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.infrastructure.fetchers.memory import MemoryFetcher
from rag_llm_system.infrastructure.sandboxes.inline import InlineSandbox
from tests.unit.application.crawlers.platform_pages import drained

HOME = "https://news.example/"
FEED_LINK = "https://news.example/feed.xml"
AUTHOR = Author.named("News")
NOW = datetime(2026, 11, 21, tzinfo=UTC)
FEED = """<rss version="2.0"><channel><title>News</title>
<item><link>https://news.example/2026/11/newest-story</link></item></channel></rss>"""
STORIES = "".join(
    f"<article><h2><a href='/2026/11/{slug}'>A headline about {slug} and its readers</a></h2></article>"
    for slug in ("queues", "indexes", "newest-story")
)
ANNOUNCED = "<link rel='alternate' type='application/rss+xml' href='/feed.xml'>"


def page(text: str, link: str, content_type: str = "text/html", etag: str = "") -> Page:
    return Page(
        url=link, final_url=link, status=200, content=text.encode(), content_type=content_type,
        etag=etag, fetched_at=NOW,
    )  # fmt: skip


def home(head: str = "", body: str = STORIES, etag: str = "") -> Page:
    html = f"<html><head>{head}</head><body><nav><a href='/about'>About</a></nav>{body}</body>"
    return page(html, HOME, etag=etag)


def crawl(
    pages: dict[str, Page | CrawlError], known: Source | None = None
) -> tuple[list[Document | FoundLink], CrawlEnd]:
    crawler = ListingCrawler(MemoryFetcher(pages), InlineSandbox())
    return drained(crawler.crawl(f"list+{HOME}", AUTHOR, known))


def links(*slugs: str) -> list[FoundLink]:
    return [FoundLink(link=f"https://news.example/2026/11/{slug}") for slug in slugs]


def test_the_articles_on_a_page_are_found_and_its_navigation_is_not() -> None:
    items, end = crawl({HOME: home()})
    assert items == links("queues", "indexes", "newest-story")
    assert end.source is not None


def test_the_links_of_an_announced_feed_come_first() -> None:
    feed = page(FEED, FEED_LINK, "application/rss+xml")
    items, _ = crawl({HOME: home(ANNOUNCED), FEED_LINK: feed})
    assert items[0] == links("newest-story")[0]
    assert set(items) == set(links("queues", "indexes", "newest-story"))


def test_a_feed_that_cannot_be_read_takes_nothing_from_the_page() -> None:
    items, _ = crawl({HOME: home(ANNOUNCED)})
    assert items == links("queues", "indexes", "newest-story")


def test_an_announced_feed_that_is_none_takes_nothing_from_the_page() -> None:
    broken = page("<data>1</data>", FEED_LINK, "application/rss+xml")
    items, _ = crawl({HOME: home(ANNOUNCED), FEED_LINK: broken})
    assert items == links("queues", "indexes", "newest-story")


def test_the_link_of_a_feed_may_be_given_itself() -> None:
    items, _ = crawl({HOME: page(FEED, HOME, "application/rss+xml")})
    assert items == links("newest-story")


def test_an_unchanged_page_is_not_read_again() -> None:
    known = Source(link=f"list+{HOME}", fetched_at=NOW, etag='"1"')
    assert crawl({HOME: home(etag='"1"')}, known) == ([], CrawlEnd(source=known, unchanged=True))


def test_a_page_without_articles_is_refused() -> None:
    with pytest.raises(CrawlError, match="no links to articles"):
        crawl({HOME: home(body="<p>Nothing today.</p>")})
