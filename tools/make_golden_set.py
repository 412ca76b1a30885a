"""Questions about one's own documents, to review and measure with: ``poe make-golden-set``."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rag_llm_system.domain.errors import ConfigurationError, DataError
from rag_llm_system.settings import load_settings
from tools.errors import clean_exit
from tools.start import start

if TYPE_CHECKING:
    from rag_llm_system.application.evaluation.golden import GoldenQuestion
    from rag_llm_system.bootstrap import System
    from rag_llm_system.domain.documents import CleanedDocument

_DOCUMENTS_PER_QUESTION = 4
"""Not every document has something to ask for."""


@click.command(
    help="Propose questions and the documents that answer them, from what is indexed. Edit the file: correct or delete "
    'questions, add your own (question and link are enough), set "reviewed" to true. The retrieval gate asks them in '
    "every run of the feature engineering pipeline. A second call adds questions up to the number and keeps the others."
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Default: golden_set.jsonl in the data directory, where the gate looks for it.",
)
@click.option("--questions", type=click.IntRange(1), default=60, show_default=True)
@click.option("--seed", type=int, default=7, show_default=True)
@click.option("--llm", is_flag=True, help="Let the model of LLM_BACKEND write them.")
@click.option("--force", is_flag=True, help="Replace the questions that nobody reviewed.")
def main(output: Path | None, questions: int, seed: int, llm: bool, force: bool) -> None:
    with clean_exit():
        from rag_llm_system.application.evaluation.golden import (
            GOLDEN_SET,
            merged,
            read_golden,
            sampled_documents,
            write_golden,
        )
        from rag_llm_system.bootstrap import build

        settings = load_settings()
        path = output or settings.data_dir / GOLDEN_SET
        there = read_golden(path)
        with build(settings) as system:
            number = _DOCUMENTS_PER_QUESTION * questions
            documents = sampled_documents(system.vectors, seed, number=number)
            if not documents:
                raise DataError("no documents are indexed; run: poe run-end-to-end-data-pipeline")
            proposed = _proposed(system, documents, seed, llm=llm)
            rows = merged(there, proposed, questions, replace=force)
        write_golden(path, rows)
        for line in _lines(path, there, rows):
            click.echo(line)


def _proposed(
    system: "System", documents: list["CleanedDocument"], seed: int, *, llm: bool
) -> Iterator["GoldenQuestion"]:
    from rag_llm_system.application.evaluation.golden_llm import llm_proposals
    from rag_llm_system.application.evaluation.golden_proposals import proposals
    from rag_llm_system.bootstrap import EXTRACTIVE

    if not llm:
        return proposals(documents, seed)
    if system.settings.LLM_BACKEND == EXTRACTIVE:
        raise ConfigurationError(
            "LLM_BACKEND is extractive, which writes nothing; set it to openai or local, or leave --llm out"
        )
    return llm_proposals(documents, system.llm)


def _lines(
    path: Path, there: list["GoldenQuestion"], rows: list["GoldenQuestion"]
) -> Iterator[str]:
    kinds = Counter(row.kind for row in rows)
    reviewed = sum(row.reviewed for row in rows)
    added = len([row for row in rows if row not in there])
    yield f"{path}: {len(rows)} questions, {added} of them new, {reviewed} reviewed"
    yield f"  {', '.join(f'{number} by {kind}' for kind, number in sorted(kinds.items()))}"
    if reviewed < len(rows):
        yield '  read them, correct or delete what is wrong, and set "reviewed" to true'


if __name__ == "__main__":
    start(main)
