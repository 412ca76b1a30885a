"""The command ``python -m tools.evaluate_ablation``."""

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rag_llm_system.settings import PROJECT_ROOT, Settings, load_settings
from tools.errors import clean_exit
from tools.start import start

if TYPE_CHECKING:
    from rag_llm_system.application.evaluation.beir import Benchmark
    from tools.evaluate_ablation.page import Row

PAGE = PROJECT_ROOT / "docs" / "benchmarks" / "retrieval.md"


@click.command(
    help="Turn each stage of retrieval on and off, on benchmarks in BEIR's layout: one index each, one run for every "
    "recipe, and a page of tables."
)
@click.option(
    "--dataset",
    "folders",
    multiple=True,
    required=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="A folder with corpus.jsonl, queries.jsonl (or .gz) and qrels/SPLIT.tsv; may be repeated.",
)
@click.option("--split", default="test", show_default=True, help="Whose judgements count.")
@click.option(
    "--page",
    "page_file",
    default=PAGE,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the tables go; docs/benchmarks/retrieval.md if not given.",
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write all figures to a file.",
)
@click.option(
    "--keep",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep the indexes there, each in a folder of the dataset's name, and use those that are there.",
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=7, show_default=True, help="Of the intervals."
)
def main(
    *,
    folders: tuple[Path, ...],
    split: str,
    page_file: Path,
    json_file: Path | None,
    keep: Path | None,
    seed: int,
) -> None:
    with clean_exit():
        # the retrieval stack takes seconds to import; --help must not wait for it
        from rag_llm_system.application.evaluation.beir import read_benchmark
        from rag_llm_system.application.evaluation.whole_files import write_whole
        from tools.evaluate_ablation.page import page, recipe_table
        from tools.evaluate_retrieval.report import make_room

        settings, datasets = load_settings(), []
        benchmarks = [read_benchmark(folder, split) for folder in folders]
        for path in filter(None, (page_file, json_file)):
            make_room(path)
        for benchmark in benchmarks:
            datasets.append(_rows(benchmark, settings, keep=keep, seed=seed))
            click.echo(f"{benchmark.name}\n\n{recipe_table(datasets[-1])}")
        if json_file:
            figures = [
                {"recipe": row.recipe.name, **json.loads(row.figures.as_json())}
                for rows in datasets
                for row in rows
            ]
            write_whole(json_file, json.dumps(figures, indent=2) + "\n")
        write_whole(page_file, page(_command(), datasets))
        click.echo(f"written: {page_file}")


def _rows(
    benchmark: "Benchmark", settings: Settings, *, keep: Path | None, seed: int
) -> "list[Row]":
    from rag_llm_system.application.evaluation.ingest import AUTO
    from tools.evaluate_ablation.page import Row
    from tools.evaluate_ablation.recipes import RECIPES
    from tools.evaluate_retrieval.asking import asked
    from tools.evaluate_retrieval.index import evaluation_index
    from tools.evaluate_retrieval.report import Begun, evaluation

    rows: list[Row] = []
    folder = keep / benchmark.name if keep else None
    with evaluation_index(benchmark, settings, category=AUTO, keep=folder) as index:
        for recipe in RECIPES:
            begun = Begun.now()
            found = asked(benchmark, index, recipe.stages)
            figures = evaluation(benchmark, index, recipe.stages, found, seed=seed, begun=begun)
            rows.append(Row(recipe, found, figures))
    return rows


def _command() -> str:
    return shlex.join(["poe", "evaluate-ablation", "--", *(a for a in sys.argv[1:] if a != "--")])


if __name__ == "__main__":
    start(main)
