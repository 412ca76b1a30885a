"""The crawler of Substack: pages first, its public API where a page is withheld."""

from collections.abc import Iterator

from rag_llm_system.application.crawlers.posts import (
    Items,
    Pages,
    Post,
    document_of,
    source_of_page,
    source_of_text,
)
from rag_llm_system.application.crawlers.substack.links import Target, target_of
from rag_llm_system.application.crawlers.substack.post import (
    archive_page,
    note_of_api,
    parse_substack,
    post_of_api,
    posts_of_list,
)
from rag_llm_system.domain.crawling import CrawlEnd, FailureKind, FoundLink
from rag_llm_system.domain.documents import Author, Page, Source, canonical_link
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.domain.ports import Sandbox

PLATFORM = "substack"
REVISION = "substack-1"
_CATEGORIES = {"post": "articles", "note": "posts"}

# Withheld from us, or too short to be told from a page without an article, as notes are.
_WITHHELD: frozenset[FailureKind] = frozenset({"challenge", "refused", "login", "script", "empty"})
_ARCHIVE_POSTS = 50  # asked for at once; the answer may hold fewer
_MAX_ARCHIVE_POSTS = 10_000


class SubstackCrawler:
    """A post or a note gives its document; a publication's home, archive or feed gives the links of its posts.

    The generic crawler hands over pages of publications under their own domains with ``from_page``.
    """

    revision = REVISION

    def __init__(self, pages: Pages, sandbox: Sandbox) -> None:
        self._pages = pages
        self._sandbox = sandbox

    def crawl(self, link: str, author: Author, known: Source | None) -> Items:
        target = target_of(link)
        if target.kind == "list":
            return (yield from self._list(target.origin, link))
        if target.kind == "readable list":
            return (yield from self._readable_list(canonical_link(link), link))
        try:
            page = self._pages.read(link, known)
        except CrawlError as error:
            if error.kind not in _WITHHELD:
                raise
            return (yield from self._from_api(target, link, author, error))
        if page is None:
            return CrawlEnd(source=known, unchanged=True)
        return (yield from self.from_page(page, link, author))

    def from_page(self, page: Page, link: str, author: Author) -> Items:
        """What a page holds that Substack made. ``link`` is what was crawled; redirects may have led elsewhere."""
        target = target_of(page.final_url)
        if target.kind == "list":
            return (yield from self._list(target.origin, link))
        post = self._free(self._sandbox.run(parse_substack, page.text, page.final_url), link)
        source = source_of_page(page, post.link, origin=link)
        yield document_of(
            post, author, source, platform=PLATFORM, category=_CATEGORIES[target.kind]
        )
        return CrawlEnd(
            source=source_of_page(page, canonical_link(link), origin=link), left_out=post.left_out
        )

    def _from_api(self, target: Target, link: str, author: Author, error: CrawlError) -> Items:
        parse = note_of_api if target.kind == "note" else post_of_api
        try:
            post = self._sandbox.run(parse, self._pages.text(target.api), canonical_link(link))
        except CrawlError:
            raise error from None  # why the page could not be read tells more than why the API did not help
        self._free(post, link)
        source = source_of_text(target.api, post.link, origin=link)
        category = _CATEGORIES[target.kind]
        yield document_of(post, author, source, platform=PLATFORM, category=category, via="api")
        end = source_of_text(target.api, canonical_link(link), origin=link)
        return CrawlEnd(source=end, left_out=post.left_out)

    @staticmethod
    def _free(post: Post, link: str) -> Post:
        if post.preview:
            raise CrawlError(
                canonical_link(link),
                "only the beginning is shown: the post is for paying subscribers",
                kind="paywall",
            )
        return post

    def _list(self, origin: str, link: str) -> Items:
        """All posts of a publication: by its archive, else by its sitemap, else the newest by its feed."""
        paid = 0
        try:
            found = list(self._archive(origin))
        except CrawlError as error:
            links = self._first_readable(origin, error)
        else:
            links = [link for page, _ in found for link in page]
            paid = sum(count for _, count in found)
        if not links and not paid:
            raise CrawlError(canonical_link(link), "the publication lists no posts", kind="empty")
        for post in dict.fromkeys(links):
            yield FoundLink(link=post)
        return CrawlEnd(
            source=source_of_text(origin, canonical_link(link), origin=link),
            left_out={"posts for paying subscribers": paid} if paid else {},
        )

    def _archive(self, origin: str) -> Iterator[tuple[tuple[str, ...], int]]:
        """Links and the number of paid posts, part by part, newest first."""
        offset = 0
        while offset < _MAX_ARCHIVE_POSTS:
            address = f"{origin}/api/v1/archive?sort=new&offset={offset}&limit={_ARCHIVE_POSTS}"
            part = self._sandbox.run(archive_page, self._pages.text(address), address)
            if not part.size:
                return
            yield part.links, part.paid
            offset += part.size

    def _first_readable(self, origin: str, error: CrawlError) -> list[str]:
        for name in ("sitemap.xml", "feed"):
            try:
                found = self._posts_of(f"{origin}/{name}")
            except CrawlError:
                continue  # the next one may do; if none does, the first error is raised
            if found:
                return found
        raise error

    def _readable_list(self, address: str, link: str) -> Items:
        links = self._posts_of(address)
        if not links:
            raise CrawlError(canonical_link(link), "it lists no posts", kind="empty")
        for post in links:
            yield FoundLink(link=post)
        return CrawlEnd(source=source_of_text(address, canonical_link(link), origin=link))

    def _posts_of(self, address: str) -> list[str]:
        return self._sandbox.run(posts_of_list, self._pages.text(address), address)
