"""Public pages of LinkedIn: only on request, only posts and articles, only their author's own words."""

from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rag_llm_system.application.crawlers.linkedin import LinkedInCrawler
from rag_llm_system.application.crawlers.linkedin_links import linkedin_link, published_at
from rag_llm_system.application.crawlers.linkedin_page import parse_linkedin
from rag_llm_system.domain.crawling import CrawlEnd, Extracted
from rag_llm_system.domain.documents import Author, Document, Page, Source
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.infrastructure.sandboxes.inline import InlineSandbox

DATA = Path(__file__).parents[3] / "data" / "linkedin"
AUTHOR = Author.named("Mara Lindqvist")
SITE = "https://www.linkedin.com"
POST = f"{SITE}/posts/mara-lindqvist_restore-activity-7193180189491212345-Qx1z"
UPDATE = f"{SITE}/feed/update/urn:li:activity:"
PULSE = f"{SITE}/pulse/quiet-cost-re-embedding-mara-lindqvist-a1b2c"


def html(name: str) -> str:
    return (DATA / f"{name}.html").read_text("utf-8")


def page(name: str, url: str, status: int = 200) -> Page:
    return Page(
        url=url,
        final_url=url,
        status=status,
        content=html(name).encode(),
        content_type="text/html",
        etag='"p1"',
        fetched_at=datetime.now(UTC),
    )


@dataclass
class Pages:
    """Stands for PageReader."""

    pages: dict[str, Page | CrawlError]
    asked: list[str] = field(default_factory=list)

    def read(self, link: str, known: Source | None) -> Page | None:
        self.asked.append(link)
        found = self.pages[link]
        if isinstance(found, CrawlError):
            raise found
        return None if known and known.etag == found.etag else found


def extract(page: str, url: str) -> Extracted:
    return Extracted(text=f"# The quiet cost of re-embedding\n\n{page}", language="en")


def crawler_of(pages: dict[str, Page | CrawlError], *, public: bool = True) -> LinkedInCrawler:
    return LinkedInCrawler(Pages(pages), InlineSandbox(), extract, public_posts=public)


def crawled(crawl: Generator[Document, None, CrawlEnd]) -> tuple[Document, CrawlEnd]:
    document = next(crawl)
    with pytest.raises(StopIteration) as end:
        next(crawl)
    return document, CrawlEnd.model_validate(end.value.value)


@pytest.mark.parametrize("link", [POST, PULSE, f"{SITE}/in/mara-lindqvist", "https://linkedin.com"])
def test_without_permission_every_link_is_refused_with_the_way_to_the_export(link: str) -> None:
    pages = Pages({})
    with pytest.raises(CrawlError) as raised:
        next(LinkedInCrawler(pages, InlineSandbox(), extract).crawl(link, AUTHOR, None))
    assert raised.value.kind == "not allowed"
    assert "linkedin.com/mypreferences/d/download-my-data" in raised.value.reason
    assert "file:<export>.zip" in raised.value.reason
    assert "linkedin_public_posts: true" in raised.value.reason
    assert pages.asked == []


def test_a_post_is_its_text_author_and_date() -> None:
    crawl = crawler_of({POST: page("post_with_json_ld", POST)}).crawl(POST, AUTHOR, None)
    document, end = crawled(crawl)
    assert document.text == (
        "Vector databases need a restore drill.\n\n"
        "We practised ours on a Friday afternoon: drop the collection, restore the snapshot, "
        "ask the ten questions that must work.\nTwo of them did not. The payload index was missing.\n\n"
        "Write the drill down before you need it. #vectorsearch #operations"
    )
    assert (document.category, document.platform, document.link) == ("posts", "linkedin", POST)
    assert document.metadata == {
        "published_at": "2024-05-06T09:30:00.002Z",
        "author_name": "Mara Lindqvist",
    }
    assert document.source.origin == POST
    assert end.source is not None
    assert (end.source.link, end.source.etag) == (POST, '"p1"')


def test_the_markup_gives_the_same_text_as_the_structured_data() -> None:
    whole = html("post_with_json_ld")
    start, end = whole.index("<script"), whole.index("</script>")
    bare = parse_linkedin(whole[:start] + whole[end:], POST)
    announced = parse_linkedin(whole, POST)
    assert bare is not None
    assert announced is not None
    assert (bare.text, bare.author) == (announced.text, announced.author)
    assert bare.published == "2024-05-06T09:30:00+00:00"


def test_a_post_without_structured_data_keeps_its_lines() -> None:
    post = parse_linkedin(html("post_without_json_ld"), f"{UPDATE}7206295442554892345")
    assert post is not None
    assert post.text == (
        "Three things I check before a model goes live:\n\n"
        "1. what it answers to an empty question\n"
        "2. what it costs at the ninety-ninth percentile\n"
        "3. who is woken up, & by whom\n\n#mlops"
    )
    assert (post.author, post.published) == ("Mara Lindqvist", "2024-06-11T14:05:20+00:00")


def test_an_embedded_post_is_the_post_itself() -> None:
    link = f"{SITE}/embed/feed/update/urn:li:activity:7213798553288716345"
    pages = {link: page("embedded", link)}
    document, _ = crawled(crawler_of(pages).crawl(f"{link}?collapsed=1", AUTHOR, None))
    assert document.text == (
        "Caches are promises about the past.\n"
        "Name the moment at which yours expires, and name the person who decided it."
    )
    assert document.link == f"{UPDATE}7213798553288716345"
    assert document.metadata["published_at"] == "2024-07-02T07:00:01+00:00"
    assert document.metadata["author_name"] == "Mara Lindqvist"


def test_an_article_is_complete_under_a_sign_in_form() -> None:
    document, _ = crawled(
        crawler_of({PULSE: page("pulse", PULSE)}).crawl(f"{PULSE}/?trk=x", AUTHOR, None)
    )
    assert (document.category, document.link) == ("articles", PULSE)
    assert document.title == "The quiet cost of re-embedding"
    assert document.metadata == {
        "published_at": "2024-07-02T07:00:01.000+00:00",
        "author_name": "Mara Lindqvist",
        "language": "en",
    }
    assert not document.text.startswith("# The quiet cost")
    for kept in ("Changing the encoder", "three days and seventeen hours", "drop old\npublish new"):
        assert kept in document.text
    for dropped in ("Sign in", "Continue with Google", "Great insight", "Another article"):
        assert dropped not in document.text


def test_what_was_shared_is_not_credited_to_who_shared_it() -> None:
    post = parse_linkedin(html("reshare_with_text"), f"{UPDATE}7206295442554892345")
    assert post is not None
    assert post.text == "Read the second paragraph twice: it is about your backups."
    assert post.author == "Mara Lindqvist"
    header = '<p data-test-id="main-feed-activity-card__header">Mara Lindqvist reposted this</p>'
    passed_on = html("post_without_json_ld").replace("<div data", f"{header}<div data", 1)
    own = "Read the second paragraph twice: it is about your backups."
    without_text = html("reshare_with_text").replace(own, "")
    for page in (html("reshare_without_text"), without_text, passed_on):
        with pytest.raises(CrawlError, match="has no text of its own") as raised:
            parse_linkedin(page, f"{UPDATE}7206295442554892345")
        assert raised.value.kind == "empty"


def test_other_posts_and_comments_of_a_page_are_never_taken_for_the_post() -> None:
    whole = html("post_without_json_ld")
    assert parse_linkedin(whole, f"{UPDATE}7999999999999999999") is None
    for name in ("post_with_json_ld", "post_without_json_ld"):
        own = html(name).replace("main-feed-activity-card__commentary", "gone", 1)
        own = own.replace("attributed-text-segment-list__content", "gone", 1)
        own = own.replace("articleBody", "gone")
        assert (
            parse_linkedin(own, POST if "with_" in name else f"{UPDATE}7206295442554892345") is None
        )


@pytest.mark.parametrize(
    "data",
    [
        "",
        "not json",
        "[" * 10_000,
        "null",
        '{"@type": {"a": 1}}',
        '{"@type": "SocialMediaPosting", "articleBody": 3, "author": 4, "@id": "http://["}',
        '{"@graph": [{"@graph": "x"}]}',
    ],
)
def test_broken_structured_data_does_no_harm(data: str) -> None:
    script = f'<head><script type="application/ld+json">{data}</script>'
    post = parse_linkedin(
        html("post_without_json_ld").replace("<head>", script), f"{UPDATE}7206295442554892345"
    )
    assert post is not None
    assert post.text.startswith("Three things I check")


@pytest.mark.parametrize("text", ["", "   ", "<!-- -->", "\x00", "<html></html>"])
def test_a_page_with_nothing_in_it_holds_no_post(text: str) -> None:
    assert parse_linkedin(text, POST) is None


@pytest.mark.parametrize(
    ("link", "permalink", "number"),
    [
        (f"{POST}/?utm_source=share&utm_medium=member_desktop#c", POST, "7193180189491212345"),
        (POST.replace("www.", "de."), POST, "7193180189491212345"),
        (f"{UPDATE}7193180189491212345/", f"{UPDATE}7193180189491212345", "7193180189491212345"),
        (
            f"{SITE}/feed/update/urn%3Ali%3Ashare%3A7193180188811212345?trk=x",
            f"{SITE}/feed/update/urn:li:share:7193180188811212345",
            "7193180188811212345",
        ),
        (
            f"{SITE}/embed/feed/update/urn:li:ugcPost:7193180188811212345?compact=1",
            f"{SITE}/feed/update/urn:li:ugcPost:7193180188811212345",
            "7193180188811212345",
        ),
        (f"{PULSE}?trackingId=1", PULSE, ""),
    ],
)
def test_a_permalink_has_no_trackers(link: str, permalink: str, number: str) -> None:
    found = linkedin_link(link)
    assert found is not None
    assert (found.link, found.id) == (permalink, number)
    assert linkedin_link(found.link) == found.model_copy(update={"address": found.link})


@pytest.mark.parametrize(
    "link",
    [
        f"{SITE}/in/mara-lindqvist",
        f"{SITE}/in/mara-lindqvist/recent-activity/all/",
        f"{SITE}/company/acme/posts",
        f"{SITE}/feed/",
        f"{SITE}/pulse/",
        f"{SITE}/posts/without-a-number",
        "https://linkedin.com.evil.example/pulse/x",
        "https://notlinkedin.com/pulse/x",
    ],
)
def test_other_pages_are_refused_with_the_links_that_are_read(link: str) -> None:
    assert linkedin_link(link) is None
    with pytest.raises(CrawlError, match="only public posts and articles are read") as raised:
        next(crawler_of({}).crawl(link, AUTHOR, None))
    assert raised.value.kind == "malformed"


def test_the_time_of_a_post_is_in_its_number() -> None:
    assert published_at("7193180189491212345") == "2024-05-06T09:30:00+00:00"
    assert published_at("123456") == published_at("99999999999999999999") == published_at("") == ""


def walls() -> dict[str, Page | CrawlError]:
    wall = page("authwall", f"{SITE}/authwall?trk=x&sessionRedirect=y")
    refused = page("authwall", POST, status=999)
    return {
        "redirect": wall,
        "checkpoint": wall.model_copy(update={"final_url": f"{SITE}/checkpoint/challenge/x"}),
        "in place": page("authwall", POST),
        "judged": CrawlError(POST, "it asks to sign in", kind="login", page=wall),
        "status 999": CrawlError(POST, "HTTP 999", kind="refused", page=refused),
    }


@pytest.mark.parametrize("name", walls())
def test_a_login_wall_is_one_and_nobody_signs_in(name: str) -> None:
    with pytest.raises(CrawlError) as raised:
        next(crawler_of({POST: walls()[name]}).crawl(POST, AUTHOR, None))
    assert raised.value.kind == "login"
    assert raised.value.reason.startswith("LinkedIn asks to sign in")
    assert ("(status 999)" in raised.value.reason) == (name == "status 999")


def test_other_failures_are_passed_on_as_they_are() -> None:
    for error in (
        CrawlError(POST, "robots.txt forbids it", kind="robots"),
        CrawlError(POST, "HTTP 404", kind="gone", page=page("authwall", POST, status=404)),
    ):
        with pytest.raises(CrawlError) as raised:
            next(crawler_of({POST: error}).crawl(POST, AUTHOR, None))
        assert raised.value is error


def test_a_post_that_was_taken_for_too_short_or_for_a_form_is_read_all_the_same() -> None:
    link = f"{UPDATE}7206295442554892345"
    judged = CrawlError(link, "too short", kind="empty", page=page("post_without_json_ld", link))
    document, _ = crawled(crawler_of({link: judged}).crawl(link, AUTHOR, None))
    assert document.text.startswith("Three things I check")


def test_a_page_without_a_post_is_empty() -> None:
    other = page("reshare_with_text", f"{UPDATE}7999999999999999999")
    with pytest.raises(CrawlError, match="no post or article found on the page") as raised:
        next(crawler_of({POST: other}).crawl(POST, AUTHOR, None))
    assert raised.value.kind == "empty"


def test_a_page_that_did_not_change_is_not_read_again() -> None:
    pages = {POST: page("post_with_json_ld", POST)}
    _, first = crawled(crawler_of(pages).crawl(POST, AUTHOR, None))
    with pytest.raises(StopIteration) as end:
        next(crawler_of(pages).crawl(POST, AUTHOR, first.source))
    assert end.value.value == CrawlEnd(source=first.source, unchanged=True)
