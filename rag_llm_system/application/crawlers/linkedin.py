"""Crawls public posts and articles of LinkedIn, where the operator has decided to."""

from collections.abc import Generator
from typing import Protocol

from rag_llm_system.application.crawlers.dispatcher import parse_link
from rag_llm_system.application.crawlers.export_archive import Extract
from rag_llm_system.application.crawlers.extraction import without_opening
from rag_llm_system.application.crawlers.linkedin_links import is_wall, linkedin_link
from rag_llm_system.application.crawlers.linkedin_page import LinkedInPost, parse_linkedin
from rag_llm_system.application.crawlers.posts import source_of_page
from rag_llm_system.domain.crawling import CrawlEnd
from rag_llm_system.domain.documents import Author, Document, Page, Source, canonical_link
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.domain.ports import Sandbox

EXPORT = (
    "request your data export at linkedin.com/mypreferences/d/download-my-data "
    "and crawl file:<export>.zip"
)
_NOT_ALLOWED = (
    f"LinkedIn does not allow automated access; {EXPORT}, "
    "or set linkedin_public_posts: true for public post pages"
)
_REFUSED_STATUS = 999  # LinkedIn's own, for clients that it takes for programs
_CATEGORIES = {"post": "posts", "article": "articles"}


class Pages(Protocol):
    """Reads pages, as PageReader does."""

    def read(self, link: str, known: Source | None) -> Page | None:
        """The page, or None when it has not changed; a CrawlError's ``page`` is what was there instead."""


class LinkedInCrawler:
    """Refuses every link unless ``public_posts`` says that public pages may be read; it never signs in.

    A post becomes a document of the category "posts", an article (Pulse) one of "articles".
    """

    revision = "linkedin-1"

    def __init__(
        self, pages: Pages, sandbox: Sandbox, extract: Extract, *, public_posts: bool = False
    ) -> None:
        self._pages = pages
        self._sandbox = sandbox
        self._extract = extract
        self._public_posts = public_posts

    def crawl(
        self, link: str, author: Author, known: Source | None
    ) -> Generator[Document, None, CrawlEnd]:
        parse_link(link)
        origin = canonical_link(link)
        if not self._public_posts:
            raise CrawlError(origin, _NOT_ALLOWED, kind="not allowed")
        wanted = linkedin_link(link)
        if wanted is None:
            forms = "linkedin.com/posts/..., /feed/update/..., /embed/... and /pulse/..."
            reason = (
                f"only public posts and articles are read: {forms}; for all that is yours, {EXPORT}"
            )
            raise CrawlError(origin, reason, kind="malformed")
        page = self._page(wanted.address, known)
        if page is None:
            return CrawlEnd(source=known, unchanged=True)
        post = self._sandbox.run(parse_linkedin, page.text, page.final_url)
        if post is None:
            raise _nothing(origin, page)
        yield self._document(post, page, author, origin)
        return CrawlEnd(source=source_of_page(page, origin, origin=link))

    def _page(self, address: str, known: Source | None) -> Page | None:
        """What a general judgement took for too short, or for a sign-in form, may hold a post nevertheless."""
        try:
            page = self._pages.read(address, known)
        except CrawlError as error:
            page = error.page
            if page and (page.status == _REFUSED_STATUS or is_wall(page.final_url)):
                raise _login(address, page) from error
            if page is None or not 200 <= page.status < 300:
                raise
        if page and is_wall(page.final_url):
            raise _login(address, page)
        return page

    def _document(self, post: LinkedInPost, page: Page, author: Author, origin: str) -> Document:
        text, facts = post.text, {"published_at": post.published, "author_name": post.author}
        if post.kind == "article":
            article = self._sandbox.run(self._extract, post.html, post.link)
            text, facts["language"] = without_opening(article.text, post.title), article.language
        if not text.strip():
            raise CrawlError(origin, "the article has no text", kind="empty")
        return Document(
            category=_CATEGORIES[post.kind],
            platform="linkedin",
            title=post.title,
            text=text,
            author_id=author.id,
            author_full_name=author.full_name,
            source=source_of_page(page, post.link, origin=origin),
            metadata={name: value for name, value in facts.items() if value},
        )


def _nothing(link: str, page: Page) -> CrawlError:
    if "authwall" in page.text or "uas/login" in page.text:
        return _login(link, page)
    return CrawlError(link, "no post or article found on the page", kind="empty")


def _login(link: str, page: Page) -> CrawlError:
    status = f" (status {page.status})" if page.status == _REFUSED_STATUS else ""
    reason = f"LinkedIn asks to sign in{status}, which is never done; {EXPORT}"
    return CrawlError(link, reason, kind="login", page=page)
