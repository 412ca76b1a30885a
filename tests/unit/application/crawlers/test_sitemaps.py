"""Sitemaps and index pages give the articles of a site, and only those."""

from pathlib import Path

import pytest

from rag_llm_system.application.crawlers.sitemaps import (
    MAX_LINKS,
    feed_link_of,
    links_of_listing,
    looks_like_sitemap,
    parse_sitemap,
)
from rag_llm_system.domain.crawling import Feed, FeedItem
from rag_llm_system.domain.errors import CrawlError

DATA = Path(__file__).parents[3] / "data"
URL = "https://belts.example/sitemap.xml"
HOME = "https://harbourpost.example/"


def read(name: str) -> str:
    return (DATA / name).read_text("utf-8")


def links(feed: Feed) -> list[str]:
    return [entry.link for entry in feed.items]


def page(body: str, head: str = "") -> str:
    return f"<!doctype html><html><head>{head}</head><body><main>{body}</main></body></html>"


def test_a_sitemap_lists_the_pages_of_its_own_site_once_each() -> None:
    feed = parse_sitemap(read("feeds/sitemap.xml"), URL)
    assert links(feed) == [
        "https://www.belts.example/2025/03/a-queue?copy=1&lang=en",
        "https://belts.example/about",
        "https://blog.belts.example/one",
    ]
    assert feed.items[0] == FeedItem(
        link="https://www.belts.example/2025/03/a-queue?copy=1&lang=en",
        title="A queue & its limit",
        published="2025-03-05T08:00:00+00:00",
    )


def test_a_sitemap_of_a_subdomain_does_not_speak_for_the_whole_site() -> None:
    assert links(parse_sitemap(read("feeds/sitemap.xml"), "https://blog.belts.example/s.xml")) == [
        "https://blog.belts.example/one"
    ]


def test_an_index_of_sitemaps_gives_the_sitemaps() -> None:
    assert links(parse_sitemap(read("feeds/sitemap_index.xml"), URL)) == [
        "https://belts.example/sitemap-2024.xml",
        "https://belts.example/sitemap-2025.xml",
    ]


def test_a_plain_list_of_links_is_a_sitemap() -> None:
    text = "\ufeffhttps://belts.example/1\r\n\r\nhttps://belts.example/2\r\nno link\r\n"
    assert links(parse_sitemap(text, URL)) == ["https://belts.example/1", "https://belts.example/2"]


def test_a_sitemap_that_is_cut_off_gives_what_came() -> None:
    text = read("feeds/sitemap.xml")
    assert len(parse_sitemap(text[: text.index("og.belts")], URL).items) == 2


def test_entities_of_a_sitemap_are_not_expanded(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2", "utf-8")
    levels = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    entity = f'<!ENTITY x SYSTEM "{(tmp_path / "secret").as_uri()}"><!ENTITY l0 "a">{levels}'
    head = f'<?xml version="1.0" encoding="latin-1"?><!DOCTYPE urlset [{entity}]>'
    entries = "".join(
        f"<url><loc>https://belts.example/{path}</loc></url>" for path in ("&x;", "&l9;", "ü")
    )
    found = links(parse_sitemap(f"{head}<urlset>{entries}</urlset>", URL))
    assert found == [f"https://belts.example/{path}" for path in ("&x", "&l9", "ü")]


def test_the_number_of_links_has_a_bound() -> None:
    text = "".join(f"https://belts.example/{number}\n" for number in range(MAX_LINKS + 5))
    assert len(parse_sitemap(text, URL).items) == MAX_LINKS


@pytest.mark.parametrize(
    ("text", "kind", "reason"),
    [
        ("", "empty", "no sitemap"),
        ("<html><body>https://belts.example/1</body></html>", "not text", "no sitemap"),
        ("some words\nhttps://belts.example/1", "not text", "no sitemap"),
        ("\x1f\ufffd\x08\x00", "not text", "came as a gzip file, which is not unpacked"),
    ],
)
def test_what_is_no_sitemap_is_refused(text: str, kind: str, reason: str) -> None:
    with pytest.raises(CrawlError, match=reason) as raised:
        parse_sitemap(text, URL)
    assert raised.value.kind == kind


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ('<?xml version="1.0"?><!-- by hand --><urlset xmlns="x">', True),
        ("<sm:sitemapindex xmlns:sm='x'>", True),
        ("https://belts.example/1\nhttps://belts.example/2\nhttps://bel", True),
        ("https://belts.example/1", True),
        ("see https://belts.example/1", False),
        ("https://belts.example/1 is a page", False),
        ("<html><body><urlset></body></html>", False),
        ("", False),
    ],
)
def test_a_sitemap_is_recognised_by_its_beginning(head: str, expected: bool) -> None:
    assert looks_like_sitemap(head) is expected


def test_the_articles_of_a_front_page_come_in_its_order_without_what_surrounds_them() -> None:
    feed = links_of_listing(read("feeds/news_home.html"), HOME)
    assert feed == Feed(
        title="The Harbour Post",
        items=(
            FeedItem(
                link="https://harbourpost.example/2025/11/21/crane-lifts-its-last-ship",
                title="The crane lifts its last ship",
            ),
            FeedItem(link="https://www.harbourpost.example/fish/prices", title="Fish prices"),
            FeedItem(link="https://harbourpost.example/notes/tides", title="The tides this week"),
            FeedItem(link="https://harbourpost.example/notes/lamps", title="Lamps on the pier"),
            FeedItem(
                link="https://harbourpost.example/notes/ropes", title="On the tarring of ropes"
            ),
            FeedItem(
                link="https://harbourpost.example/?p=4711",
                title="The old town hall will be closed",
            ),
        ),
    )


def test_the_stories_of_a_publication_page_are_found_without_tracking() -> None:
    feed = links_of_listing(read("medium/publication.html"), "https://medium.com/slow-machines")
    assert [link.removeprefix("https://medium.com/slow-machines/") for link in links(feed)] == [
        "queues-that-tell-the-truth-4f1c9a7be203",
        "clocks-do-not-agree-1111aaaa2222",
        "a-log-is-a-letter-5555cccc6666",
    ]


def test_a_page_in_another_script_is_judged_by_its_characters() -> None:
    html = page("<h2><a href='/a1'>港のクレーンが止まった日</a></h2><p><a href='/b1'>港</a></p>")
    assert links(links_of_listing(html, HOME)) == [HOME + "a1"]


def test_relative_links_follow_the_base_of_the_page() -> None:
    html = page("<h2><a href='one'>The first of three</a></h2>", '<base href="/deep/er/">')
    assert links(links_of_listing(html, HOME)) == [HOME + "deep/er/one"]


def test_a_link_that_says_what_it_is_is_believed() -> None:
    html = page(
        "<h2><a rel='tag' href='/all-about-old-ropes'>All about old ropes</a></h2>"
        "<p><a rel='bookmark' href='/ropes'>Ropes and tar</a></p>"
    )
    assert links(links_of_listing(html, HOME)) == [HOME + "ropes"]


@pytest.mark.parametrize("html", ["", "<p>", page("<a>no address</a><a href='http://['>bad</a>")])
def test_a_page_without_articles_gives_none(html: str) -> None:
    assert links_of_listing(html, HOME).items == ()


def test_the_announced_feed_is_the_one_of_the_articles() -> None:
    assert feed_link_of(read("feeds/news_home.html"), HOME) == HOME + "feed/?ref=home"


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ('<link rel="alternate" type="application/atom+xml" href="a.xml">', HOME + "a.xml"),
        ('<link rel="ALTERNATE feed" type="application/feed+json;x" href="/f">', HOME + "f"),
        ('<link rel="alternate" type="application/rss+xml" href="feed://x/f">', ""),
        ('<link rel="alternate" type="text/html" href="/de">', ""),
        ('<link rel="stylesheet" type="application/rss+xml" href="/f">', ""),
        ('<link rel="alternate" type="application/rss+xml">', ""),
        ("", ""),
    ],
)
def test_a_feed_must_be_announced_as_one(link: str, expected: str) -> None:
    assert feed_link_of(page("", link), HOME) == expected


def test_nothing_is_announced_by_nothing() -> None:
    assert feed_link_of("", HOME) == ""
