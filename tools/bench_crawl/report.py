"""The figures of the crawling benchmark as people and programs read them."""

import json
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

from tools.bench_crawl.goals import Goal, Row, speed_ratio

_PACKAGES = ("trafilatura", "selenium", "scrapy")
_REFERENCE = "ours-http"


def machine() -> dict[str, str]:
    """What the figures depend on, besides the code."""
    load, _, _ = os.getloadavg()
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "machine": f"{os.cpu_count()} cores, {platform.platform()}, load {load:.2f} at the start",
        "versions": ", ".join(
            [f"Python {platform.python_version()}", *(f"{p} {_version(p)}" for p in _PACKAGES)]
        ),
    }


def table_head() -> str:
    return (
        f"{'contender':<16} {'pages':>5} {'seconds':>8} {'pages/s':>8} {'CPU-s/page':>10} "
        f"{_REFERENCE:>9} {'words/page':>10} {'a host':>6}"
    )


def row_line(row: Row, rows: Sequence[Row]) -> str:
    """A line of the table.

    ``ours-http``: how many times faster that is. ``a host``: the most requests that one host had at once, where
    there is a delay to see it.
    """
    run = row.measured
    if run is None or row.site is None:
        return f"{row.contender:<16} {row.missing}"
    ratio = speed_ratio(rows, _REFERENCE, row.contender, row.delay_ms)
    done = run.pages + run.unchanged
    return (
        f"{row.contender:<16} {done:>5} {run.seconds:>8.2f} {run.pages_per_second:>8.2f} "
        f"{run.cpu_s / max(done, 1):>10.4f} {_times(ratio):>9} "
        f"{run.words / max(run.pages, 1):>10.0f} "
        f"{row.site.most_in_flight_per_host if row.delay_ms else '':>6}"
    )


def goal_lines(goals: Sequence[Goal]) -> Iterator[str]:
    for goal in goals:
        verdict = {True: "reached", False: "MISSED", None: "not measured"}[goal.reached]
        wanted = f"at most {goal.bar:g}" if goal.at_most else f"at least {goal.bar:g}"
        shown = "" if goal.measured is None else f"{goal.measured:.4g}"
        where = f"{goal.delay_ms} ms"
        yield f"{verdict:<13} {where:>7}  {goal.name:<42} {shown:>7}  ({wanted})"


def as_json(facts: Mapping[str, str], rows: Sequence[Row], goals: Sequence[Goal]) -> str:
    """Everything that was measured, and what was made of it."""
    figures = {
        **facts,
        "rows": [row.model_dump(mode="json") for row in rows],
        "goals": [{**goal.model_dump(mode="json"), "reached": goal.reached} for goal in goals],
    }
    return json.dumps(figures, indent=2) + "\n"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _times(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.4g}x"
