"""One browser behind a proxy of its own: visits links one after the other and says what came of them."""

import contextlib
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from rag_llm_system.infrastructure.fetchers.addresses import AddressRules
from rag_llm_system.infrastructure.fetchers.browser_driver import (
    BrowserDriver,
    CommandFailed,
    TookTooLong,
)
from rag_llm_system.infrastructure.fetchers.browser_flags import OWN_SERVICES
from rag_llm_system.infrastructure.fetchers.browser_installation import Installation
from rag_llm_system.infrastructure.fetchers.browser_log import Response, VisitLog
from rag_llm_system.infrastructure.fetchers.browser_process import BrowserFailed
from rag_llm_system.infrastructure.fetchers.browser_waiting import (
    LOOK,
    LOOK_EVERY_S,
    SCROLL,
    Look,
    Patience,
)
from rag_llm_system.infrastructure.fetchers.egress_proxy import EgressProxy
from rag_llm_system.infrastructure.fetchers.egress_relay import Refused

HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
_READING_S = 5.0  # of a visit's time, kept for taking the page's source
_DOCUMENTS = 5  # how often scripts may lead a visit elsewhere
_FAILED_LOOKS = 30  # in a row; looks fail for a moment while one document gives way to the next
_PARTS = 5  # a page with its scripts may be so many times as large as one response
_SOURCE = """(() => {
  const source = document.documentElement ? document.documentElement.outerHTML : '';
  return source.length > %d ? null : source;
})()"""


@dataclass(frozen=True)
class VisitLimits:
    """What one visit may cost; see BrowserFetcher."""

    page_timeout_s: float
    total_timeout_s: float
    settle_s: float
    challenge_s: float
    max_scrolls: int
    max_bytes: int
    max_rss_mb: int


@dataclass(frozen=True)
class Visit:
    """What came of a visit. ``url`` is of the document shown, "" when none came; ``html`` its source after scripts.

    ``error`` is the browser's name of what went wrong, ``too_large`` the limit that was passed.
    """

    url: str
    response: Response | None = None
    html: str = ""
    error: str = ""
    too_large: str = ""
    has_error_page: bool = False
    has_download: bool = False
    refused: Sequence[Refused] = ()


class BrowserSession:
    """Raises BrowserFailed when the browser does not start. For one thread at a time, except for ``stop``."""

    def __init__(
        self,
        installation: Installation,
        rules: AddressRules,
        limits: VisitLimits,
        *,
        user_agent: str,
        extra_args: Sequence[str],
    ) -> None:
        self._limits = limits
        self._host = ""
        self._is_alive = False
        self._is_overdue = False
        self.is_usable = True
        self.pages = 0
        self._proxy = EgressProxy(
            rules,
            closed_hosts=OWN_SERVICES,
            max_response_bytes=limits.max_bytes,
            max_page_bytes=_PARTS * limits.max_bytes,
            connect_timeout_s=limits.page_timeout_s,
        ).start()
        try:
            self._driver = BrowserDriver(
                installation,
                proxy_port=self._proxy.port,
                page_timeout_s=limits.page_timeout_s,
                max_memory_mb=limits.max_rss_mb,
                user_agent=user_agent,
                extra_args=extra_args,
            )
        except BrowserFailed:
            self._proxy.close()
            raise
        self._proxy.keep_off(self._driver.process.port)

    @property
    def ran_out_of_memory(self) -> bool:
        return self._driver.process.verdict == "memory"

    def stop(self) -> None:
        """Ends the browser, whatever it is doing; a visit under way raises BrowserFailed."""
        self.is_usable = False
        self._driver.stop()
        self._proxy.close()

    def visit(self, url: str) -> Visit:
        """Raises BrowserFailed when the browser broke down, and TookTooLong; the session cannot be used after."""
        self.pages += 1
        self.is_usable = False  # until the visit is over, in whatever way
        clock = threading.Timer(self._limits.total_timeout_s, self._overdue)
        clock.daemon = True  # Ctrl-C may come at any moment, and must not wait for it
        clock.start()
        try:
            return self._visit(url)
        except (BrowserFailed, CommandFailed, TookTooLong) as error:
            if self._is_overdue:
                total_s = self._limits.total_timeout_s
                raise TookTooLong(f"not complete after {total_s:g} s") from error
            if isinstance(error, CommandFailed):
                raise BrowserFailed(str(error)) from error
            raise
        finally:
            clock.cancel()
            clock.join()

    def _overdue(self) -> None:
        self._is_overdue = True
        self._driver.stop()

    def _visit(self, url: str) -> Visit:
        ends_at = time.monotonic() + self._limits.total_timeout_s - _READING_S
        self._forget_other_hosts(url)
        self._proxy.begin_page()
        self._driver.events()  # the rest of the page before
        self._is_alive = True
        log = VisitLog(self._driver.tab)
        source: str | None = ""
        try:
            self._driver.open(url)
        except CommandFailed:
            pass  # there is an error page, or nothing at all: the log knows which, and why
        except TookTooLong:
            if not self._proxy.too_large:
                raise
        self._read(log)
        if _shows_page(log):
            source = self._rendered(log, ends_at)
        visit = Visit(
            url=log.url,
            response=log.response if log.document else log.last_response,
            html=source or "",
            error=log.error,
            too_large=self._proxy.too_large or ("" if source is not None else self._too_long),
            has_error_page=log.has_error_page,
            has_download=log.has_download,
            refused=self._proxy.refused,
        )
        self._leave()
        return visit

    @property
    def _too_long(self) -> str:
        return f"larger than {self._limits.max_bytes:,} characters"

    def _rendered(self, log: VisitLog, ends_at: float) -> str | None:
        """The document's source when it is complete, "" when it is no page after all; None when it is too long."""
        source: str | None = ""
        for _ in range(_DOCUMENTS):
            document = log.document
            self._wait_for(log, ends_at)
            try:
                source = self._source(log) if _shows_page(log) else ""
            except CommandFailed:  # it has just gone
                time.sleep(LOOK_EVERY_S)
                self._read(log)
                if log.document == document:
                    raise
            if log.document == document:
                break
        return source

    def _wait_for(self, log: VisitLog, ends_at: float) -> None:
        """Returns when the document is complete, or another one has taken its place."""
        document, started_at = log.document, time.monotonic()
        patience = Patience(
            started_at, settle_s=self._limits.settle_s, max_scrolls=self._limits.max_scrolls
        )
        failed_looks = 0
        while (looked_at := time.monotonic()) < ends_at and not self._proxy.too_large:
            look = self._look()
            self._read(log)
            if log.document != document or not _shows_page(log):
                return
            failed_looks = 0 if look else failed_looks + 1
            if failed_looks > _FAILED_LOOKS:
                raise BrowserFailed("the page cannot be looked at")
            now_s = time.monotonic()
            clears = look and look.is_challenge and now_s - started_at < self._limits.challenge_s
            if look and not clears:
                self._is_alive = look.alive
                step = patience.after(look, now_s=now_s, waiting_s=log.waiting_s(now_s))
                if step == "done":
                    return
                if step == "scroll":
                    self._try(SCROLL)
            # looking at a large page is work
            time.sleep(max(LOOK_EVERY_S, 2 * (now_s - looked_at)))

    def _look(self) -> Look | None:
        values = self._try(LOOK)
        return Look(**values) if isinstance(values, dict) else None

    def _try(self, script: str) -> object:
        """The script's value, or None while one document gives way to another."""
        try:
            value: object = self._driver.evaluate(script)
        except CommandFailed:
            return None
        return value

    def _source(self, log: VisitLog) -> str | None:
        source = self._driver.evaluate(_SOURCE % self._limits.max_bytes)
        self._read(log)
        return source if isinstance(source, str) else None

    def _read(self, log: VisitLog) -> None:
        log.read(self._driver.events(), time.monotonic())

    def _forget_other_hosts(self, url: str) -> None:
        """What one host stored is not shown to the next; within a host it stays, as it saves requests."""
        host = urlsplit(url).netloc
        if self._host not in {"", host}:
            self._driver.forget()
        self._host = host

    def _leave(self) -> None:
        """Between visits no script runs. The visit counts even if that fails; the session then ends with it."""
        if not self._is_alive:
            self.is_usable = True
            return
        with contextlib.suppress(BrowserFailed, CommandFailed, TookTooLong):
            self._driver.leave()
            self.is_usable = True


def _shows_page(log: VisitLog) -> bool:
    """Whether there is a document of a web server that can be looked at."""
    response = log.response
    return response is not None and not log.has_error_page and response.media_type in HTML_TYPES
