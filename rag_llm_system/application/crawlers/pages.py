"""Reads pages: over HTTP, or through a browser where a page is nothing without its scripts.

What is not an article is told from one here, so that it is never stored: challenges, login and pay walls, error
pages. What a page holds is found out in the sandbox, since nobody trusts its text.
"""

from collections.abc import Mapping, Sequence

from rag_llm_system.application.crawlers.dispatcher import parse_link
from rag_llm_system.application.crawlers.examine import Examined, Family, examine
from rag_llm_system.application.crawlers.feeds import looks_like_feed
from rag_llm_system.application.crawlers.sitemaps import looks_like_sitemap
from rag_llm_system.domain.crawling import Extracted, FailureKind
from rag_llm_system.domain.documents import Page, Source, Value
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.domain.ports import Fetcher, Sandbox

_HTML = frozenset({"", "text/html", "application/xhtml+xml"})
_HEAD_CHARS = 2_000  # enough to see the root element behind a long comment
_HEAD_BYTES = 4 * _HEAD_CHARS  # no encoding of the web takes more for one
# A browser runs the scripts that make a page; a challenge may clear by itself in it. Nothing is evaded.
_BROWSER_MAY_HELP: frozenset[FailureKind] = frozenset({"script", "challenge"})

_HINTS: Mapping[FailureKind, str] = {"script": "; the config says browser: off"}


class ReadPage(Value):
    """A page, and the article found in it; "" for feeds and sitemaps."""

    page: Page
    article: Extracted = Extracted(text="")
    family: Family = ""


class PageReader:
    """The two lanes to a page. ``browser`` None: never one."""

    def __init__(
        self,
        http: Fetcher,
        browser: Fetcher | None,
        sandbox: Sandbox,
        *,
        browser_hosts: Sequence[str] = (),
    ) -> None:
        self._http = http
        self._browser = browser
        self._sandbox = sandbox
        self._browser_hosts = tuple(host.lower() for host in browser_hosts)

    def article(self, link: str, known: Source | None = None) -> ReadPage | None:
        """The page with its article, or None when it has not changed since ``known``.

        Raises CrawlError for whatever is not an article, a feed or a sitemap.
        """
        if self._browser and self._always_by_browser(link):
            return self._by_browser(link, self._browser)
        return self._by_http(link, known, follow_refresh=True)

    def read(self, link: str, known: Source | None = None) -> Page | None:
        """As ``article``, for crawlers that look into the page themselves."""
        found = self.article(link, known)
        return found.page if found else None

    def text(self, link: str) -> str:
        """A text that is no page: a feed asked for by a crawler, the JSON of a public API."""
        page = self._http.fetch(link, wanted="text")
        if page is None:
            raise CrawlError(link, "answered 'not modified' to an unconditional request")
        return page.text

    def _by_http(self, link: str, known: Source | None, *, follow_refresh: bool) -> ReadPage | None:
        refused: CrawlError | None = None
        try:
            page = fetch_changed(self._http, link, known)
        except CrawlError as error:
            if error.page is None or not _is_html(error.page):
                raise
            page, refused = error.page, error
        if page is None:
            return None
        if not _is_html(page):
            return ReadPage(page=page)
        examined = self._examine(page)
        if examined.fault is None and refused is None:
            return _read(page, examined)
        if examined.refresh and follow_refresh and refused is None:
            return self._by_http(examined.refresh, None, follow_refresh=False)
        return self._faulty(link, page, examined, refused)

    def _faulty(
        self, link: str, page: Page, examined: Examined, refused: CrawlError | None
    ) -> ReadPage:
        """By browser if that may help; else why the page is not stored."""
        fault = examined.fault
        if self._browser and fault and fault.kind in _BROWSER_MAY_HELP:
            return self._by_browser(link, self._browser)
        if fault is None or (refused and refused.kind == fault.kind):
            raise refused or CrawlError(link, "no article text found", kind="empty", page=page)
        hint = _HINTS.get(fault.kind, "") if not self._browser else ""
        if fault.kind == "empty" and parse_link(link).path in {"", "/"}:
            hint = f"; for the articles that it links to, crawl list+{link}"
        raise CrawlError(link, fault.reason + hint, kind=fault.kind, page=page)

    def _by_browser(self, link: str, browser: Fetcher) -> ReadPage:
        page = browser.fetch(link)
        if page is None:
            raise CrawlError(link, "the browser gave no page")
        examined = self._examine(page)
        if examined.fault:
            raise CrawlError(link, examined.fault.reason, kind=examined.fault.kind, page=page)
        return _read(page, examined)

    def _examine(self, page: Page) -> Examined:
        return self._sandbox.run(
            examine, page.text, page.final_url, page.status, dict(page.headers)
        )

    def _always_by_browser(self, link: str) -> bool:
        host = (parse_link(link).hostname or "").lower()
        return any(host == one or host.endswith(f".{one}") for one in self._browser_hosts)


def fetch_changed(fetcher: Fetcher, link: str, known: Source | None) -> Page | None:
    """The page, or None when it has not changed since ``known``."""
    if known is None:
        return fetcher.fetch(link)
    return fetcher.fetch(link, etag=known.etag, last_modified=known.last_modified)


def is_list(page: Page) -> bool:
    """Whether it is a feed or a sitemap and not a page for people."""
    return not _is_html(page)


def head_of(page: Page) -> str:
    """The beginning of its text, without decoding the rest."""
    return page.content[:_HEAD_BYTES].decode(page.encoding, errors="replace")[:_HEAD_CHARS]


def _is_html(page: Page) -> bool:
    head = head_of(page)
    if looks_like_feed(page.content_type, head) or looks_like_sitemap(head):
        return False
    return page.content_type in _HTML


def _read(page: Page, examined: Examined) -> ReadPage:
    return ReadPage(page=page, article=examined.article, family=examined.family)
