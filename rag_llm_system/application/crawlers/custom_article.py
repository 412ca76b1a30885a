"""Crawls any web page that holds an article, and feeds and sitemaps as lists of links."""

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from rag_llm_system.application.crawlers.extraction import without_opening
from rag_llm_system.application.crawlers.feeds import parse_feed
from rag_llm_system.application.crawlers.pages import PageReader, ReadPage, head_of, is_list
from rag_llm_system.application.crawlers.posts import Items, source_of_page
from rag_llm_system.application.crawlers.sitemaps import looks_like_sitemap, parse_sitemap
from rag_llm_system.domain.crawling import CrawlEnd, Extracted, Feed, FoundLink
from rag_llm_system.domain.documents import Author, Document, Page, Source, canonical_link
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.domain.ports import Sandbox

CATEGORY = "articles"
REVISION = "article-2"

FromPage = Callable[[Page, str, Author], Items]


class CustomArticleCrawler:
    """One page, one document; its text is Markdown with headings, lists, tables and code as on the page.

    ``families`` has the crawlers of platforms that are recognised by their markup, such as Medium under a
    publication's own domain.
    """

    revision = REVISION

    def __init__(
        self,
        pages: PageReader,
        sandbox: Sandbox,
        families: Mapping[str, FromPage] | None = None,
    ) -> None:
        self._pages = pages
        self._sandbox = sandbox
        self._families = dict(families or {})

    def crawl(self, link: str, author: Author, known: Source | None) -> Items:
        read = self._pages.article(link, known)
        if read is None:
            return CrawlEnd(source=known, unchanged=True)
        if is_list(read.page):
            for item in list_of(read.page, self._sandbox).items:
                yield FoundLink(link=item.link)
        elif read.family in self._families:
            return (yield from self._families[read.family](read.page, link, author))
        else:
            yield document_of(read, link, author)
        return CrawlEnd(source=source_of_page(read.page, canonical_link(link), origin=link))


def list_of(page: Page, sandbox: Sandbox) -> Feed:
    """The entries of a feed or a sitemap. Raises CrawlError when it is neither, or has none."""
    parse = parse_sitemap if looks_like_sitemap(head_of(page)) else parse_feed
    found = sandbox.run(parse, page.text, page.final_url)
    if not found.items:
        raise CrawlError(page.url, "the feed or sitemap lists no pages", kind="empty")
    return found


def document_of(read: ReadPage, link: str, author: Author) -> Document:
    """The article as a document; the page's own address on its host identifies it."""
    page, article = read.page, read.article
    identity = _identity(page, article)
    host = urlsplit(identity).hostname or ""
    facts = {
        "language": article.language,
        "published_at": article.published,
        "site_name": article.site_name,
        "author_name": article.author,
    }
    return Document(
        category=CATEGORY,
        platform=host.removeprefix("www."),
        title=article.title,
        subtitle=article.subtitle,
        text=without_opening(article.text, article.title, article.subtitle),
        author_id=author.id,
        author_full_name=author.full_name,
        source=source_of_page(page, identity, origin=link),
        metadata={name: value for name, value in facts.items() if value},
    )


def _identity(page: Page, article: Extracted) -> str:
    """The canonical link that the page names, if it may speak for it; else where the page was found.

    Only a page of the same host, and not the home page: sites whose every page names the home page are common.
    """
    found = canonical_link(page.final_url)
    try:
        named = canonical_link(article.canonical)
        own, other = urlsplit(found), urlsplit(named)
    except ValueError:
        return found
    same_host = _bare(own.hostname) == _bare(other.hostname)
    if other.scheme not in {"http", "https"} or not same_host:
        return found
    return found if other.path in {"", "/"} and not other.query else named


def _bare(host: str | None) -> str:
    return (host or "").removeprefix("www.")
