"""The figures of the indexing benchmark as people and programs read them."""

import json
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from tools.bench_indexing.goals import Goal
from tools.bench_indexing.stages import FULL, Row, by_stage


def machine(encoder: str, documents: str) -> dict[str, str]:
    """What the figures depend on, besides the code."""
    load, _, _ = os.getloadavg()
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "machine": f"{os.cpu_count()} cores, {platform.platform()}, load {load:.2f} at the start",
        "versions": f"Python {platform.python_version()}",
        "encoder": encoder,
        "documents": documents,
    }


def table_head() -> str:
    return (
        f"{'run':<22} {'documents':>9} {'changed':>7} {'chunks':>7} {'windows':>7} {'encoded':>7} {'share':>7} "
        f"{'written':>7} {'removed':>7} {'seconds':>8} {'of full':>7} {'CPU s':>7} {'MB':>6}"
    )


def row_line(row: Row, rows: Sequence[Row]) -> str:
    """``share``: of the texts that the full run encoded; ``of full``: of its seconds."""
    run = row.measured
    if run is None:
        return f"{row.stage:<22} {row.note}"
    full = by_stage(rows).get(FULL)
    encoded, seconds = (full.encoded, full.seconds) if full else (0, 0.0)
    return (
        f"{row.stage:<22} {run.documents:>9} {run.changed:>7} {run.chunks:>7} {run.windows:>7} {run.encoded:>7} "
        f"{_share(run.encoded, encoded):>7} {run.written:>7} {run.removed:>7} {run.seconds:>8.2f} "
        f"{_share(run.seconds, seconds):>7} {run.cpu_s:>7.1f} {row.peak_mb:>6.0f}"
    )


def rate_line(row: Row) -> str:
    run = row.measured
    return f"{run.chunks / run.seconds:.0f} chunks a second" if run else ""


def goal_lines(goals: Sequence[Goal]) -> Iterator[str]:
    for goal in goals:
        verdict = {True: "reached", False: "MISSED", None: "not measured"}[goal.reached]
        shown = "" if goal.measured is None else f"{goal.measured:.4g}"
        yield f"{verdict:<13} {goal.name:<46} {shown:>7}  (at most {goal.bar:g})"


def as_json(facts: Mapping[str, str], rows: Sequence[Row], goals: Sequence[Goal]) -> str:
    """Everything that was measured, and what was made of it."""
    figures = {
        **facts,
        "rows": [row.model_dump(mode="json") for row in rows],
        "goals": [{**goal.model_dump(mode="json"), "reached": goal.reached} for goal in goals],
    }
    return json.dumps(figures, indent=2) + "\n"


def _share(part: float, whole: float) -> str:
    return f"{part / whole:.2%}" if whole else ""
