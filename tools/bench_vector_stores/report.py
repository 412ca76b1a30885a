"""The figures of the vector store benchmark as people and programs read them."""

import json
import os
import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tools.bench_vector_stores.documents import CLAIMED_STORES
from tools.bench_vector_stores.goals import Goal
from tools.bench_vector_stores.points import FILTERS
from tools.bench_vector_stores.race import MANY_THREADS, Figures, Latency, Row

_PACKAGES = ("qdrant-edge-py", "qdrant-client", "faiss-cpu", "chromadb", "numpy")
_SPEED = (
    "store", "upsert points/s", "publish s", "open s", "p50 ms", "p99 ms", "questions/s",
    f"with {MANY_THREADS} threads", "in batches of 64", "recall@10",
)  # fmt: skip
_SPACE = (
    "store", "memory opened MB", "of it no file's", "peak building MB", "on disk MB",
    "reader's wait ms: loading", "publishing",
)  # fmt: skip

_EXPLAINED = """\
Each store builds in one process and answers in another, with its defaults, but a search of NumPy or FAISS gets no
threads of its own. Latency is that of the best of several rounds, which take turns; questions per second come from one
client thread and from several in one process. Recall counts a point that ties with the last of the true ten as right.

`publish` makes the index and makes it durable. A reader's wait is the longest time between two answers to a thread
that searches while another, of the same process, loads the points 1,000 at a time and then publishes. Memory counts
pages of mapped files, which the system may take back; the second column leaves them out.
All processes of a store count.
"""


def machine(packages: Sequence[str] = _PACKAGES) -> dict[str, str]:
    """What the figures depend on, besides the code."""
    load, _, _ = os.getloadavg()
    versions = [f"Python {platform.python_version()}", *(f"{p} {_version(p)}" for p in packages)]
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "machine": f"{_processor()}, {os.cpu_count()} cores, {platform.platform()}, "
        f"load {load:.2f} at the start",
        "versions": ", ".join(versions),
    }


def tables(rows: Sequence[Row]) -> Iterator[str]:
    """Markdown: for each size speed, filters and space."""
    for points in sorted({row.points for row in rows}):
        of_size = [row for row in rows if row.points == points]
        yield f"## {points:,} points\n"
        yield table(_SPEED, ((row.contender, *_speed(row)) for row in of_size))
        yield "Filters, by the share of the points that they keep: recall@10, p50 ms.\n"
        yield table(("store", *FILTERS), ((row.contender, *_filtered(row)) for row in of_size))
        yield table(_SPACE, ((row.contender, *_space(row)) for row in of_size))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; a row that is too short is filled up."""
    lines = [_line(head), "|---" * len(head) + "|"]
    lines += [_line([*row, *[""] * (len(head) - len(row))]) for row in rows]
    return "\n".join(lines) + "\n"


def goal_lines(goals: Sequence[Goal]) -> Iterator[str]:
    for goal in goals:
        verdict = {True: "reached", False: "MISSED", None: "not measured"}[goal.reached]
        wanted = f"at most {goal.bar:g}" if goal.at_most else f"at least {goal.bar:g}"
        shown = "" if goal.measured is None else f"{goal.measured:.4g}"
        yield (
            f"{verdict:<13} {goal.points:>7,}  {goal.contender:<12} {goal.name:<32} "
            f"{shown:>7}  ({wanted})"
        )


def document(
    facts: Mapping[str, str], command: str, rows: Sequence[Row], goals: Sequence[Goal]
) -> str:
    """The whole page; all of it is generated."""
    return "\n".join(
        [
            "# Vector stores\n",
            f"Written by `{command}`; do not edit.\n",
            *(f"- {name}: {value}" for name, value in facts.items()),
            f"\n{_EXPLAINED}",
            *tables(rows),
            "## What they can do\n",
            traits(rows),
            "## What the documents claimed\n",
            CLAIMED_STORES,
            "## Goals\n",
            "```",
            *goal_lines(goals),
            "```\n",
        ]
    )


def as_json(facts: Mapping[str, str], rows: Sequence[Row], goals: Sequence[Goal]) -> str:
    """Everything that was measured, and what was made of it."""
    figures = {
        **facts,
        "rows": [row.model_dump(mode="json") for row in rows],
        "goals": [{**goal.model_dump(mode="json"), "reached": goal.reached} for goal in goals],
    }
    return json.dumps(figures, indent=2) + "\n"


def _speed(row: Row) -> Sequence[str]:
    if (run := row.figures) is None:
        return [row.missing]
    return (
        f"{row.points / run.built.upsert_s:,.0f}",
        f"{run.built.publish_s:.2f}",
        f"{run.opened.open_s:.2f}",
        f"{run.plain.p50_ms:.2f}",
        f"{run.plain.p99_ms:.2f}",
        f"{run.per_second:,.0f}",
        f"{run.per_second_many:,.0f}",
        f"{run.batched_per_second:,.0f}",
        f"{run.plain.recall:.3f}",
    )


def _filtered(row: Row) -> Sequence[str]:
    if row.figures is None:
        return [row.missing]
    return [_latency(row.figures.filtered[name]) for name in FILTERS]


def _latency(found: Latency) -> str:
    return f"{found.recall:.3f}, {found.p50_ms:.2f}"


def _space(row: Row) -> Sequence[str]:
    if (run := row.figures) is None:
        return [row.missing]
    return (
        f"{run.opened.rss_mb:.0f}",
        f"{run.opened.anonymous_mb:.0f}",
        f"{run.built.peak_mb:.0f}",
        "" if run.disk_mb is None else f"{run.disk_mb:.0f}",
        *((f"{run.gaps.loading_ms:.0f}", f"{run.gaps.publishing_ms:.0f}") if run.gaps else ()),
    )


def traits(rows: Sequence[Row]) -> str:
    """What the stores say of themselves."""
    found: dict[str, Figures] = {row.contender: row.figures for row in rows if row.figures}
    names = list(dict.fromkeys(trait for run in found.values() for trait in run.built.traits))
    return table(
        ("store", *(name.replace("_", " ") for name in names)),
        (
            (contender, *(run.built.traits.get(name, "") for name in names))
            for contender, run in found.items()
        ),
    )


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _processor() -> str:
    """Its name where the system tells, else its kind."""
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text(encoding="utf-8").splitlines() if facts.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
