"""What a contender is given, what it gives back, and how its time is taken."""

import ctypes
import os
import resource
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

from rag_llm_system.domain.documents import Value

CHILDREN_GRACE_S = 15.0  # the embedded MongoDB notices within a second that its last client is gone
_POLL_S = 0.02
_PR_SET_CHILD_SUBREAPER = 36  # prctl(2)


class Job(Value):
    """Links to crawl; their hosts are all at ``address``. Files may be written to ``folder``.

    At most ``per_host`` requests of a host and ``concurrency`` of all may run at once.
    """

    links: tuple[str, ...]
    hosts: tuple[str, ...]
    address: str
    folder: Path
    per_host: int = 2
    concurrency: int = 32


class Crawled(Value):
    """``pages`` gave text, of so many ``words``; ``unchanged`` ones had been crawled before."""

    pages: int
    words: int = 0
    unchanged: int = 0
    failed: int = 0


class Measured(Crawled):
    """``seconds`` and ``cpu_s`` from the start of crawling; the latter with every process that took part."""

    seconds: float
    cpu_s: float

    @property
    def pages_per_second(self) -> float:
        return (self.pages + self.unchanged) / self.seconds if self.seconds else 0.0


class Stopwatch:
    """Takes the time of the block: imports and the start of a store come before it."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._own_cpu_s = 0.0
        self._children_before_s = 0.0

    def __enter__(self) -> None:
        self._children_before_s = _cpu_s(resource.RUSAGE_CHILDREN)
        self._own_cpu_s = -_cpu_s(resource.RUSAGE_SELF)
        self._started = time.perf_counter()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.seconds = time.perf_counter() - self._started
        self._own_cpu_s += _cpu_s(resource.RUSAGE_SELF)

    def cpu_s(self) -> float:
        """Also of the children; they count once they have ended, so wait for them before."""
        return self._own_cpu_s + _cpu_s(resource.RUSAGE_CHILDREN) - self._children_before_s


def crawled(texts: Iterable[str], *, unchanged: int = 0, failed: int = 0) -> Crawled:
    """The sum over the texts of all pages; one without text is no page."""
    words = [len(text.split()) for text in texts]
    return Crawled(
        pages=sum(count > 0 for count in words),
        words=sum(words),
        unchanged=unchanged,
        failed=failed + sum(count == 0 for count in words),
    )


def adopt_orphans() -> None:
    """Make this process the parent of every descendant that loses its own, so that their CPU time is counted.

    Chromium and the embedded MongoDB let go of their processes. Only Linux can do it.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def outlive_children(grace_s: float = CHILDREN_GRACE_S) -> None:
    """Wait for every child; those that are still there after the grace are killed."""
    deadline = time.monotonic() + grace_s
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid:
            continue
        if time.monotonic() > deadline:
            for child in _children():
                os.kill(child, signal.SIGKILL)
        time.sleep(_POLL_S)


def _children() -> list[int]:
    """Empty where there is no /proc to tell: those are left to their own end."""
    lists = Path("/proc/self/task").glob("*/children")
    return [int(pid) for found in lists for pid in found.read_text(encoding="ascii").split()]


def _cpu_s(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime
