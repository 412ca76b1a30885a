"""Medium: the story and nothing of what surrounds it, by its page or, where that is withheld, by its feed."""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from rag_llm_system.application.crawlers.medium import (
    MediumCrawler,
    looks_like_medium,
    parse_medium,
)
from rag_llm_system.application.crawlers.posts import Post
from rag_llm_system.domain.crawling import CrawlEnd, FailureKind, FoundLink
from rag_llm_system.domain.documents import Author, Document, Page, Source
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.infrastructure.sandboxes.inline import InlineSandbox
from tests.unit.application.crawlers.platform_pages import Pages, drained, html_page

DATA = Path(__file__).parents[3] / "data" / "medium"
AUTHOR = Author.named("Mira Okafor")
NOW = datetime(2025, 11, 21, tzinfo=UTC)

STORY = "https://medium.com/@mira.okafor/queues-that-tell-the-truth-4f1c9a7be203"
LEDGER = "https://medium.com/@mira.okafor/the-ledger-nobody-reads-9c0d1e2f3a4b"
CLOCKS = "https://werkstatt.laternenwerk.example/drei-uhren-und-ein-protokoll-b7d2e10c5a94"
FEED = "https://medium.com/feed/@mira.okafor"

CODE = """```
class Belt:
    def put(self, item):
        # waits while it is full

        while len(self._items) >= self.limit & 0xFF:
TAB    self._space.wait()
        self._items.append(item)
```""".replace("TAB", "\t")


LONG = "Words enough to be the paragraph of a story, whoever reads it and for whatever reason."
OTHER = "A second paragraph that says something else, so that nobody takes it for the first one."


def read(name: str) -> str:
    return (DATA / name).read_text("utf-8")


page_of = partial(
    html_page, etag='"m1"', last_modified="Tue, 04 Nov 2025 09:12:44 GMT", fetched_at=NOW
)


def crawl(
    pages: Pages, link: str, known: Source | None = None
) -> tuple[list[Document | FoundLink], CrawlEnd]:
    return drained(MediumCrawler(pages, InlineSandbox()).crawl(link, AUTHOR, known))


def one_document(pages: Pages, link: str) -> Document:
    (document,) = crawl(pages, link)[0]
    assert isinstance(document, Document)
    return document


def refused(link: str, kind: FailureKind, page: Page | None = None) -> CrawlError:
    return CrawlError(link, "why it was not read", kind=kind, page=page)


@pytest.fixture(scope="module")
def story() -> Post:
    return parse_medium(read("story.html"), STORY)


def test_a_story_becomes_one_document_that_knows_where_it_came_from() -> None:
    link = "http://Medium.com/@mira.okafor/queues-that-tell-the-truth-4f1c9a7be203?source=rss#a1"
    pages = Pages({link: page_of(read("story.html"), STORY + "?source=rss")})
    (document,), end = crawl(pages, link)
    assert isinstance(document, Document)
    assert (document.category, document.platform) == ("articles", "medium")
    assert (document.author_id, document.author_full_name) == (AUTHOR.id, "Mira Okafor")
    origin = STORY.replace("https:", "http:") + "?source=rss"
    assert document.source == Source(
        link=STORY,
        origin=origin,
        final_url=STORY + "?source=rss",
        fetched_at=NOW,
        http_status=200,
        etag='"m1"',
        last_modified="Tue, 04 Nov 2025 09:12:44 GMT",
    )
    assert document.metadata == {
        "medium_id": "4f1c9a7be203",
        "published_at": "2025-11-04T09:12:44+00:00",
        "language": "en",
        "author_name": "Mira Okafor",
    }
    assert end.source == document.source.model_copy(update={"link": origin})
    assert end.left_out == {"embedded contents": 1}


def test_title_and_subtitle_stand_apart_from_the_text(story: Post) -> None:
    assert story.title == "Queues that tell the truth"
    assert story.subtitle == "Why a bounded buffer is kinder than an endless one"
    assert story.title not in story.text
    assert story.subtitle not in story.text


def test_the_whole_story_is_there_in_its_order(story: Post) -> None:
    passages = [
        "A belt that cannot stop only moves the pile elsewhere. Drawing by the author.",
        "A queue without a limit hides the slow reader",
        "It was called `inbox_events`, it held everything",
        "## What a limit says",
        "- The writer waits, which is called back pressure.\n- The oldest entry is dropped",
        CODE,
        "### Measuring it",
        "Count what you drop before you drop it.",
        "https://mira-okafor.medium.com/media/77aa01bc",
        "1. Set the limit to one second of work.\n2. Watch how often it is reached.",
        "Limits, a short history (https://belts.example/limits)",
        "Since then the chart is no longer quiet, and nobody is woken by it.",
    ]
    positions = [story.text.find(passage) for passage in passages]
    assert -1 not in positions
    assert positions == sorted(positions)
    assert story.text.startswith(passages[0])
    assert story.text.endswith(passages[-1])


@pytest.mark.parametrize(
    "boilerplate",
    [
        "Listen", "Share", "Follow", "min read", "Sign", "312", "Nov 4", "Press enter", "inbox\n", "Join Medium",
        "Subscribe", "Remember me", "warehouses learned", "thanks for this", "Written by", "More from", "Recommended",
        "Clocks", "Ten habits", "Help", "APOLLO", "Builds slow", "Queues", "Mira",
    ],
)  # fmt: skip
def test_what_medium_puts_around_a_story_is_left_out(story: Post, boilerplate: str) -> None:
    assert boilerplate not in story.text


def test_the_feed_gives_the_same_story_as_the_page(story: Post) -> None:
    pages = Pages({STORY: refused(STORY, "challenge")}, {FEED: read("feed.xml")})
    document = one_document(pages, STORY)
    blocks = {
        block
        for block in story.text.split("\n\n")
        if not block.startswith(("https://mira", "Limits"))
    }
    assert blocks <= set(document.text.split("\n\n"))
    assert "https://medium.com/media/77aa01bc/href" in document.text
    assert "originally published" not in document.text
    assert (document.title, document.subtitle) == (story.title, story.subtitle)
    assert (document.link, document.source.origin) == (STORY, STORY)
    assert (document.source.final_url, document.source.etag) == (FEED, "")
    assert document.metadata == {
        "medium_id": "4f1c9a7be203",
        "published_at": "2025-11-04T09:12:44+00:00",
        "author_name": "Mira Okafor",
        "via": "feed",
    }


@pytest.mark.parametrize("kind", ["challenge", "refused", "login", "paywall", "script"])
def test_a_withheld_page_that_no_feed_lists_says_what_to_do(kind: FailureKind) -> None:
    link = "https://medium.com/@mira.okafor/older-than-ten-stories-121212121212"
    pages = Pages({link: refused(link, kind)}, {FEED: read("feed.xml")})
    with pytest.raises(CrawlError, match="why it was not read; ") as raised:
        crawl(pages, link)
    assert raised.value.kind == kind
    assert "export your stories at medium.com/me/export and crawl file:<export>.zip" in str(
        raised.value
    )
    assert ("browsers it trusts" in str(raised.value)) == (kind != "paywall")


@pytest.mark.parametrize("kind", ["gone", "busy", "robots", "unreachable"])
def test_other_failures_are_not_worked_around(kind: FailureKind) -> None:
    pages = Pages({STORY: refused(STORY, kind)}, {FEED: read("feed.xml")})
    with pytest.raises(CrawlError) as raised:
        crawl(pages, STORY)
    assert raised.value.reason == "why it was not read"
    assert pages.asked == []


def test_a_page_without_an_article_stays_one_when_no_feed_has_it() -> None:
    with pytest.raises(CrawlError) as raised:
        crawl(Pages({STORY: refused(STORY, "empty")}), STORY)
    assert raised.value.reason == "why it was not read"


def test_a_story_too_short_for_an_article_is_taken_from_the_feed() -> None:
    pages = Pages({STORY: refused(STORY, "empty")}, {FEED: read("feed.xml")})
    assert one_document(pages, STORY).metadata["via"] == "feed"


def test_a_notice_in_place_of_a_story_is_not_stored() -> None:
    notice = "<p>This story is under investigation, as it may break the rules of the house.</p>" * 3
    html = f'<html><head><meta content="com.medium.reader"></head><body>{notice}</body></html>'
    with pytest.raises(CrawlError, match="no story found on the page"):
        crawl(Pages({STORY: page_of(html, STORY)}), STORY)


def test_a_feed_that_is_a_challenge_itself_does_not_hide_why_the_page_failed() -> None:
    pages = Pages({STORY: refused(STORY, "challenge")}, {FEED: read("challenge.html")})
    with pytest.raises(CrawlError, match="why it was not read; Medium shows the page only"):
        crawl(pages, STORY)


def test_a_short_link_that_met_a_challenge_is_found_by_where_it_led() -> None:
    link = "https://link.medium.com/AbCdEf"
    challenge = page_of(read("challenge.html"), STORY + "?source=app")
    pages = Pages({link: refused(link, "challenge", challenge)}, {FEED: read("feed.xml")})
    assert one_document(pages, link).link == STORY


def test_a_challenge_at_the_login_leaves_no_feed_to_ask() -> None:
    link = "https://medium.com/p/4f1c9a7be203"
    login = page_of(read("challenge.html"), "https://medium.com/m/signin")
    pages = Pages({link: refused(link, "login", login)}, {FEED: read("feed.xml")})
    with pytest.raises(CrawlError, match="browsers it trusts"):
        crawl(pages, link)
    assert pages.asked == []


def test_a_response_is_not_taken_for_the_story_it_answers() -> None:
    feed = read("feed.xml")
    start = feed.index("<item>")
    feed = feed[:start] + feed[feed.index("<item>", start + 1) :]  # the response is left
    assert "queues-that-tell-the-truth" in feed
    pages = Pages({STORY: refused(STORY, "challenge")}, {FEED: feed})
    with pytest.raises(CrawlError, match="browsers it trusts"):
        crawl(pages, STORY)


def test_the_beginning_of_a_story_for_members_is_not_stored() -> None:
    pages = Pages({LEDGER: page_of(read("member_only.html"), LEDGER)}, {FEED: read("feed.xml")})
    with pytest.raises(CrawlError, match="the story is for Medium's members; export") as raised:
        crawl(pages, LEDGER)
    assert raised.value.kind == "paywall"
    assert pages.asked == [FEED]


def feed_with(content: str) -> str:
    head, _, rest = read("feed.xml").partition("<![CDATA[<div class=")
    return f"{head}x{rest.partition(']]>')[2]}".replace(
        "x</description>",
        f'</description><content:encoded xmlns:content="http://purl.org/rss/1.0/modules/content/">'
        f"<![CDATA[{content}]]></content:encoded>",
    )


def test_a_story_for_members_is_taken_from_the_feed_when_that_has_all_of_it() -> None:
    content = "".join(f"<p>Chapter {n} of the ledger, and how to read it.</p>" for n in range(20))
    pages = Pages({LEDGER: page_of(read("member_only.html"), LEDGER)}, {FEED: feed_with(content)})
    document = one_document(pages, LEDGER)
    assert document.metadata["via"] == "feed"
    assert document.text.endswith("Chapter 19 of the ledger, and how to read it.")


def test_a_feed_that_has_no_more_than_the_page_shows_does_not_help() -> None:
    content = "".join(f"<p>Chapter {n} of the ledger, and how to read it.</p>" for n in range(4))
    pages = Pages({LEDGER: page_of(read("member_only.html"), LEDGER)}, {FEED: feed_with(content)})
    with pytest.raises(CrawlError, match="for Medium's members"):
        crawl(pages, LEDGER)


@pytest.mark.parametrize("content", ["<!-- nothing -->", "<figure><img src='a.png'></figure>"])
def test_a_feed_that_has_no_text_of_the_story_does_not_help(content: str) -> None:
    pages = Pages({LEDGER: refused(LEDGER, "challenge")}, {FEED: feed_with(content)})
    with pytest.raises(CrawlError, match="browsers it trusts"):
        crawl(pages, LEDGER)


def test_what_a_feed_adds_to_a_story_is_left_out() -> None:
    footer = (
        "<p>The ledger was originally published in Slow on Medium, where people are talking.</p>"
    )
    content = f"<p>{LONG}</p><p>{OTHER}</p>"
    pages = Pages({LEDGER: refused(LEDGER, "challenge")}, {FEED: feed_with(content + footer)})
    assert one_document(pages, LEDGER).text == f"{LONG}\n\n{OTHER}"


def test_a_story_for_members_that_is_shown_whole_is_a_story() -> None:
    html = read("story.html").replace('"isAccessibleForFree":true', '"isAccessibleForFree":false')
    assert not parse_medium(html, STORY).preview


def test_a_story_for_members_much_shorter_than_its_reading_time_is_a_preview() -> None:
    html = read("member_only.html")
    html = html[: html.index('<div class="regwall">')] + "</main></div></body></html>"
    assert parse_medium(html, LEDGER).preview


def test_a_story_may_speak_of_walls_itself() -> None:
    said = "Create an account to read the full story. Available to Medium members only."
    html = read("story.html").replace("We ran such a queue", f"{said} We ran such a queue")
    post = parse_medium(html, STORY)
    assert not post.preview
    assert said in post.text


def test_a_page_that_has_not_changed_gives_nothing() -> None:
    known = Source(link=STORY, fetched_at=NOW, etag='"m1"')
    found, end = crawl(Pages({STORY: page_of("irrelevant", STORY)}), STORY, known)
    assert (found, end) == ([], CrawlEnd(source=known, unchanged=True))


STORIES = [
    "queues-that-tell-the-truth-4f1c9a7be203", "the-ledger-nobody-reads-9c0d1e2f3a4b",
    "clocks-do-not-agree-1111aaaa2222", "a-log-is-a-letter-5555cccc6666",
    "names-for-things-that-move-7777dddd8888", "cafe-naivete-and-other-encodings-9999eeee0000",
    "retry-but-not-now-abab12123434", "the-smallest-useful-alarm-cdcd56567878",
    "what-a-timeout-promises-efef90901212",
]  # fmt: skip


@pytest.mark.parametrize(
    ("link", "feed"),
    [
        ("https://medium.com/@mira.okafor", FEED),
        ("https://www.medium.com/@mira.okafor/?source=x", FEED),
        ("https://medium.com/@mira.okafor/about", FEED),
        ("https://medium.com/@mira.okafor/followers", FEED),
        (FEED + "?x=1", FEED),
        ("https://medium.com/slow-machines", "https://medium.com/feed/slow-machines"),
        ("https://medium.com/slow-machines/archive", "https://medium.com/feed/slow-machines"),
        (
            "https://medium.com/slow-machines/tagged/queues",
            "https://medium.com/feed/slow-machines/tagged/queues",
        ),
        ("https://medium.com/tag/queues/latest", "https://medium.com/feed/tag/queues"),
        ("https://medium.com/topic/software", "https://medium.com/feed/topic/software"),
        ("https://Mira-Okafor.medium.com", "https://mira-okafor.medium.com/feed"),
        ("https://mira-okafor.medium.com/about", "https://mira-okafor.medium.com/feed"),
        ("https://mira-okafor.medium.com/feed", "https://mira-okafor.medium.com/feed"),
    ],
)
def test_people_publications_and_tags_give_the_stories_of_their_feed(link: str, feed: str) -> None:
    found, end = crawl(Pages(texts={feed: read("feed.xml")}), link)
    assert found == [FoundLink(link=f"https://medium.com/@mira.okafor/{path}") for path in STORIES]
    assert end.left_out == {"responses": 1}
    assert end.source is not None
    assert (end.source.final_url, end.source.origin) == (feed, end.source.link)


def test_a_feed_without_stories_is_said_to_be_empty() -> None:
    empty = '<rss version="2.0"><channel><title>x</title></channel></rss>'
    with pytest.raises(CrawlError, match="its feed lists no stories") as raised:
        crawl(Pages(texts={FEED: empty}), "https://medium.com/@mira.okafor")
    assert raised.value.kind == "empty"


@pytest.mark.parametrize(
    "link",
    [
        "https://medium.com/",
        "https://medium.com/me/stories/drafts",
        "https://medium.com/m/signin?operation=login",
        "https://medium.com/new-story",
        "https://medium.com/plans?source=upgrade",
        "https://medium.com/search?q=queues",
        "https://mira-okafor.medium.com/membership",
        "https://help.medium.com/hc/en-us/articles/1",
        "https://medium.com/@mira.okafor/list/reading-list-123456789abc",
    ],
)
def test_pages_of_mediums_own_are_refused_with_a_reason(link: str) -> None:
    with pytest.raises(CrawlError, match="name ") as raised:
        crawl(Pages(), link)
    assert raised.value.kind == "malformed"


@pytest.mark.parametrize(
    "link",
    [
        "https://medium.com/p/4f1c9a7be203",
        "https://medium.com/slow-machines/queues-that-tell-the-truth-4f1c9a7be203",
        "https://medium.com/queues-that-tell-the-truth-4f1c9a7be203",
        "https://medium.com/@mira.okafor/4f1c9a7be203",
        "https://mira-okafor.medium.com/queues-that-tell-the-truth-4f1c9a7be203",
        "https://mira-okafor.medium.com/p/4f1c9a7be203",
        "https://link.medium.com/AbCdEf",
    ],
)
def test_every_link_to_a_story_gives_the_same_document(link: str) -> None:
    pages = Pages({link: page_of(read("story.html"), STORY)})
    assert one_document(pages, link).link == STORY


def test_a_short_link_to_a_profile_gives_its_stories() -> None:
    link = "https://link.medium.com/AbCdEf"
    profile = page_of(read("publication.html"), "https://medium.com/@mira.okafor")
    found, end = crawl(Pages({link: profile}, {FEED: read("feed.xml")}), link)
    assert len(found) == len(STORIES)
    assert end.source is not None
    assert end.source.link == link


def from_page(pages: Pages, page: Page, link: str) -> list[Document | FoundLink]:
    return drained(MediumCrawler(pages, InlineSandbox()).from_page(page, link, AUTHOR))[0]


def test_a_story_of_a_publication_under_its_own_domain_is_recognised_and_read() -> None:
    html = read("custom_domain.html")
    assert looks_like_medium(html)
    (document,) = from_page(Pages(), page_of(html, CLOCKS + "?gi=1"), CLOCKS)
    assert isinstance(document, Document)
    assert document.link == CLOCKS
    assert document.title == "Drei Uhren und ein Protokoll — „Zeit“ in verteilten Systemen"
    assert document.subtitle == ""
    assert document.text.startswith("Drei Rechner schreiben in dasselbe Protokoll")
    assert document.text.endswith("welche Uhr recht hat.")
    assert document.metadata["language"] == "de"


def test_the_front_of_a_publication_under_its_own_domain_gives_its_feed() -> None:
    front = "https://werkstatt.laternenwerk.example/"
    pages = Pages(texts={front + "feed": read("feed.xml")})
    page = page_of(read("publication.html"), front)
    assert len(from_page(pages, page, front)) == len(STORIES)


def test_a_preview_under_an_own_domain_is_looked_up_in_the_authors_feed_first() -> None:
    link = "https://slow.example/the-ledger-nobody-reads-9c0d1e2f3a4b"
    pages = Pages()
    with pytest.raises(CrawlError, match="for Medium's members"):
        from_page(pages, page_of(read("member_only.html"), link), link)
    assert pages.asked == [FEED, "https://slow.example/feed"]


@pytest.mark.parametrize("profile", ["https://me.example/", "https://medium.com/me", "x:", ""])
def test_an_author_without_a_profile_has_no_feed_to_ask(profile: str) -> None:
    link = "https://slow.example/the-ledger-nobody-reads-9c0d1e2f3a4b"
    html = read("member_only.html").replace("https://medium.com/@mira.okafor", profile)
    pages = Pages()
    with pytest.raises(CrawlError, match="for Medium's members"):
        from_page(pages, page_of(html, link), link)
    assert pages.asked == ["https://slow.example/feed"]


@pytest.mark.parametrize(
    ("canonical", "expected"),
    [
        ("https://medium.com/slow-machines/queues-4f1c9a7be203", CLOCKS),
        ("https://werkstatt.laternenwerk.example/neu-b7d2e10c5a94?a=b", None),
        ("/neu-b7d2e10c5a94", None),
        ("https://blog.example/imported", CLOCKS),
        ("http://[broken", CLOCKS),
    ],
)
def test_a_page_names_its_own_address_and_no_other_document(
    canonical: str, expected: str | None
) -> None:
    html = read("custom_domain.html").replace(
        f'rel="canonical" href="{CLOCKS}"', f'rel="canonical" href="{canonical}"'
    )
    found = parse_medium(html, CLOCKS).link
    assert found == (expected or "https://werkstatt.laternenwerk.example/neu-b7d2e10c5a94")


def test_a_story_that_medium_serves_may_live_under_its_publications_domain() -> None:
    link = "https://medium.com/p/b7d2e10c5a94"
    assert parse_medium(read("custom_domain.html"), link).link == CLOCKS


def paragraphs(*texts: str) -> str:
    return "".join(
        f'<p id="aa0{number}" class="pw-post-body-paragraph">{text}</p>'
        for number, text in enumerate(texts)
    )


def story_with(body: str, head: str = "", title: str = "<h1>A title</h1>") -> str:
    return (
        f'<html><head><meta property="al:android:url" content="medium://p/abcdef123456"/>{head}'
        f"</head><body><article>{title}<section>{body}</section></article></body></html>"
    )


def test_a_subtitle_that_is_repeated_as_first_paragraph_is_given_once() -> None:
    title = '<h1 class="pw-post-title">T</h1><h2 class="pw-subtitle-paragraph">As the first.</h2>'
    post = parse_medium(story_with(paragraphs("As the first.", LONG, OTHER), title=title), STORY)
    assert (post.subtitle, post.text) == ("As the first.", f"{LONG}\n\n{OTHER}")


def test_a_description_is_not_a_subtitle() -> None:
    head = f'<meta name="description" content="{LONG}">'
    post = parse_medium(story_with(paragraphs(LONG, "And more."), head), STORY)
    assert (post.subtitle, post.text) == ("", f"{LONG}\n\nAnd more.")


def test_a_title_is_read_without_the_byline_that_medium_adds() -> None:
    head = '<meta property="og:title" content="Pipes | and | bars | by Ann Lee | Slow | Medium">'
    post = parse_medium(story_with(paragraphs(LONG, OTHER), head), STORY)
    assert post.title == "Pipes | and | bars"


def test_dates_without_a_zone_are_utc_and_wrong_ones_are_left_out() -> None:
    data = '{"@type": ["Article"], "datePublished": "%s", "author": [{"name": " Ann\\n Lee "}]}'
    for written, expected in [
        ("2025-01-02T03:04:05", "2025-01-02T03:04:05+00:00"),
        ("2025-01-02", "2025-01-02"),
        ("last week", ""),
    ]:
        head = f'<script type="application/ld+json">[{data % written}]</script>'
        post = parse_medium(story_with(paragraphs(LONG, OTHER), head), STORY)
        assert (post.published, post.author) == (expected, "Ann Lee")


def test_metadata_is_found_among_other_and_broken_metadata() -> None:
    broken = '<script type="application/ld+json">{"@type": "Article", </script>'
    graph = '{"@graph": [{"@type": "Organization"}, {"@type": "Article", "author": "Ann Lee"}, 1]}'
    head = f'<link rel="icon" href="/i.png">{broken}<script type="application/ld+json">{graph}</script>'
    assert parse_medium(story_with(paragraphs(LONG, OTHER), head), STORY).author == "Ann Lee"


def test_a_picture_and_a_frame_in_one_figure_leave_caption_and_address() -> None:
    frame = '<iframe src="https://maps.example/1"></iframe>'
    figure = f'<figure>{frame}<img src="a.png"><figcaption>The pier.</figcaption></figure>'
    post = parse_medium(story_with(paragraphs(LONG) + figure + paragraphs(OTHER)), STORY)
    assert post.text == f"{LONG}\n\nThe pier.\n\nhttps://maps.example/1\n\n{OTHER}"


def test_a_page_made_in_a_way_we_do_not_know_is_read_as_any_article() -> None:
    body = f"<p class='zz'>{LONG}</p>" * 4
    assert LONG in parse_medium(story_with(body), STORY).text


def test_blocks_are_known_by_their_ids_where_classes_are_missing() -> None:
    body = f"<h2 id='00aa'>Part</h2><p id='00ab'>{LONG}</p><p>Not of the story.</p>"
    post = parse_medium(story_with(body + f"<p id='00ac'>{OTHER}</p>"), STORY)
    assert post.text == f"## Part\n\n{LONG}\n\n{OTHER}"


def test_videos_that_a_page_leaves_empty_are_counted() -> None:
    body = paragraphs(LONG) + "<figure><div></div></figure>" + paragraphs(LONG)
    assert parse_medium(story_with(body), STORY).left_out == {"embedded contents": 1}


@pytest.mark.parametrize("html", ["", "<html></html>", read("challenge.html")])
def test_a_page_without_a_story_is_refused(html: str) -> None:
    with pytest.raises(CrawlError) as raised:
        parse_medium(html, STORY)
    assert raised.value.kind == "empty"


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        (read("story.html"), True),
        (read("publication.html"), True),
        (read("challenge.html"), False),
        ("<meta property=og:site_name content=Medium>", False),
        ("<p>&lt;meta content=\"medium://p/4f1c9a7be203\"></p>", False),
        ("<p>an app called com.medium.reader, with medium://p/1234567890ab</p>", False),
    ],
)  # fmt: skip
def test_medium_is_recognised_by_its_marks_and_not_by_its_name(html: str, expected: bool) -> None:
    assert looks_like_medium(html) is expected


def test_a_crawler_has_a_revision() -> None:
    assert MediumCrawler(Pages(), InlineSandbox()).revision == "medium-1"
