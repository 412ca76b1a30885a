"""The command ``python -m tools.evaluate_retrieval``."""

from pathlib import Path

import click

from rag_llm_system.settings import load_settings
from tools.errors import clean_exit
from tools.start import start


@click.command(
    help="Index a benchmark in BEIR's layout as documents of ours, ask its questions and measure what is found: "
    "nDCG@10, recall@10, recall@100 and MRR@10 as trec_eval defines them, with intervals and latencies."
)
@click.option(
    "--dataset",
    required=True,
    type=click.Path(path_type=Path),
    help="A folder with corpus.jsonl, queries.jsonl (or .gz) and qrels/SPLIT.tsv.",
)
@click.option("--split", default="test", show_default=True, help="Whose judgements count.")
@click.option(
    "--stages",
    "named",
    default="",
    metavar="STAGE=WAY,...",
    help="Other stages than the default's, such as ranking=dense,reranker=off; self_query is off unless named.",
)
@click.option(
    "--output",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the figures go, as JSON.",
)
@click.option(
    "--per-query",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the figures of each query go, as JSON lines.",
)
@click.option(
    "--keep",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep the index there, and use what is there already.",
)
@click.option(
    "--category",
    default="auto",
    show_default=True,
    help="Of documents whose metadata names none; auto: repositories for source code, else articles.",
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=7, show_default=True, help="Of the intervals."
)
def main(
    *,
    dataset: Path,
    split: str,
    named: str,
    output: Path,
    per_query: Path | None,
    keep: Path | None,
    category: str,
    seed: int,
) -> None:
    with clean_exit():
        # the retrieval stack takes seconds to import; --help must not wait for it
        from rag_llm_system.application.evaluation.beir import read_benchmark
        from rag_llm_system.application.evaluation.whole_files import write_whole
        from tools.evaluate_retrieval.asking import asked
        from tools.evaluate_retrieval.index import evaluation_index
        from tools.evaluate_retrieval.report import (
            Begun,
            evaluation,
            lines,
            make_room,
            query_lines,
        )
        from tools.evaluate_retrieval.stages import stages_named

        begun = Begun.now()
        stages, benchmark = stages_named(named), read_benchmark(dataset, split)
        for path in filter(None, (output, per_query)):
            make_room(path)
        with evaluation_index(benchmark, load_settings(), category=category, keep=keep) as index:
            found = asked(benchmark, index, stages)
            figures = evaluation(benchmark, index, stages, found, seed=seed, begun=begun)
        write_whole(output, figures.as_json())
        if per_query:
            write_whole(per_query, query_lines(benchmark, found))
        click.echo("\n".join(lines(figures)))


if __name__ == "__main__":
    start(main)
