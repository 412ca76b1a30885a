"""One host of a crawl: whose turn it is to ask it, from when on, and whether it is worth asking."""

import math
import threading
from collections import deque
from collections.abc import Callable

from rag_llm_system.domain.crawling import Fault
from rag_llm_system.domain.errors import CrawlError

# A longer Crawl-delay is kept as this, the longest wait of Heritrix's default profile.
MAX_CRAWL_DELAY_S = 30.0
# After so many links in a row that could not be read, the others of the host are not tried for a while.
BREAK_AFTER = 5
BREAK_S = 300.0
# Of an interval: an answer that comes within this time is known to have been asked for before, which guards the
# interval as servers see it (requests were logged 130 ms late on a busy machine); more would slow down what slow
# servers may be asked.
_ON_THE_WAY = 0.25


class Pace:
    """How fast requests may go, and the clock that they go by; shared by all hosts."""

    def __init__(
        self,
        interval_s: float,
        per_host: int,
        clock: Callable[[], float],
        sleep: Callable[[float], object] | None,
    ) -> None:
        self.interval_s = interval_s
        self.per_host = per_host
        self.clock = clock
        self.stopped = threading.Event()
        self._sleep = sleep or self.stopped.wait

    def sleep(self, link: str, seconds: float) -> None:
        """Raises CrawlError when the crawl is stopped meanwhile."""
        self._sleep(seconds)
        self.check(link)

    def check(self, link: str) -> None:
        if self.stopped.is_set():
            raise CrawlError(link, "the crawl was stopped", kind="failed")


class Host:
    """One host: who may ask it, from when on, and whether it is worth asking."""

    def __init__(self, name: str, pace: Pace) -> None:
        self.name = name
        self._pace = pace
        self._gap_s = pace.interval_s
        self._lock = threading.Lock()
        self._asking = 0
        self._waiting: deque[threading.Event] = deque()
        self._last_start = -math.inf
        self._not_before = -math.inf
        self._failures = 0
        self._closed_until = -math.inf
        self._closed = Fault(kind="failed", reason="")

    def enter(self, link: str, *, is_redirected: bool = False) -> None:
        """Waits for one's turn: first come, first served, but who was redirected has waited before.

        Raises CrawlError while the host is not worth asking, and when the crawl is stopped.
        """
        self._wait_in_line(link, is_redirected)
        try:
            self._check(link)
            self._wait_for_start(link)
        except BaseException:
            self.leave()
            raise

    def leave(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()  # takes the place over
            else:
                self._asking -= 1

    def count_from(self, sent: float, arrived: float) -> None:
        """Take the interval to begin between the two, when the server saw the request.

        A little after it was sent, as neither the way there nor a busy server takes the same time for each.
        """
        if self._gap_s:
            seen = min(arrived, sent + _ON_THE_WAY * self._gap_s)
            with self._lock:
                self._last_start = max(self._last_start, seen)

    def slow_down(self, delay_s: float) -> None:
        self._gap_s = max(self._gap_s, min(delay_s, MAX_CRAWL_DELAY_S))

    def wait(self, seconds: float) -> None:
        """Nobody asks again before."""
        with self._lock:
            self._not_before = max(self._not_before, self._pace.clock() + seconds)

    def close(self, seconds: float, fault: Fault) -> None:
        """Who asks before is told this at once."""
        with self._lock:
            self._closed_until, self._closed = self._pace.clock() + seconds, fault

    def answered(self) -> None:
        self._failures = 0

    def failed(self, fault: Fault) -> None:
        """A link could not be read, for all repetitions."""
        with self._lock:
            self._failures += 1
            broken = self._failures >= BREAK_AFTER
        if broken:
            reason = (
                f"{self.name} failed {BREAK_AFTER} links in a row, the last with: {fault.reason}"
            )
            self.close(BREAK_S, Fault(kind=fault.kind, reason=reason))

    def wake(self) -> None:
        """All who stand in line, when the crawl is stopped."""
        with self._lock:
            for place in self._waiting:
                place.set()
            self._waiting.clear()

    def _wait_in_line(self, link: str, is_redirected: bool) -> None:
        with self._lock:
            self._pace.check(link)
            if self._asking < self._pace.per_host:
                self._asking += 1
                return
            place = threading.Event()
            (self._waiting.appendleft if is_redirected else self._waiting.append)(place)
        try:
            place.wait()
            self._pace.check(link)
        except BaseException:  # nobody must hand the place over to one who has gone
            with self._lock:
                given = place not in self._waiting
                if not given:
                    self._waiting.remove(place)
            if given:
                self.leave()
            raise

    def _check(self, link: str) -> None:
        left = self._closed_until - self._pace.clock()
        if left > 0:
            fault = self._closed
            raise CrawlError(link, fault.reason, kind=fault.kind, retry_after_s=left)

    def _wait_for_start(self, link: str) -> None:
        with self._lock:
            start = max(self._pace.clock(), self._last_start + self._gap_s)
            self._last_start = start
        while (left := max(start, self._not_before) - self._pace.clock()) > 0:
            self._pace.sleep(link, left)
            self._check(link)
