"""The command ``python -m tools.bench_code``."""

import shlex
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from rag_llm_system.domain.documents import Value
from rag_llm_system.settings import PROJECT_ROOT, load_settings
from tools.errors import clean_exit
from tools.start import start

if TYPE_CHECKING:
    from tools.bench_code.parts import Measure

PAGE = PROJECT_ROOT / "docs" / "benchmarks" / "code.md"
FIGURES = PROJECT_ROOT / ".rag" / "bench-code.json"
FILES, SIZES = (100, 1_000), (250, 400, 800, 1_500)


class Options(Value):
    """What the command was given."""

    cosqa: Path | None
    split: str
    sizes: tuple[int, ...]
    scaling: bool
    files: tuple[int, ...]
    corpus: Path | None
    reindex: bool
    page_only: bool
    page: Path
    json_file: Path
    keep: Path | None
    seed: int


def _numbers(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> tuple[int, ...]:
    parts = [part.strip() for part in (value or "").split(",") if part.strip()]
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise click.BadParameter(f"{value!r} is no list of numbers such as 100,1000")
    return tuple(dict.fromkeys(map(int, parts)))


@click.command(
    help="What the code assistant finds: questions about this project and two packages, beside grep, BM25, dense "
    "search and the way of the documents. With --sizes, --cosqa, --scaling or --reindex that part instead. Figures are "
    "kept between runs, and the page is written of all that were measured."
)
@click.option(
    "--sizes",
    metavar="N,N",
    callback=_numbers,
    is_flag=False,
    flag_value=",".join(map(str, SIZES)),
    help="Chunks of these sizes, in tokens; 250,400,800,1500 without a value.",
)
@click.option(
    "--cosqa",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="A benchmark of code search: a folder with corpus.jsonl, queries.jsonl and qrels/SPLIT.tsv.",
)
@click.option("--split", default="test", show_default=True, help="Of that benchmark.")
@click.option("--scaling", is_flag=True, help="The scaling table: chunks, times, disk, memory.")
@click.option(
    "--files",
    metavar="N,N",
    callback=_numbers,
    default=",".join(map(str, FILES)),
    show_default=True,
    help="With --scaling: how many files; rows of other numbers stay.",
)
@click.option(
    "--corpus",
    metavar="DIR",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="With --scaling: Python files from there; Python's own and installed ones if not given.",
)
@click.option(
    "--reindex", is_flag=True, help="This project: first time, unchanged, after one edit."
)
@click.option("--page-only", is_flag=True, help="Measure nothing; write the page of what is kept.")
@click.option(
    "--page",
    default=PAGE,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the tables go; docs/benchmarks/code.md if not given.",
)
@click.option(
    "--json",
    "json_file",
    default=FIGURES,
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where figures are kept between runs; .rag/bench-code.json if not given.",
)
@click.option(
    "--keep",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep the indexes there, and use those that are there.",
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=7, show_default=True, help="Of the intervals."
)
def main(**given: Any) -> None:
    options = Options.model_validate(given)
    with clean_exit():
        from rag_llm_system.application.evaluation.whole_files import write_whole
        from tools.bench_code.figures import read_figures, write_figures
        from tools.bench_code.page import page
        from tools.evaluate_retrieval.report import make_room

        figures = read_figures(options.json_file)
        for path in (options.page, options.json_file):
            make_room(path)
        for name, measure in () if options.page_only else _wanted(options):
            part = measure(figures.parts.get(name))
            figures = figures.with_part(name, part)
            write_figures(options.json_file, figures)
        write_whole(options.page, page(figures, options.seed))
        click.echo(f"written: {options.page}")


def _wanted(options: Options) -> "list[tuple[str, Measure]]":
    """The parts that the options ask for; without any, what is found."""
    from tools.bench_code import page, parts

    settings, told = load_settings(), parts.Told(_command(), options.seed)
    chosen: list[tuple[str, Measure]] = []
    if options.sizes:
        measure = partial(parts.sizes, told, settings, options.sizes, options.keep)
        chosen.append((page.SIZES, measure))
    if options.cosqa:
        measure = partial(
            parts.cosqa, told, settings, options.cosqa, split=options.split, keep=options.keep
        )
        chosen.append((page.COSQA, measure))
    if options.scaling:
        measure = partial(parts.scaling, told, options.files, options.corpus)
        chosen.append((page.SCALING, measure))
    if options.reindex:
        chosen.append((page.REINDEXING, partial(parts.reindexing, told, settings)))
    return chosen or [(page.QUALITY, partial(parts.quality, told, settings, options.keep))]


def _command() -> str:
    return shlex.join(["poe", "bench-code", "--", *(a for a in sys.argv[1:] if a != "--")])


if __name__ == "__main__":
    start(main)
