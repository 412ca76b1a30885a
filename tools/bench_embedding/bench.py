"""The whole benchmark, from the texts to the verdicts."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from rag_llm_system.application.evaluation.beir import Benchmark, read_benchmark
from rag_llm_system.domain.ports import Embedder
from rag_llm_system.infrastructure.embedders import EMBEDDERS
from rag_llm_system.infrastructure.loading import load
from tools.bench_embedding.contenders.engine import weights
from tools.bench_embedding.flops import EncoderShape
from tools.bench_embedding.goals import Quality, Row, goals
from tools.bench_embedding.processor import best_of, measured_peak, this_processor
from tools.bench_embedding.quality import measure_quality
from tools.bench_embedding.race import Contender, Plan, Say, race, running
from tools.bench_embedding.report import (
    Table,
    as_json,
    goal_lines,
    machine,
    peak_line,
    quality_lines,
    sample_line,
)
from tools.bench_embedding.text_files import read_texts
from tools.bench_embedding.texts import project_texts, sample_of, spread


class Wanted(NamedTuple):
    """``data`` None: texts of the project, ``at_most`` so many; ``folders`` hold retrieval benchmarks."""

    plans: Sequence[Plan]
    data: Path | None
    at_most: int
    folders: Sequence[Path]
    rounds: int


class Found(NamedTuple):
    """``missed``: a judged goal was not reached, or a contender failed."""

    json: str
    missed: bool


def bench(wanted: Wanted, *, show: Say, say: Say) -> Found:
    """``show`` gets the result line by line, ``say`` what is going on. Bad input raises before anything is run."""
    benchmarks = [read_benchmark(folder) for folder in wanted.folders]
    given = read_texts(wanted.data) if wanted.data else None
    embedder: Embedder = load("embedder", "sentence-transformers", EMBEDDERS)(device="cpu")
    texts = project_texts(wanted.at_most, embedder) if given is None else given
    sample = sample_of(spread(texts, wanted.at_most), embedder)
    processor = this_processor()
    facts = machine(processor)
    for line in (*(f"{name}: {value}" for name, value in facts.items()), sample_line(sample)):
        show(line)
    with TemporaryDirectory(prefix="bench-embedding-") as name:
        folder = Path(name)
        say("measuring the matrix multiplication")
        before = measured_peak()
        with running(wanted.plans, folder, say) as (contenders, absent):
            raced = race(contenders, sample.texts, wanted.rounds, folder, say)
            rows = _in_order(wanted.plans, raced, absent)
            peak = best_of(before, measured_peak())
            table = Table(rows, sample, EncoderShape.of(weights()), peak)
            for line in (peak_line(peak), "", *table.lines()):
                show(line)
            alive = {row.contender: contenders[row.contender] for row in rows if row.runs}
            quality = list(_qualities(benchmarks, alive, embedder, folder, say))
    judged = goals(rows, quality, processor)
    shown = [*(["", *quality_lines(quality)] if quality else []), "", *goal_lines(judged)]
    for line in shown:
        show(line)
    every = {**facts, "texts": sample_line(sample), "peak": peak.model_dump(mode="json")}
    return Found(
        json=as_json(every, table, rows, quality=quality, goals=judged),
        missed=any(row.failed for row in rows) or any(goal.reached is False for goal in judged),
    )


def _in_order(plans: Sequence[Plan], raced: Sequence[Row], absent: Mapping[str, Row]) -> list[Row]:
    by_name = {**absent, **{row.contender: row for row in raced}}
    return [by_name[plan.contender] for plan in plans]


def _qualities(
    benchmarks: Sequence[Benchmark],
    contenders: Mapping[str, Contender],
    embedder: Embedder,
    folder: Path,
    say: Say,
) -> Iterator[Quality]:
    for benchmark in benchmarks:
        measured = measure_quality(benchmark, contenders, embedder, folder, say)
        if measured:
            yield measured
