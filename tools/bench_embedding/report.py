"""The figures of the embedding benchmark as people and programs read them."""

import json
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from tools.bench_embedding.flops import EncoderShape
from tools.bench_embedding.goals import DOCUMENTED, Goal, Quality, Row, speed_ratio
from tools.bench_embedding.processor import Peak, Processor
from tools.bench_embedding.texts import Sample

_PACKAGES = ("torch", "sentence-transformers", "fastembed", "onnxruntime")


def machine(processor: Processor) -> dict[str, str]:
    """What the figures depend on, besides the code."""
    load, _, _ = os.getloadavg()
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "machine": f"{os.cpu_count()} cores, {platform.platform()}, load {load:.2f} at the start",
        "processor": f"{processor.name} ({processor.shown_flags})",
        "versions": ", ".join(
            [f"Python {platform.python_version()}", *(f"{p} {_version(p)}" for p in _PACKAGES)]
        ),
    }


def peak_line(peak: Peak) -> str:
    figures = ", ".join(f"{gflops:.0f} GFLOP/s in {name}" for name, gflops in peak.gflops.items())
    return f"matrix multiplication: {figures}, {peak.threads} threads of torch"


def sample_line(sample: Sample) -> str:
    longest = max(sample.tokens, default=0)
    return (
        f"texts: {len(sample.texts)}, {sum(sample.tokens)} tokens, longest {longest}, "
        f"digest {sample.digest}"
    )


class Table:
    """The rows as lines, with figures that follow from the texts and the processor."""

    head = (
        f"{'contender':<21} {'dtype':<8} {'load s':>6} {'best s':>7} {'median':>7} {'CPU s':>7} {'texts/s':>8} "
        f"{'tokens/s':>8} {'of peak':>7} {DOCUMENTED:>10} {'cosine min':>10} {'mean':>8} {'MB':>6}"
    )

    def __init__(
        self, rows: Sequence[Row], sample: Sample, shape: EncoderShape, peak: Peak
    ) -> None:
        self._rows, self._sample, self._peak = rows, sample, peak
        self._gflop = sum(map(shape.flops, sample.tokens)) / 1e9

    def figures(self, row: Row) -> Mapping[str, float | None]:
        gflops, peak = self._gflop / row.best_s, self._peak.gflops.get(row.dtype)
        return {
            "texts_per_second": len(self._sample.texts) / row.best_s,
            "tokens_per_second": sum(self._sample.tokens) / row.best_s,
            "gflops": gflops,
            "share_of_peak": gflops / peak if peak else None,
            "times_documented": speed_ratio(self._rows, row.contender, DOCUMENTED),
        }

    def lines(self) -> Iterator[str]:
        """``CPU s``: the least of a round, all threads. ``documented``: how many times faster than that way.

        ``MB``: the most memory that the process had.
        """
        yield self.head
        for row in self._rows:
            yield self._line(row) if row.runs else f"{row.contender:<21} {row.missing}"

    def _line(self, row: Row) -> str:
        figures = self.figures(row)
        return (
            f"{row.contender:<21} {row.dtype:<8} {row.load_s:>6.1f} {row.best_s:>7.2f} {row.median_s:>7.2f} "
            f"{row.cpu_s:>7.2f} {figures['texts_per_second']:>8.1f} {figures['tokens_per_second']:>8.0f} "
            f"{_shown(figures['share_of_peak'], '.1%'):>7} "
            f"{_shown(figures['times_documented'], '.2f', 'x'):>10} {_shown(row.cosine_min, '.6f'):>10} "
            f"{_shown(row.cosine_mean, '.6f'):>8} {row.peak_bytes / 1e6:>6.0f}"
        )


def quality_lines(quality: Sequence[Quality]) -> Iterator[str]:
    yield f"{'nDCG@10':<16} {'documents':>9} {'queries':>7} {'ours':>8} {'float32':>8} {'loss':>8}"
    for each in quality:
        yield (
            f"{each.benchmark:<16} {each.documents:>9} {each.queries:>7} {each.ours:>8.4f} "
            f"{each.float32:>8.4f} {each.loss:>+8.4f}  ({each.exact})"
        )


def goal_lines(goals: Sequence[Goal]) -> Iterator[str]:
    for goal in goals:
        verdict = {True: "reached", False: "MISSED", None: "not measured"}[goal.reached]
        if goal.not_judged and goal.measured is not None:
            verdict = "not judged"
        wanted = f"{'below' if goal.below else 'at least'} {goal.bar:g}"
        why = f"; not judged here: {goal.not_judged}" if goal.not_judged else ""
        yield f"{verdict:<13} {goal.name:<34} {_shown(goal.measured, '.4g'):>8}  ({wanted}{why})"


def as_json(
    facts: Mapping[str, Any], table: Table, rows: Sequence[Row], **judged: Sequence[Quality | Goal]
) -> str:
    """Everything that was measured, and what was made of it."""
    figures = {
        **facts,
        "rows": [
            {**row.model_dump(mode="json"), **(table.figures(row) if row.runs else {})}
            for row in rows
        ],
        **{name: [_dumped(each) for each in values] for name, values in judged.items()},
    }
    return json.dumps(figures, indent=2) + "\n"


def _dumped(each: Quality | Goal) -> dict[str, Any]:
    derived = {"loss": each.loss} if isinstance(each, Quality) else {"reached": each.reached}
    return {**each.model_dump(mode="json"), **derived}


def _shown(value: float | None, style: str, unit: str = "") -> str:
    return "" if value is None else f"{value:{style}}{unit}"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
