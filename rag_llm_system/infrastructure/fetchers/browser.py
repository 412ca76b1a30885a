"""Fetches web pages with a browser, for pages that are nothing without their scripts."""

import logging
import queue
import threading
from collections.abc import Callable, Sequence

from rag_llm_system.domain.documents import Page
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.domain.ports import Wanted
from rag_llm_system.infrastructure.fetchers.addresses import AddressRules
from rag_llm_system.infrastructure.fetchers.browser_answers import page_of
from rag_llm_system.infrastructure.fetchers.browser_driver import TookTooLong
from rag_llm_system.infrastructure.fetchers.browser_installation import NoBrowser, find_installation
from rag_llm_system.infrastructure.fetchers.browser_process import BrowserFailed
from rag_llm_system.infrastructure.fetchers.browser_session import (
    BrowserSession,
    Visit,
    VisitLimits,
)
from rag_llm_system.infrastructure.fetchers.urls import url_of

logger = logging.getLogger(__name__)


class BrowserFetcher:
    """Implements Fetcher: ``drivers`` Chromium browsers, started when needed and used again; thread-safe.

    A browser sees the network through a proxy of ours that dials what ``rules`` allow, and runs no longer than this
    process, however that ends. Whatever it stored is forgotten between hosts. ``etag`` and ``last_modified`` are
    ignored: every answer is a whole page.

    ``binary`` and ``driver`` name the programs, which are looked for otherwise. A browser is replaced after
    ``pages_per_driver`` pages, when its processes hold more than ``max_rss_mb`` (Linux), and when it breaks down;
    the page is then tried once more. ``page_timeout_s`` bounds the arrival of a document, ``settle_s`` the wait for
    its scripts' text, ``challenge_s`` the wait for a page that says it is checking the browser, ``total_timeout_s``
    all of that. ``max_bytes`` bounds the page's source and each response, five times that all responses together.
    """

    def __init__(
        self,
        *,
        rules: AddressRules,
        user_agent: str = "",
        binary: str = "",
        driver: str = "",
        drivers: int = 1,
        pages_per_driver: int = 200,
        max_rss_mb: int = 1500,
        page_timeout_s: float = 15.0,
        total_timeout_s: float = 60.0,
        settle_s: float = 8.0,
        challenge_s: float = 6.0,
        max_scrolls: int = 20,
        max_bytes: int = 5_000_000,
        extra_args: Sequence[str] = (),
    ) -> None:
        limits = VisitLimits(
            page_timeout_s=page_timeout_s,
            total_timeout_s=total_timeout_s,
            settle_s=settle_s,
            challenge_s=challenge_s,
            max_scrolls=max_scrolls,
            max_bytes=max_bytes,
            max_rss_mb=max_rss_mb,
        )

        def start() -> BrowserSession:
            found = find_installation(binary, driver)
            return BrowserSession(
                found, rules, limits, user_agent=user_agent, extra_args=extra_args
            )

        self._lanes = [_Lane(start, pages_per_driver) for _ in range(drivers)]
        self._free: queue.LifoQueue[_Lane] = queue.LifoQueue()
        for lane in self._lanes:
            self._free.put(lane)

    @staticmethod
    def why_unavailable(binary: str = "", driver: str = "") -> str | None:
        """Why no browser can be started; None when the programs are there. Starts none."""
        try:
            find_installation(binary, driver)
        except NoBrowser as error:
            return str(error)
        return None

    def fetch(
        self,
        link: str,
        *,
        wanted: Wanted = "page",
        etag: str = "",  # noqa: ARG002 - of the port
        last_modified: str = "",  # noqa: ARG002
    ) -> Page | None:
        """The page as it is when its scripts have run. Raises CrawlError."""
        url = str(url_of(link))
        if wanted != "page":
            raise CrawlError(link, "a browser reads pages, not texts", kind="not text")
        lane = self._free.get()
        try:
            visit = lane.visit(url)
        except NoBrowser as error:
            raise CrawlError(link, f"needs a browser, and {error}", kind="script") from error
        except TookTooLong as error:
            raise CrawlError(link, str(error), kind="unreachable") from error
        except _OutOfMemory as error:
            raise CrawlError(link, str(error), kind="too large") from error
        except BrowserFailed as error:
            raise CrawlError(link, f"the browser failed: {error}", kind="failed") from error
        finally:
            self._free.put(lane)
        return page_of(link, visit)

    def close(self) -> None:
        """Ends the browsers, also those at work; returns when nothing of them is left."""
        for lane in self._lanes:
            lane.end()
        for lane in [self._free.get() for _ in self._lanes]:
            self._free.put(lane)  # who fetches after this is told so


class _OutOfMemory(Exception):
    """A page alone took more memory than a browser may have."""


class _Lane:
    """One browser at a time, and the next one when it is worn out. For one thread at a time, except for ``end``."""

    def __init__(self, start: Callable[[], BrowserSession], pages_per_driver: int) -> None:
        self._start = start
        self._pages_per_driver = pages_per_driver
        self._session: BrowserSession | None = None
        self._is_over = False
        self._replacing = threading.Lock()

    def visit(self, url: str) -> Visit:
        """By a second browser when the first one breaks down; raises what BrowserSession does, and _OutOfMemory."""
        try:
            return self._visit(url)
        except BrowserFailed as error:
            if self._is_over:
                raise BrowserFailed("it was closed") from error
            logger.info("the browser broke down (%s) and is replaced", error)
            return self._visit(url)

    def _visit(self, url: str) -> Visit:
        session = self._usable()
        is_first_page = session.pages == 0
        try:
            return session.visit(url)
        except BrowserFailed:
            if session.ran_out_of_memory and is_first_page:
                raise _OutOfMemory("the page takes more memory than a browser may have") from None
            raise
        finally:
            if not session.is_usable or session.pages >= self._pages_per_driver:
                self._discard()

    def _usable(self) -> BrowserSession:
        with self._replacing:
            if self._is_over:
                raise BrowserFailed("it was closed")
            if self._session is None:
                self._session = self._start()
            return self._session

    def _discard(self) -> None:
        with self._replacing:
            if self._session:
                self._session.stop()
            self._session = None

    def end(self) -> None:
        """Stops the browser even while it is at work; no other will be started."""
        self._is_over = True
        self._discard()
