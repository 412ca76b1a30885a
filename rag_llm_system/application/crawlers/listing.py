"""Crawls lists of articles, ``list+https://<host>/...``: the feed that the page announces, or the links on it."""

from rag_llm_system.application.crawlers.custom_article import list_of
from rag_llm_system.application.crawlers.dispatcher import parse_link
from rag_llm_system.application.crawlers.feeds import parse_feed
from rag_llm_system.application.crawlers.pages import fetch_changed, is_list
from rag_llm_system.application.crawlers.posts import Items, source_of_page
from rag_llm_system.application.crawlers.sitemaps import feed_link_of, links_of_listing
from rag_llm_system.domain.crawling import CrawlEnd, Feed, FoundLink
from rag_llm_system.domain.documents import Author, Page, Source, canonical_link
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.domain.ports import Fetcher, Sandbox

PREFIX = "list+"
REVISION = "list-1"


class ListingCrawler:
    """A home page, a section or an archive of articles gives their links, and no document of its own.

    The links of a feed that the page announces come first: it names articles only, the newest before the others.
    """

    revision = REVISION

    def __init__(self, fetcher: Fetcher, sandbox: Sandbox) -> None:
        self._fetcher = fetcher
        self._sandbox = sandbox

    def crawl(self, link: str, author: Author, known: Source | None) -> Items:  # noqa: ARG002 - the port's
        address = parse_link(link).geturl().removeprefix(PREFIX)
        page = fetch_changed(self._fetcher, address, known)
        if page is None:
            return CrawlEnd(source=known, unchanged=True)
        found = list_of(page, self._sandbox) if is_list(page) else self._of_page(page)
        if not found.items:
            raise CrawlError(address, "no links to articles found on this page", kind="empty")
        for item in found.items:
            yield FoundLink(link=item.link)
        return CrawlEnd(source=source_of_page(page, canonical_link(link), origin=link))

    def _of_page(self, page: Page) -> Feed:
        """Links that the announced feed and the page name. A feed that cannot be read takes nothing from the page."""
        links = self._sandbox.run(links_of_listing, page.text, page.final_url)
        feed = self._sandbox.run(feed_link_of, page.text, page.final_url)
        if not feed:
            return links
        try:
            announced = self._fetcher.fetch(feed)
            if announced is None or not is_list(announced):
                return links
            newest = self._sandbox.run(parse_feed, announced.text, announced.final_url)
        except CrawlError:
            return links
        return Feed(title=newest.title or links.title, items=(*newest.items, *links.items))
