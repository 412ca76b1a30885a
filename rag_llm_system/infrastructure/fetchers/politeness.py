"""Rations requests: how many a host gets at once and how often, when they are repeated, and when no more."""

import itertools
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar
from urllib.parse import urlsplit

from rag_llm_system.domain.crawling import RETRYABLE, Fault
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.infrastructure.fetchers.hosts import Host, Pace
from rag_llm_system.infrastructure.fetchers.identity import USER_AGENT

T = TypeVar("T")


class Turn:
    """Implements Watcher for one fetch: it asks one host at a time, and stands in line again after a redirect."""

    def __init__(
        self,
        link: str,
        host_of: Callable[[str], Host],
        admit: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        self._link = link
        self._clock = clock
        self._host_of = host_of
        self._admit = admit
        self.host: Host | None = None
        self._sent = 0.0
        self._enter(link)

    def sent(self) -> None:
        """Connecting may have taken a while, and the server saw nothing of it."""
        self._sent = self._clock()
        self.arrived()

    def arrived(self) -> None:
        if self.host:
            self.host.count_from(self._sent, self._clock())

    def redirected(self, link: str) -> None:
        self.leave()  # first, as reading robots.txt needs a place as well
        try:
            self._admit(link)
        except CrawlError as error:
            reason = f"redirected to {link}: {error.reason}"
            raise CrawlError(self._link, reason, kind=error.kind) from error
        self._enter(link, is_redirected=True)

    def leave(self) -> None:
        host, self.host = self.host, None
        if host:
            host.leave()

    def _enter(self, link: str, *, is_redirected: bool = False) -> None:
        host = self._host_of(link)
        host.enter(self._link, is_redirected=is_redirected)
        self._sent = self._clock()
        self.host = host


class Politeness:
    """Shared by all fetchers of a crawl and all their threads.

    A host gets at most ``per_host`` requests at once, and one starts at least ``interval_s`` after the one before
    was sent, or answered if that took less than a quarter of the interval; a Crawl-delay of its robots.txt takes the
    place of a shorter interval, up to MAX_CRAWL_DELAY_S. Starts are what a server sees and what Crawl-delay counts;
    from end to start, slow servers would be asked less than they allow.

    What may pass is tried ``retries`` times more, after ``backoff_s``, twice that and so on, less up to half at random,
    or after what the server asks for; where that is over ``max_wait_s``, the host is left alone until then.
    ``clock``, ``sleep`` and ``jitter`` (0 to 1) can be replaced.
    """

    def __init__(
        self,
        *,
        interval_s: float = 1.0,
        per_host: int = 1,
        retries: int = 2,
        max_wait_s: float = 60.0,
        backoff_s: float = 1.0,
        user_agent: str = USER_AGENT,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] | None = None,
        jitter: Callable[[], float] = random.random,  # noqa: S311 - keeps threads apart, hides nothing
    ) -> None:
        self.user_agent = user_agent
        self.clock = clock
        self._pace = Pace(interval_s, per_host, clock, sleep)
        self._retries = retries
        self._max_wait_s = max_wait_s
        self._backoff_s = backoff_s
        self._jitter = jitter
        self._lock = threading.Lock()
        self._hosts: dict[str, Host] = {}

    def ask(self, link: str, ask: Callable[[Turn], T], admit: Callable[[str], None]) -> T:
        """As ``asked``, when the place at the host is not needed any longer."""
        with self.asked(link, ask, admit) as answer:
            return answer

    @contextmanager
    def asked(
        self, link: str, ask: Callable[[Turn], T], admit: Callable[[str], None]
    ) -> Iterator[T]:
        """What ``ask`` gives when its turn has come; the place at the host is kept while the block runs.

        ``admit`` raises CrawlError for a redirect that must not be followed.
        """
        for attempt in itertools.count():
            turn = Turn(link, self._host_of, admit, self.clock)
            try:
                try:
                    answer = ask(turn)
                    turn.arrived()
                except CrawlError as error:
                    pause_s = self._pause_s(link, error, turn.host, attempt)
                    if pause_s is None:
                        raise
                else:
                    if turn.host:
                        turn.host.answered()
                    yield answer
                    return
            finally:
                turn.leave()
            self._pace.sleep(link, pause_s)

    def slow_down(self, link: str, delay_s: float) -> None:
        """robots.txt of the link's host asks for that many seconds between requests."""
        self._host_of(link).slow_down(delay_s)

    @property
    def is_stopped(self) -> bool:
        return self._pace.stopped.is_set()

    def check(self, link: str) -> None:
        """Raises CrawlError when the crawl was stopped."""
        self._pace.check(link)

    def stop(self) -> None:
        """Everyone who waits, or asks from now on, gets a CrawlError; requests under way are not touched."""
        self._pace.stopped.set()
        with self._lock:
            hosts = list(self._hosts.values())
        for host in hosts:
            host.wake()

    def _pause_s(
        self, link: str, error: CrawlError, host: Host | None, attempt: int
    ) -> float | None:
        """Seconds until the link is tried again; None when it is not."""
        if host is None:
            return None  # on the way to another host it was not let in there
        if error.kind not in RETRYABLE:
            host.answered()
            return None
        asked_for_s = error.retry_after_s or 0.0
        fault = Fault(kind=error.kind, reason=error.reason)
        if asked_for_s > self._max_wait_s:
            reason = f"{error.reason}; asked to come back in {asked_for_s:.0f} s"
            host.close(asked_for_s, Fault(kind=error.kind, reason=reason))
            raise CrawlError(
                link, reason, kind=error.kind, retry_after_s=asked_for_s, page=error.page
            ) from error
        host.wait(asked_for_s)
        if attempt >= self._retries:
            host.failed(fault)
            return None
        backoff_s: float = self._backoff_s * 2**attempt * (1 - self._jitter() / 2)
        if error.kind == "busy":
            host.wait(backoff_s)
        return max(asked_for_s, backoff_s)

    def _host_of(self, link: str) -> Host:
        name = (urlsplit(link).hostname or "").rstrip(".")
        host = self._hosts.get(name)
        if host is None:
            with self._lock:
                host = self._hosts.setdefault(name, Host(name, self._pace))
        return host
