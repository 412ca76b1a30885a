"""The figures of the serving benchmark as people and programs read them."""

import json
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from tools.bench_serving.goals import Goal, Loads
from tools.bench_serving.load import Load

_HEAD = (
    "route",
    "clients",
    "requests",
    "p50 ms",
    "p95 ms",
    "p99 ms",
    "first ms",
    "req/s",
    "errors",
)


def facts(chunks: int) -> dict[str, str]:
    load, _, _ = os.getloadavg()
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "machine": f"{os.cpu_count()} cores, {platform.platform()}, load {load:.2f} at the start",
        "versions": f"Python {platform.python_version()}",
        "index": f"{chunks} chunks of docstrings and files of the installed packages",
    }


def row(route: str, load: Load) -> tuple[str, ...]:
    """``first``: the median of the time to the first piece of an answer."""
    shares = (f"{1000 * load.percentile(share):.0f}" for share in (0.50, 0.95, 0.99))
    first = f"{1000 * load.percentile(0.5, first=True):.0f}"
    return (
        route, str(load.clients), str(len(load.samples)), *shares, first, f"{load.rate:.1f}", str(load.errors),
    )  # fmt: skip


def line(cells: Sequence[str] = _HEAD) -> str:
    return f"{cells[0]:<14}" + "".join(f"{cell:>10}" for cell in cells[1:])


def goal_lines(goals: Sequence[Goal]) -> Iterator[str]:
    for goal in goals:
        verdict = {True: "reached", False: "MISSED", None: "not measured"}[goal.reached]
        shown = "" if goal.measured is None else f"{goal.measured:.4g}"
        bar = f"{'at most' if goal.at_most else 'at least'} {goal.bar:g}"
        yield f"{verdict:<13} {goal.name:<62} {shown:>7}  ({bar})"


def page(
    told: Mapping[str, str], loads: Loads, memory: Mapping[str, str], goals: Sequence[Goal]
) -> str:
    """The same as Markdown."""
    lines = [
        "# Serving",
        "",
        "Written by `poe bench-serving -- --page FILE`. Each client asks as soon as it has its answer. `/rag` answers",
        "by quotes, so its time is that of everything but a language model; `/infer` writes 64 tokens behind a prompt",
        "of some 300 with a Llama of 3.1 million parameters and random weights. The naive server is an endpoint around",
        "`model.generate`, with the same model.",
        "",
        *(f"- {name}: {value}" for name, value in told.items()),
        "",
        f"| {' | '.join(_HEAD)} |",
        f"| {' | '.join('---' for _ in _HEAD)} |",
        *(f"| {' | '.join(row(route, load))} |" for (route, _), load in loads.items()),
        "",
        "| memory | MB |",
        "| --- | --- |",
        *(f"| {name} | {value} |" for name, value in memory.items()),
        "",
        "| goal | bar | measured | |",
        "| --- | --- | --- | --- |",
        *(
            f"| {g.name} | {'at most' if g.at_most else 'at least'} {g.bar:g} |"
            f" {'' if g.measured is None else f'{g.measured:.3g}'} |"
            f" {({True: 'reached', False: 'missed', None: 'not measured'})[g.reached]} |"
            for g in goals
        ),
        "",
    ]
    return "\n".join(lines)


def as_json(told: Mapping[str, str], loads: Loads, memory: Mapping[str, str]) -> str:
    """Each request with its times."""
    figures = {
        **told,
        "memory_mb": dict(memory),
        "loads": [
            {"route": route, **load.model_dump(mode="json")} for (route, _), load in loads.items()
        ],
    }
    return json.dumps(figures) + "\n"
