"""Measures one part of the page after the other, and says what its figures depend on."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import click

from rag_llm_system.application.evaluation.code_questions import Half
from rag_llm_system.bootstrap import build
from rag_llm_system.domain.ports import encoder_name
from rag_llm_system.settings import Settings
from tools.bench_code import quality as asking
from tools.bench_code.corpora import OWN, corpora
from tools.bench_code.cosqa import measure_benchmark
from tools.bench_code.figures import Part, Run, Scaled, with_rows
from tools.bench_code.measures import SHOWN, per_question
from tools.bench_code.ours import ENGINE, overlap_of
from tools.bench_code.reindexing import reindex
from tools.bench_code.scaling import scale
from tools.bench_vector_stores.report import machine

Measure = Callable[[Part | None], Part]
"""What was kept of the part, None for nothing, to what is kept of it now."""

_PACKAGES = ("torch", "qdrant-edge-py", "langchain-text-splitters", "tree-sitter-python", "numpy")
_MISSED_BEHIND = 8


class Told(NamedTuple):
    """What a page says of a run besides its figures."""

    command: str
    seed: int


def quality(told: Told, settings: Settings, keep: Path | None, _before: Part | None) -> Part:
    facts = _facts(told, settings)
    size = settings.CODE_CHUNK_TOKENS, settings.CODE_CHUNK_OVERLAP_TOKENS
    runs, rows = asking.measure(settings, [size], keep=keep)
    for line in (*_lines(runs), *_missed(runs)):
        click.echo(line)
    return Part(facts=facts, command=told.command, runs=runs, indexed=rows)


def sizes(
    told: Told, settings: Settings, tokens: Sequence[int], keep: Path | None, _before: Part | None
) -> Part:
    facts = _facts(told, settings)
    known = {settings.CODE_CHUNK_TOKENS: settings.CODE_CHUNK_OVERLAP_TOKENS}
    wanted = [(each, known.get(each, overlap_of(each))) for each in tokens]
    runs, rows = asking.measure(settings, wanted, keep=keep, only_ours=True)
    for line in _lines(runs, half="dev"):
        click.echo(line)
    return Part(facts=facts, command=told.command, runs=runs, indexed=rows)


def cosqa(
    told: Told,
    settings: Settings,
    folder: Path,
    _before: Part | None,
    *,
    split: str,
    keep: Path | None,
) -> Part:
    facts = _facts(told, settings)
    runs, row = measure_benchmark(folder, split, settings, keep=keep)
    for line in _lines(runs):
        click.echo(line)
    return Part(facts=facts, command=told.command, runs=runs, indexed=(row,))


def scaling(told: Told, files: Sequence[int], corpus: Path | None, before: Part | None) -> Part:
    """Rows of other numbers of files stay as they were measured."""
    settings = Settings(_env_file=None)
    facts = _facts(told, settings)
    rows: list[Scaled] = []
    for count in files:
        rows.append(scale(count, corpus))
        click.echo(rows[-1].model_dump_json())
    kept = with_rows(before.scaled if before else (), rows)
    return Part(facts=facts, command=told.command, scaled=kept)


def reindexing(told: Told, settings: Settings, _before: Part | None) -> Part:
    facts = _facts(told, settings)
    rows = reindex(corpora()[OWN], settings)
    for row in rows:
        click.echo(row.model_dump_json())
    return Part(facts=facts, command=told.command, reindexed=rows)


def _facts(told: Told, settings: Settings) -> Mapping[str, str]:
    with build(settings) as system:  # names it; nothing is loaded
        encoder = encoder_name(system.embedder)
    size = f"{settings.CODE_CHUNK_TOKENS} tokens, overlap {settings.CODE_CHUNK_OVERLAP_TOKENS}"
    return {**machine(_PACKAGES), "encoder": encoder, "chunks": size, "seed": str(told.seed)}


def _lines(runs: Sequence[Run], half: Half | None = None) -> Iterator[str]:
    yield f"{'way':28} {'chunks':30}" + "".join(f"{name:>22}" for name in SHOWN)
    for run in runs:
        some = [one for one in run.answered if half in (None, one.half)]
        values = (per_question(name, some).values() for name in SHOWN)
        means = "".join(f"{sum(each) / len(each):22.3f}" for each in values)
        yield f"{run.way:28} {run.size:30}{means}"


def _missed(runs: Sequence[Run]) -> Iterator[str]:
    """Of the half that one may look at."""
    for run in runs:
        if run.way == ENGINE:
            for one in run.answered:
                if one.half == "dev" and (one.rank is None or one.rank > _MISSED_BEHIND):
                    yield f"missed ({one.corpus}, {one.kind}, rank {one.rank}): {one.question}"
