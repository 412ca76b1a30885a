"""The crawler of Medium: pages first, feeds where a page is withheld."""

from collections.abc import Sequence

from rag_llm_system.application.crawlers.medium.feed import stories_of_feed, story_in_feed
from rag_llm_system.application.crawlers.medium.links import Target, feed_of, target_of
from rag_llm_system.application.crawlers.medium.story import parse_medium, post_id_of
from rag_llm_system.application.crawlers.posts import (
    Items,
    Pages,
    document_of,
    source_of_page,
    source_of_text,
)
from rag_llm_system.domain.crawling import CrawlEnd, FailureKind, FoundLink
from rag_llm_system.domain.documents import Author, Page, Source, canonical_link
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.domain.ports import Sandbox

CATEGORY = "articles"
PLATFORM = "medium"
REVISION = "medium-1"

# The page exists and is withheld from us; a feed is made to be read by programs.
_WITHHELD: frozenset[FailureKind] = frozenset(
    {"challenge", "refused", "login", "paywall", "script", "empty"}
)
_EXPORT = "export your stories at medium.com/me/export and crawl file:<export>.zip"
_TRUSTED = f"Medium shows the page only to browsers it trusts; {_EXPORT}"
# A feed has the whole of a story, or less than the page shows; never a little more.
_CLEARLY_LONGER = 1.5


class MediumCrawler:
    """A story gives its document; a profile, a publication, a tag or a feed gives the links of its newest stories.

    The generic crawler hands over pages of publications under their own domains with ``from_page``.
    """

    revision = REVISION

    def __init__(self, pages: Pages, sandbox: Sandbox) -> None:
        self._pages = pages
        self._sandbox = sandbox

    def crawl(self, link: str, author: Author, known: Source | None) -> Items:
        target = target_of(link)
        if target.kind == "list":
            return (yield from self._list(target.feed, link))
        try:
            page = self._pages.read(link, known)
        except CrawlError as error:
            if error.kind not in _WITHHELD:
                raise
            found_at = _target_or_none(error.page.final_url) if error.page else None
            return (yield from self._from_feeds([target, found_at], link, author, error))
        if page is None:
            return CrawlEnd(source=known, unchanged=True)
        return (yield from self.from_page(page, link, author))

    def from_page(self, page: Page, link: str, author: Author) -> Items:
        """What a page holds that Medium made. ``link`` is what was crawled; redirects may have led elsewhere."""
        found = _target_or_none(page.final_url)
        if not post_id_of(page.text) and (found is None or found.kind == "list"):
            return (yield from self._list(target_of(page.final_url).feed, link))
        post = self._sandbox.run(parse_medium, page.text, page.final_url)
        if post.preview:
            error = CrawlError(
                canonical_link(link),
                "only the beginning is shown: the story is for Medium's members",
                kind="paywall",
            )
            feeds = dict.fromkeys((feed_of(post.profile), found.feed if found else ""))
            targets = [Target(kind="story", feed=feed, post_id=post.id) for feed in feeds]
            return (
                yield from self._from_feeds(
                    targets, link, author, error, longer_than=post.size_words
                )
            )
        source = source_of_page(page, post.link, origin=link)
        yield document_of(post, author, source, platform=PLATFORM, category=CATEGORY)
        return CrawlEnd(
            source=source_of_page(page, canonical_link(link), origin=link), left_out=post.left_out
        )

    def _list(self, feed: str, link: str) -> Items:
        stories = self._sandbox.run(stories_of_feed, self._pages.text(feed), feed)
        if not stories.links:
            raise CrawlError(canonical_link(link), "its feed lists no stories", kind="empty")
        for story in stories.links:
            yield FoundLink(link=story)
        return CrawlEnd(
            source=source_of_text(feed, canonical_link(link), origin=link),
            left_out={"responses": stories.responses} if stories.responses else {},
        )

    def _from_feeds(
        self,
        targets: Sequence[Target | None],
        link: str,
        author: Author,
        error: CrawlError,
        *,
        longer_than: int = 0,
    ) -> Items:
        """The story from a feed that lists it among its latest ten; else the page's error with a way out."""
        feeds = dict.fromkeys((t.feed, t.post_id) for t in targets if t and t.feed and t.post_id)
        for feed, post_id in feeds:
            try:
                post = self._sandbox.run(story_in_feed, self._pages.text(feed), feed, post_id)
            except CrawlError:
                continue  # what counts is why the page could not be read, and that is raised below
            if post and post.size_words > _CLEARLY_LONGER * longer_than:
                source = source_of_text(feed, post.link, origin=link)
                yield document_of(
                    post, author, source, platform=PLATFORM, category=CATEGORY, via="feed"
                )
                end = source_of_text(feed, canonical_link(link), origin=link)
                return CrawlEnd(source=end, left_out=post.left_out)
        if error.kind == "empty":
            raise error
        hint = _EXPORT if error.kind == "paywall" else _TRUSTED
        raise CrawlError(
            error.link, f"{error.reason}; {hint}", kind=error.kind, page=error.page
        ) from error


def _target_or_none(link: str) -> Target | None:
    try:
        return target_of(link)
    except CrawlError:
        return None  # redirected to a page of Medium's own, such as its login
