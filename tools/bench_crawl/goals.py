"""What the crawler has to reach against the other contenders, in figures of one run."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from rag_llm_system.domain.documents import Value
from tools.bench_crawl.contenders.job import Measured
from tools.bench_crawl.site import SiteLog


class Row(Value):
    """One contender at one delay: what it measured and what the site saw of it, or why there is neither."""

    contender: str
    delay_ms: int
    measured: Measured | None = None
    site: SiteLog | None = None
    missing: str = ""
    failed: bool = False


class Goal(Value):
    """A bar that is a least or, when ``at_most``, a greatest value; ``measured`` is None without its rows."""

    name: str
    delay_ms: int
    bar: float
    at_most: bool = False
    measured: float | None = None

    @property
    def reached(self) -> bool | None:
        if self.measured is None:
            return None
        return self.measured <= self.bar if self.at_most else self.measured >= self.bar


class _Race(NamedTuple):
    """``faster`` crawls at least ``ratio`` times the pages of ``slower``; ``delay_ms`` None: at every delay."""

    name: str
    faster: str
    slower: str
    ratio: float
    delay_ms: int | None = None


# The bars leave room below what a first measurement showed. A driver that waits is beaten by not waiting, so that one
# is judged at a delay as of the open web; what rendering or asking again costs by itself shows without any.
_RACES = (
    _Race("HTTP lane : Scrapy", "ours-http", "scrapy", 1.0),
    _Race("HTTP lane : a driver per link that sleeps", "ours-http", "older", 200.0),
    _Race("HTTP lane : one reused driver", "ours-http", "reused-driver", 20.0, 300),
    _Race("browser lane : a driver per link", "ours-browser", "driver-per-link", 5.0, 0),
    _Race("second crawl : first crawl", "ours-again", "ours-http", 5.0, 0),
)


class _Count(NamedTuple):
    """Something of a row that must be none at all."""

    name: str
    contender: str
    of: Callable[[Measured, SiteLog], int]


_NONE_OF = (
    _Count("second crawl: pages sent again", "ours-again", lambda _, site: site.pages),
    _Count("second crawl: pages with text taken out", "ours-again", lambda run, _: run.pages),
    _Count("second crawl: links failed", "ours-again", lambda run, _: run.failed),
    _Count("requests that robots.txt forbids", "ours-http", lambda _, site: site.disallowed),
)


def speed_ratio(rows: Sequence[Row], faster: str, slower: str, delay_ms: int) -> float | None:
    """How many pages the one crawls while the other crawls one; None when either is missing."""
    one, other = (find_row(rows, name, delay_ms) for name in (faster, slower))
    if not (one and other and one.measured and other.measured):
        return None
    slow = other.measured.pages_per_second
    return one.measured.pages_per_second / slow if slow else None


def find_row(rows: Sequence[Row], contender: str, delay_ms: int) -> Row | None:
    return next((r for r in rows if (r.contender, r.delay_ms) == (contender, delay_ms)), None)


def goals(rows: Sequence[Row]) -> list[Goal]:
    """Every goal for the delays of these rows, in the order of the delays."""
    return [goal for delay_ms in _delays(rows) for goal in _goals_at(rows, delay_ms)]


def _delays(rows: Sequence[Row]) -> list[int]:
    return sorted({row.delay_ms for row in rows})


def _goals_at(rows: Sequence[Row], delay_ms: int) -> Iterator[Goal]:
    for race in _RACES:
        if race.delay_ms in {None, delay_ms}:
            ratio = speed_ratio(rows, race.faster, race.slower, delay_ms)
            yield Goal(name=race.name, delay_ms=delay_ms, bar=race.ratio, measured=ratio)
    for count in _NONE_OF:
        row = find_row(rows, count.contender, delay_ms)
        known = count.of(row.measured, row.site) if row and row.measured and row.site else None
        yield Goal(name=count.name, delay_ms=delay_ms, bar=0, at_most=True, measured=known)
