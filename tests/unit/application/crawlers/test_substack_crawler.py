"""Substack: posts and notes without their buttons and appeals, by page or API; publications by their archive."""

import json
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from rag_llm_system.application.crawlers.posts import Post
from rag_llm_system.application.crawlers.substack import (
    SubstackCrawler,
    looks_like_substack,
    parse_substack,
)
from rag_llm_system.application.crawlers.substack.post import post_of_api
from rag_llm_system.domain.crawling import CrawlEnd, FailureKind, FoundLink
from rag_llm_system.domain.documents import Author, Document, Page, Source
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.infrastructure.sandboxes.inline import InlineSandbox
from tests.unit.application.crawlers.platform_pages import Pages, drained, html_page

DATA = Path(__file__).parents[3] / "data" / "substack"
AUTHOR = Author.named("Ruth Adeyemi")
NOW = datetime(2025, 11, 21, tzinfo=UTC)

SITE = "https://slowferry.substack.com"
POST = f"{SITE}/p/the-timetable"
POST_API = f"{SITE}/api/v1/posts/the-timetable"
WINTER = f"{SITE}/p/winter-tides"
NOTE = "https://substack.com/@ruthadeyemi/note/c-160012345"
NOTE_API = "https://substack.com/api/v1/reader/comment/160012345"

CODE = """```python
for tide in tides:
    if tide.height < keel && late:

TAB    wait("<br>")  # a tab before
```""".replace("TAB", "\t")


def read(name: str) -> str:
    return (DATA / name).read_text("utf-8")


page_of = partial(html_page, etag='W/"s1"', fetched_at=NOW)


def crawl(
    pages: Pages, link: str, known: Source | None = None
) -> tuple[list[Document | FoundLink], CrawlEnd]:
    return drained(SubstackCrawler(pages, InlineSandbox()).crawl(link, AUTHOR, known))


def one_document(pages: Pages, link: str) -> Document:
    (document,) = crawl(pages, link)[0]
    assert isinstance(document, Document)
    return document


def refused(link: str, kind: FailureKind) -> CrawlError:
    return CrawlError(link, "why it was not read", kind=kind)


def archive_part(offset: int) -> str:
    return f"{SITE}/api/v1/archive?sort=new&offset={offset}&limit=50"


@pytest.fixture(scope="module")
def post() -> Post:
    return parse_substack(read("free_post.html"), POST)


def test_a_post_becomes_one_document_that_knows_where_it_came_from() -> None:
    link = POST + "?utm_source=share"
    (document,), end = crawl(Pages({link: page_of(read("free_post.html"), link)}), link)
    assert isinstance(document, Document)
    assert (document.category, document.platform) == ("articles", "substack")
    assert document.author_full_name == "Ruth Adeyemi"
    assert document.source == Source(
        link=POST,
        origin=link,
        final_url=link,
        fetched_at=NOW,
        http_status=200,
        etag='W/"s1"',
    )
    assert document.metadata == {
        "substack_id": "181700001",
        "published_at": "2025-10-05T06:30:00+00:00",
        "language": "en",
        "author_name": "Ruth Adeyemi, Tomas Reyes",
    }
    assert end.source == document.source.model_copy(update={"link": link})
    assert end.left_out == {"embedded contents": 5}


def test_title_and_subtitle_stand_apart_from_the_text(post: Post) -> None:
    assert post.title == "The timetable — 時刻表"
    assert post.subtitle == "What a harbour owes to people who wait"
    assert post.title not in post.text
    assert post.subtitle not in post.text


def test_the_whole_post_is_there_in_its_order(post: Post) -> None:
    passages = [
        "The ferry that keeps no timetable. Photo by the author.",
        "people who are not there yet. (1) Ours was broken four times a day",
        "I asked Tomas Reyes how the other harbour does it",
        "## The three lines",
        CODE,
        "$$h = a \\cos(\\omega t)$$",
        "Nobody is late who says so.",
        "- Write the promise down.\n- Write down who broke it.",
        "https://www.youtube.com/watch?v=6JnMxNa5R-w",
        "https://x.example/harbour/status/1",
        f"Bells in fog ({SITE}/p/bells-in-fog)",
        "On ropes (https://other.substack.com/p/ropes)",
        "Updated on 6 October with the winter tides.",
        "That is all there is to it, and it was enough for one winter.",
        "(1) Some of them are on the wrong pier.",
    ]
    positions = [post.text.find(passage) for passage in passages]
    assert -1 not in positions
    assert positions == sorted(positions)
    assert post.text.startswith(passages[0])
    assert post.text.endswith(passages[-1])


@pytest.mark.parametrize(
    "boilerplate",
    [
        "Subscribe", "Share", "share it", "Thanks for reading", "Leave a comment", "Restack", "Link\n", "Like", "36",
        "Sign in", "Discussion", "forty years", "Privacy", "great culture", "somebody else", "another author",
        "Read more", "Oct 05", "Adeyemi", "Type your email",
    ],
)  # fmt: skip
def test_what_substack_puts_into_and_around_a_post_is_left_out(
    post: Post, boilerplate: str
) -> None:
    assert boilerplate not in post.text


def body_of(*blocks: str) -> str:
    """What comes of these blocks between paragraphs enough to make a post."""
    filler = [
        f"<p>Paragraph {n} of a post is a sentence that is long enough to be one.</p>"
        for n in range(6)
    ]
    html = "".join([*filler[:3], "<p>START</p>", *blocks, "<p>END</p>", *filler[3:]])
    text = post_of_api(json.dumps({"title": "T", "body_html": html}), POST).text
    return text.partition("START")[2].partition("END")[0].strip()


def test_footnotes_of_unusual_make_are_numbered_or_left_alone() -> None:
    anchor = "<p>Word<a class='footnote-anchor'><sup>2</sup></a> and word.</p>"
    without_text = "<div class='footnote'><a class='footnote-number'>2</a></div>"
    assert body_of(anchor, without_text).startswith("Word (2) and word.")


def test_scripts_and_tools_inside_a_body_are_not_text() -> None:
    script = "<div class='datawrapper-chart'><script>resize()</script><button>Zoom</button></div>"
    assert body_of("<p>Before.</p>", script, "<p>After.</p>") == "Before.\n\nAfter."


def test_an_embedded_content_inside_another_is_one() -> None:
    inner = '<div class="tweet"><a href="https://x.example/2">words of others</a></div>'
    post = {"title": "T", "body_html": f"<p>Text.</p><div class='comment'>{inner}</div><p>End.</p>"}
    found = post_of_api(json.dumps(post), POST)
    assert found.left_out == {"embedded contents": 1}
    assert "https://x.example/2" in found.text
    assert "words of others" not in found.text


def test_page_shell_and_api_give_the_same_text(post: Post) -> None:
    by_api = post_of_api(read("post.json"), POST)
    by_shell = parse_substack(read("shell.html"), "https://substack.com/home/post/p-181700001")
    assert by_api.text == by_shell.text == post.text
    assert by_api.link == by_shell.link == POST
    assert by_api.title == by_shell.title == post.title


@pytest.mark.parametrize("kind", ["challenge", "refused", "login", "script", "empty"])
def test_a_withheld_page_is_read_through_the_api(kind: FailureKind, post: Post) -> None:
    pages = Pages({POST: refused(POST, kind)}, {POST_API: read("post.json")})
    (document,), end = crawl(pages, POST)
    assert isinstance(document, Document)
    assert document.text == post.text
    assert document.metadata["via"] == "api"
    assert (document.source.link, document.source.final_url) == (POST, POST_API)
    assert end.source is not None
    assert (end.source.link, end.source.etag) == (POST, "")


@pytest.mark.parametrize("answer", [None, "<html>Just a moment...</html>", "[]", "{}"])
def test_an_api_that_does_not_help_does_not_hide_why_the_page_failed(answer: str | None) -> None:
    texts = {} if answer is None else {POST_API: answer}
    with pytest.raises(CrawlError) as raised:
        crawl(Pages({POST: refused(POST, "challenge")}, texts), POST)
    assert (raised.value.kind, raised.value.reason) == ("challenge", "why it was not read")


@pytest.mark.parametrize("kind", ["gone", "busy", "robots", "paywall"])
def test_other_failures_are_not_worked_around(kind: FailureKind) -> None:
    pages = Pages({POST: refused(POST, kind)}, {POST_API: read("post.json")})
    with pytest.raises(CrawlError, match="why it was not read"):
        crawl(pages, POST)
    assert pages.asked == []


def test_a_post_for_paying_subscribers_is_not_stored() -> None:
    by_page = Pages({WINTER: page_of(read("paid_post.html"), WINTER)})
    by_api = Pages(
        {WINTER: refused(WINTER, "challenge")},
        {f"{SITE}/api/v1/posts/winter-tides": read("paid_post.json")},
    )
    for pages in (by_page, by_api):
        with pytest.raises(CrawlError, match="the post is for paying subscribers") as raised:
            crawl(pages, WINTER)
        assert raised.value.kind == "paywall"


@pytest.mark.parametrize(
    ("mark", "without"),
    [
        ('\\"audience\\": \\"only_paid\\"', '\\"audience\\": \\"everyone\\"'),
        ('class="paywall"', 'class="x"'),
        ('"isAccessibleForFree": false', '"isAccessibleForFree": true'),
    ],
)
def test_one_mark_is_enough_to_know_a_paid_post(mark: str, without: str) -> None:
    html = read("paid_post.html")
    marks = {
        '\\"audience\\": \\"only_paid\\"': '\\"audience\\": \\"everyone\\"',
        'class="paywall"': 'class="x"',
        '"isAccessibleForFree": false': '"isAccessibleForFree": true',
    }
    for other, harmless in marks.items():
        assert other in html
        html = html if other == mark else html.replace(other, harmless)
    assert parse_substack(html, WINTER).preview
    assert not parse_substack(html.replace(mark, without), WINTER).preview


def test_a_page_that_has_not_changed_gives_nothing() -> None:
    known = Source(link=POST, fetched_at=NOW, etag='W/"s1"')
    found, end = crawl(Pages({POST: page_of("irrelevant", POST)}), POST, known)
    assert (found, end) == ([], CrawlEnd(source=known, unchanged=True))


@pytest.mark.parametrize(
    "link",
    [
        POST + "/comments",
        f"{SITE}/p/the-timetable/comment/160012345",
        "https://open.substack.com/pub/slowferry/p/the-timetable?r=1a",
        "https://substack.com/home/post/p-181700001",
        "https://substack.com/@ruthadeyemi/p-181700001",
    ],
)
def test_every_link_to_a_post_gives_the_same_document(link: str) -> None:
    assert one_document(Pages({link: page_of(read("free_post.html"), POST)}), link).link == POST


def test_a_post_known_by_its_number_is_found_through_the_api_too() -> None:
    link = "https://substack.com/home/post/p-181700001"
    api = "https://substack.com/api/v1/posts/by-id/181700001"
    answer = json.dumps({"post": json.loads(read("post.json")), "publication": {}})
    pages = Pages({link: refused(link, "script")}, {api: answer})
    assert one_document(pages, link).link == POST


def test_a_note_is_a_post_of_its_own_words() -> None:
    link = NOTE + "?utm_source=x"
    (document,), end = crawl(Pages({link: page_of(read("note.html"), link)}), link)
    assert isinstance(document, Document)
    assert (document.category, document.link, document.title) == ("posts", NOTE, "")
    assert document.text == (
        "Fog again.\n\nThe bell is louder than the horn, and nobody has measured why."
        "\n\n- Bell: 92 dB\n\n- Horn: ?"
    )
    assert document.metadata == {
        "substack_id": "c-160012345",
        "published_at": "2025-11-02T07:10:00+00:00",
        "author_name": "Ruth Adeyemi",
    }
    assert end.left_out == {"attachments": 1}


def test_a_note_that_is_too_short_for_a_page_is_read_through_the_api() -> None:
    answer = {"item": {"comment": {"id": 1, "body": "Fog again.", "name": "Ruth Adeyemi"}}}
    pages = Pages({NOTE: refused(NOTE, "empty")}, {NOTE_API: json.dumps(answer)})
    document = one_document(pages, NOTE)
    assert (document.category, document.text) == ("posts", "Fog again.")
    assert document.metadata["substack_id"] == "c-160012345"


def recording(**changes: object) -> str:
    notes = "<p>In this episode we talk about bells, about fog, and about those who ring.</p>" + (
        "<p>Chapter one: the bell. Chapter two: the horn. Chapter three: silence, and what it means.</p>"
        "<p>The music is by the harbour band, who have played it since the pier was built of wood.</p>"
    )
    facts = {"type": "podcast", "podcast_url": "https://a.example/1.mp3", "body_html": notes}
    return json.dumps({**json.loads(read("post.json")), **facts, **changes})


def test_the_notes_of_a_recording_are_kept_and_the_recording_is_counted() -> None:
    pages = Pages({POST: refused(POST, "empty")}, {POST_API: recording()})
    (document,), end = crawl(pages, POST)
    assert isinstance(document, Document)
    assert document.text.startswith("In this episode we talk about bells")
    assert end.left_out == {"recordings": 1}


def test_a_recording_without_notes_has_no_text() -> None:
    with pytest.raises(CrawlError, match="a recording without text") as raised:
        post_of_api(recording(body_html=None), POST)
    assert raised.value.kind == "empty"


@pytest.mark.parametrize("path", ["", "/", "/archive", "/archive?sort=new"])
def test_a_publication_gives_the_links_of_all_its_free_posts(path: str) -> None:
    older = json.dumps([{"slug": f"older-{n}", "audience": "everyone"} for n in range(2)])
    pages = Pages(
        texts={
            archive_part(0): read("archive.json"),
            archive_part(3): older,
            archive_part(5): "[]",
        }
    )
    found, end = crawl(pages, SITE + path)
    slugs = ["the-timetable", "bells-in-fog", "older-0", "older-1"]
    assert found == [FoundLink(link=f"{SITE}/p/{slug}") for slug in slugs]
    assert end.left_out == {"posts for paying subscribers": 1}
    assert end.source is not None
    assert end.source.origin == end.source.link


@pytest.mark.parametrize("name", ["sitemap.xml", "feed"])
@pytest.mark.parametrize("archive", [None, "<html></html>", '{"error": "no"}'])
def test_without_an_archive_the_sitemap_or_the_feed_is_read(name: str, archive: str | None) -> None:
    texts = {f"{SITE}/{name}": read(name if name.endswith("xml") else "feed.xml")}
    if archive:
        texts[archive_part(0)] = archive
    found, _ = crawl(Pages(texts=texts), SITE)
    assert found == [FoundLink(link=f"{SITE}/p/{s}") for s in ("the-timetable", "bells-in-fog")]


def test_a_sitemap_without_posts_leaves_the_feed() -> None:
    nothing = f"<urlset><url><loc>{SITE}/about</loc></url></urlset>"
    found, _ = crawl(
        Pages(texts={f"{SITE}/sitemap.xml": nothing, f"{SITE}/feed": read("feed.xml")}), SITE
    )
    assert len(found) == 2


def test_an_archive_that_never_ends_is_left_after_ten_thousand_entries() -> None:
    part = json.dumps([{"slug": f"p{n}"} for n in range(2_500)])
    pages = Pages(texts={archive_part(2_500 * n): part for n in range(9)})
    found, _ = crawl(pages, SITE)
    assert (len(found), len(pages.asked)) == (2_500, 4)


def test_without_any_list_the_archives_error_is_told() -> None:
    with pytest.raises(CrawlError) as raised:
        crawl(Pages(), SITE)
    assert (raised.value.link, raised.value.kind) == (archive_part(0), "gone")


def test_a_publication_without_posts_is_said_to_be_empty() -> None:
    with pytest.raises(CrawlError, match="lists no posts") as raised:
        crawl(Pages(texts={archive_part(0): "[]"}), SITE)
    assert raised.value.kind == "empty"


@pytest.mark.parametrize("name", ["feed", "sitemap.xml"])
def test_a_feed_or_sitemap_gives_its_posts_without_tracking(name: str) -> None:
    text = read(name if name.endswith("xml") else "feed.xml")
    found, end = crawl(Pages(texts={f"{SITE}/{name}": text}), f"{SITE}/{name}")
    assert found == [FoundLink(link=f"{SITE}/p/{s}") for s in ("the-timetable", "bells-in-fog")]
    assert end.source is not None
    assert end.source.link == f"{SITE}/{name}"


def test_a_feed_without_posts_is_said_to_be_empty() -> None:
    with pytest.raises(CrawlError, match="it lists no posts"):
        crawl(Pages(texts={f"{SITE}/feed": "<rss version='2.0'/>"}), f"{SITE}/feed")


@pytest.mark.parametrize(
    "link",
    [
        "https://substack.com/",
        "https://substack.com/@ruthadeyemi",
        "https://substack.com/browse/staff-picks",
        f"{SITE}/about",
        f"{SITE}/subscribe?next=x",
        f"{SITE}/account/login",
    ],
)
def test_other_pages_are_refused_with_a_reason(link: str) -> None:
    with pytest.raises(CrawlError, match="neither a post") as raised:
        crawl(Pages(), link)
    assert raised.value.kind == "malformed"


OWN = "https://letters.slowferry.example"


def from_page(pages: Pages, page: Page, link: str) -> list[Document | FoundLink]:
    return drained(SubstackCrawler(pages, InlineSandbox()).from_page(page, link, AUTHOR))[0]


def test_a_publication_under_its_own_domain_is_recognised_and_read() -> None:
    html = read("free_post.html").replace(SITE, OWN)
    assert looks_like_substack(html)
    link = f"{OWN}/p/the-timetable"
    (document,) = from_page(Pages(), page_of(html, link), link)
    assert isinstance(document, Document)
    assert (document.link, document.platform) == (link, "substack")


def test_the_front_of_a_publication_under_its_own_domain_gives_its_posts() -> None:
    pages = Pages(texts={f"{OWN}/sitemap.xml": read("sitemap.xml").replace(SITE, OWN)})
    found = from_page(pages, page_of("", OWN + "/"), OWN + "/")
    assert found == [FoundLink(link=f"{OWN}/p/{s}") for s in ("the-timetable", "bells-in-fog")]


@pytest.mark.parametrize(
    ("url", "named", "expected"),
    [
        (f"{OWN}/p/the-timetable?a=b", POST, f"{OWN}/p/the-timetable"),
        (POST, f"{OWN}/p/the-timetable", f"{OWN}/p/the-timetable"),
        (POST, "https://[broken/p/x", POST),
        (POST, f"{OWN}/about", POST),
    ],
)
def test_a_page_names_its_own_address_and_no_other_document(
    url: str, named: str, expected: str
) -> None:
    html = read("free_post.html").replace(POST, named)
    assert parse_substack(html, url).link == expected


def test_damaged_metadata_takes_nothing_from_the_text(post: Post) -> None:
    html = read("free_post.html")
    html = html.replace('JSON.parse("{', 'JSON.parse("{{').replace('{"@context"', '{{"@context"')
    damaged = parse_substack(html.replace('data-attrs="{', 'data-attrs="[{'), POST)
    assert damaged.title == post.title
    assert damaged.author == "Ruth Adeyemi"
    assert damaged.link == POST
    assert "That is all there is to it, and it was enough for one winter." in damaged.text


@pytest.mark.parametrize("html", ["", "<html></html>", "<article class='post'></article>"])
@pytest.mark.parametrize("url", [POST, NOTE])
def test_a_page_without_a_post_is_refused(html: str, url: str) -> None:
    with pytest.raises(CrawlError, match="no post on the page") as raised:
        parse_substack(html, url)
    assert raised.value.kind == "empty"


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        (read("free_post.html"), True),
        (read("note.html"), True),
        ("<iframe src='https://slowferry.substack.com/embed'></iframe>", False),
        ("<img src='https://substackcdn.com/image/1.png'>", False),
        ("<p>&lt;link href='https://substackcdn.com/bundle/'></p>", False),
    ],
)
def test_substack_is_recognised_by_what_its_pages_load(html: str, expected: bool) -> None:
    assert looks_like_substack(html) is expected


def test_a_crawler_has_a_revision() -> None:
    assert SubstackCrawler(Pages(), InlineSandbox()).revision == "substack-1"
