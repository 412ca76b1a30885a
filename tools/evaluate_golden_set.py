"""Asks one's own index the questions of a golden set: ``poe evaluate-golden-set``."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rag_llm_system.domain.errors import MissingFile
from rag_llm_system.settings import load_settings
from tools.errors import clean_exit
from tools.start import start

if TYPE_CHECKING:
    from rag_llm_system.application.evaluation.golden import GoldenQuestion
    from rag_llm_system.application.evaluation.runs import Run
    from rag_llm_system.bootstrap import System

_SHOWN = 3
_NAMED = 20
"""Questions whose document was not among the first ``_SHOWN``, named on the terminal; the output file has all."""


@click.command(
    help="Ask the index in use the questions of a golden set (poe make-golden-set proposes one), and name those whose "
    "document is not among the first three."
)
@click.option(
    "--questions",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="JSON lines with question and link. Default: golden_set.jsonl in the data directory.",
)
@click.option(
    "--stages",
    "named",
    default="",
    metavar="STAGE=WAY,...",
    help="Other stages than the default's, such as ranking=dense,reranker=off.",
)
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="Where every question goes."
)
def main(path: Path | None, named: str, output: Path | None) -> None:
    with clean_exit():
        from rag_llm_system.application.evaluation.golden import GOLDEN_SET, read_golden
        from rag_llm_system.application.evaluation.whole_files import write_whole
        from rag_llm_system.bootstrap import build
        from tools.evaluate_retrieval.report import make_room

        settings = load_settings()
        path = path or settings.data_dir / GOLDEN_SET
        questions = {row.key: row for row in read_golden(path)}
        if not questions:
            raise MissingFile(f"{path} has no questions; propose some: poe make-golden-set")
        if output:
            make_room(output)
        with build(settings) as system:
            found = _asked(system, list(questions.values()), named)
        for line in _lines(questions, found):
            click.echo(line)
        if output:
            write_whole(output, _rows(questions, found))


def _asked(system: "System", questions: "Sequence[GoldenQuestion]", named: str) -> "Run":
    from rag_llm_system.application.evaluation.gate_results import expected_documents
    from rag_llm_system.application.evaluation.runs import run
    from rag_llm_system.application.preprocessing.categories import SEARCHED
    from tools.evaluate_retrieval.stages import stages_named

    stages = stages_named(named)
    expected = expected_documents(questions, system.vectors)
    if not expected:
        raise MissingFile("none of the links is indexed; run: poe run-feature-engineering-pipeline")
    there = {
        record.id: record.id
        for category in SEARCHED.values()
        for record in system.vectors.scan(category.cleaned_collection, fields=())
    }
    asked = {row.key: row.question for row in questions if row.key in expected}
    return run(system.retriever_with(stages), asked, expected, there)


def _ranks(found: "Run") -> dict[str, int]:
    """Where the document stands, from 1; 0 when it was not found."""
    reciprocal = found.measures["mrr@10"]
    return {key: round(1 / value) if value else 0 for key, value in reciprocal.items()}


def _lines(questions: "dict[str, GoldenQuestion]", found: "Run") -> Iterator[str]:
    ranks = _ranks(found)
    yield f"{len(ranks)} questions, {len(questions) - len(ranks)} whose link is not indexed"
    first = sum(0 < rank <= _SHOWN for rank in ranks.values()) / len(ranks)
    yield f"  among the first {_SHOWN}   {first:.3f}"
    for name, interval in found.intervals(seed=7).items():
        yield f"  {name:<21} {interval.mean:.3f}  (95 %: {interval.low:.3f} to {interval.high:.3f})"
    total = found.latency_ms["total"]
    yield f"  p50 {total.p50:.1f} ms, p95 {total.p95:.1f} ms"
    missed = [key for key, rank in ranks.items() if not 0 < rank <= _SHOWN]
    for key in missed[:_NAMED]:
        place = f"rank {ranks[key]}" if ranks[key] else "not among the first 10"
        yield f"  {place}: {questions[key].question} -> {questions[key].link}"
    if len(missed) > _NAMED:
        yield f"  and {len(missed) - _NAMED} more"


def _rows(questions: "dict[str, GoldenQuestion]", found: "Run") -> str:
    rows = (
        {"question": questions[key].question, "link": questions[key].link, "rank": rank}
        for key, rank in _ranks(found).items()
    )
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)


if __name__ == "__main__":
    start(main)
