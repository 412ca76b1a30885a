"""What a page says of itself: title, author, time, language, site and canonical link, from wherever it says it."""

import pytest

from rag_llm_system.application.crawlers.extraction import extract_article
from rag_llm_system.domain.crawling import Extracted

URL = "https://www.tidewater.example/guides/depth"
PROSE = "".join(f"<p>A paragraph with some words, and its number is {n}.</p>" for n in range(5))


def read(head: str = "", body: str = PROSE, url: str = URL, html: str = "<html>") -> Extracted:
    return extract_article(f"{html}<head>{head}</head><body>{body}</body></html>", url)


def linked(data: str) -> str:
    return f'<script type="application/ld+json">{data}</script>'


def meta(name: str, content: str) -> str:
    return f'<meta name="{name}" content="{content}">'


@pytest.mark.parametrize(
    "data",
    [
        '{"@type": "Article", "headline": "Depth", "author": {"name": "Ines"}, "datePublished": "2024-06-03"}',
        '[{"@type": "WebSite", "name": "x"}, {"@type": ["NewsArticle", "Article"], "headline": "Depth", "author": '
        '[{"@type": "Person", "name": ["Ines"]}], "datePublished": "2024-06-03"}]',
        '{"@graph": [{"@type": "http://schema.org/BlogPosting", "headline": "Depth", "author": "Ines", '
        '"datePublished": "2024-06-03"}]}',
        '{"@type": "WebPage", "mainEntity": {"@type": "Article", "name": "Depth", "author": {"name": "Ines"}, '
        '"dateCreated": "2024-06-03"}}',
        '<!-- {"@type": "Article", "headline": "Depth\n", "author": "Ines", "datePublished": "2024-06-03"}; -->',
    ],
)
def test_json_ld_is_read_in_all_its_forms(data: str) -> None:
    found = read(linked(data))
    assert (found.title, found.author, found.published) == ("Depth", "Ines", "2024-06-03")


@pytest.mark.parametrize(
    "data",
    ["{", "null", "7", '"text"', "[[[]]]", '{"@graph": 7}', '{"@type": null, "headline": "x"}',
     '{"@type": "Article", "headline": 5, "author": [[], null, {"name": {}}], "datePublished": ["x"]}'],
)  # fmt: skip
def test_json_ld_that_is_broken_or_odd_is_passed_over(data: str) -> None:
    found = read(linked(data) + meta("author", "Ines Halvorsen") + "<title>Depth</title>")
    assert (found.title, found.author, found.published) == ("Depth", "Ines Halvorsen", "")


@pytest.mark.parametrize(
    "head",
    [
        "<title>How depth is kept | Tidewater</title>",
        "<title>Tidewater - How depth is kept</title>",
        "<title>How depth is kept \u2013 The Tidewater Journal</title>" + meta("og:site_name", "The Tidewater Journal"),
        "<title>x</title>" + meta("og:title", "How depth is kept \u00b7 tidewater"),
    ],
)  # fmt: skip
def test_a_title_loses_the_name_of_the_site(head: str) -> None:
    assert read(head).title == "How depth is kept"


@pytest.mark.parametrize(
    "title", ["Rivers - a love story", "Gates: what they cost", "C++ | Rust"], ids=str
)
def test_a_title_with_marks_of_its_own_is_kept_where_the_page_shows_it(title: str) -> None:
    assert read(f"<title>{title} | Tidewater</title>", f"<h1>{title}</h1>{PROSE}").title == title


def test_the_heading_that_the_page_announces_is_the_title_not_the_name_of_the_site() -> None:
    body = f"<header><h1>Tidewater</h1></header><main><h1>Depth &amp; <b>mud</b><a href='#t'>#</a></h1>{PROSE}</main>"
    assert read("<title>Depth &amp; mud - Tidewater</title>", body).title == "Depth & mud"


def test_the_subtitle_is_the_summary_unless_that_repeats_the_title() -> None:
    assert read(meta("description", "Dredging is&amp;nbsp;dear.")).subtitle == "Dredging is dear."
    assert read(meta("description", "Depth!") + "<title>Depth</title>").subtitle == ""


@pytest.mark.parametrize(
    ("head", "body", "author"),
    [
        (meta("author", "By Ines Halvorsen"), "", "Ines Halvorsen"),
        (meta("article:author", "https://social.example/ines"), "", ""),
        (meta("author", "desk@tidewater.example"), '<a rel="author" href="/i">Ines Halvorsen</a>', "Ines Halvorsen"),
        ("", '<span class="byline">Written by Ines Halvorsen,</span>', "Ines Halvorsen"),
        ("", '<div class="author-bio">Ines Halvorsen writes about coasts.</div>', ""),
        (linked('{"@type": "Article", "author": {"@type": "Organization", "name": "Desk"}}'), "", ""),
    ],
)  # fmt: skip
def test_the_author_is_a_name(head: str, body: str, author: str) -> None:
    assert read(head, body + PROSE).author == author


@pytest.mark.parametrize(
    ("written", "iso"),
    [
        ("2024-06-03", "2024-06-03"),
        ("20240603", "2024-06-03"),
        ("2024-06-03T08:15:00Z", "2024-06-03T08:15:00+00:00"),
        ("2024-06-03T08:15:00.000+0200", "2024-06-03T08:15:00+02:00"),
        ("2024-06-03 08:15 UTC", "2024-06-03T08:15:00+00:00"),
        ("2024-06-03T08:15:00-05", "2024-06-03T08:15:00-05:00"),
        ("2024-06-03T08:15", "2024-06-03T08:15:00"),
        ("Monday, June 3rd, 2024 at 8:15", "2024-06-03"),
        ("3 Jun. 2024", "2024-06-03"),
        ("2024-02-30", ""),
        ("0000-00-00", ""),
        ("June 2024", ""),
        ("yesterday", ""),
    ],
)
def test_times_are_iso_8601_with_the_zone_that_is_given(written: str, iso: str) -> None:
    assert read(meta("article:published_time", written)).published == iso


@pytest.mark.parametrize(
    ("body", "url"),
    [
        ('<time datetime="2024-06-03">today</time>', URL),
        ('<span itemprop="datePublished" content="2024-06-03">today</span>', URL),
        ("", "https://tidewater.example/2024/06/03/depth.html"),
        ("<h1>Depth</h1><p>Ines Halvorsen, June 3, 2024</p>", URL),
    ],
)
def test_the_date_is_found_in_the_page_and_in_its_address(body: str, url: str) -> None:
    assert read("<title>Depth</title>", body + PROSE, url).published == "2024-06-03"


def test_a_date_in_the_middle_of_the_text_is_not_that_of_the_page() -> None:
    filler = "<p>Words of the text.</p>" * 30
    assert read("", f"<h1>Depth</h1>{filler}<p>Built on May 5, 1999.</p>{filler}").published == ""


@pytest.mark.parametrize(
    ("html", "head", "language"),
    [
        ('<html lang="en-GB">', "", "en"),
        ('<html lang="PT_br">', "", "pt"),
        ("<html>", '<meta property="og:locale" content="de_DE">', "de"),
        ("<html>", '<meta http-equiv="content-language" content="fr, en">', "fr"),
        ("<html>", linked('{"@type": "Article", "inLanguage": "nb"}'), "nb"),
        ('<html lang="x-klingon">', "", ""),
        ("<html>", "", ""),
    ],
)
def test_the_language_is_given_without_its_region(html: str, head: str, language: str) -> None:
    assert read(head, html=html).language == language


@pytest.mark.parametrize(
    ("head", "canonical"),
    [
        ('<link rel="canonical" href="/guides/depth">', "https://www.tidewater.example/guides/depth"),
        ('<link rel="canonical" href="https://a.example/b">', "https://a.example/b"),
        ('<link rel="CANONICAL nofollow" href="//a.example/b">', "https://a.example/b"),
        ('<meta property="og:url" content="https://a.example/c">', "https://a.example/c"),
        ('<link rel="canonical" href="http://[::1"><meta property="og:url" content="/c">', "https://www.tidewater.example/c"),
        ('<link rel="canonical" href="javascript:x">', ""),
        ('<link rel="canonical">', ""),
        ("", ""),
    ],
)  # fmt: skip
def test_the_canonical_link_is_absolute(head: str, canonical: str) -> None:
    assert read(head).canonical == canonical


def test_the_site_is_named_by_the_page_or_by_its_publisher() -> None:
    publisher = linked(
        '{"@type": "Article", "publisher": {"@type": "Organization", "name": "Tidewater"}}'
    )
    assert (
        read('<meta property="og:site_name" content="Tidewater Journal">' + publisher).site_name
        == "Tidewater Journal"
    )
    assert read(publisher).site_name == "Tidewater"
