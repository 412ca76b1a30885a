"""The command ``python -m tools.bench_vector_stores``."""

import shlex
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from rag_llm_system.domain.documents import Value
from rag_llm_system.settings import PROJECT_ROOT
from tools.errors import EXIT_FAILED, clean_exit
from tools.start import start

if TYPE_CHECKING:
    from tools.bench_vector_stores.points import Points

PAGES = PROJECT_ROOT / "docs" / "benchmarks"
POINTS, FILES = (1_000, 10_000, 100_000), (100, 1_000)


class Options(Value):
    """What the command was given; no ``sizes``: those that belong to what is measured."""

    sizes: tuple[int, ...]
    only: tuple[str, ...]
    data: Path | None
    cache: Path
    questions: int
    rounds: int
    seed: int
    scaling: bool
    write: bool
    json_file: Path | None


def _sizes(_context: click.Context, _parameter: click.Parameter, value: str) -> tuple[int, ...]:
    parts = [part.strip() for part in value.split(",") if part.strip()]
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise click.BadParameter(f"{value!r} is no list of numbers such as 1000,10000")
    return tuple(dict.fromkeys(map(int, parts)))


@click.command(
    help="Compare the vector stores with one another, with exact search and with the documents' way; "
    "or measure the way from files to answers. Exit code 1: a goal was missed, or a contender failed."
)
@click.option(
    "--sizes",
    metavar="N,N",
    callback=_sizes,
    default="",
    help="Points, by default 1000,10000,100000; with --scaling files, by default 100,1000.",
)
@click.option("--only", multiple=True, metavar="NAME", help="Run this contender; may be repeated.")
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True),
    help="Texts to embed, a JSON-lines file or a folder of corpus.jsonl, instead of synthetic clusters.",
)
@click.option(
    "--cache",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(".rag/bench-vectors"),
    show_default=True,
    help="Where the vectors of texts are kept.",
)
@click.option(
    "--questions",
    type=click.IntRange(min=1),
    default=200,
    show_default=True,
    help="Asked in each round.",
)
@click.option(
    "--rounds",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    help="The best of them counts.",
)
@click.option("--seed", type=int, default=7, show_default=True, help="Of everything drawn.")
@click.option(
    "--scaling", is_flag=True, help="The scaling table instead: files, chunks, times, disk."
)
@click.option("--write", is_flag=True, help="Write the page below docs/benchmarks.")
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path), help="Write all figures to a file."
)
def main(**given: Any) -> None:
    options = Options.model_validate(given)
    with clean_exit():
        reached = _scale(options) if options.scaling else _compare(options)
    if not reached:
        raise SystemExit(EXIT_FAILED)


def _compare(options: Options) -> bool:
    """Whether every contender ran and no goal was missed."""
    from tools.bench_vector_stores.goals import goals
    from tools.bench_vector_stores.race import Row, chosen, names_a_server, race
    from tools.bench_vector_stores.report import (
        as_json,
        document,
        goal_lines,
        machine,
        tables,
        traits,
    )

    contenders = chosen(options.only, server=names_a_server())
    facts = {**machine(), "points": _origin(options)}
    rows: list[Row] = []
    for count in options.sizes or POINTS:
        with TemporaryDirectory(prefix="bench-vector-stores-") as folder:
            points = _points(options, Path(folder) / "points", count)
            of_size = race(contenders, points, Path(folder), options.rounds)
        click.echo("\n".join(tables(of_size)))
        rows += of_size
    judged = goals(rows)
    click.echo("\n".join([traits(rows), *goal_lines(judged)]))
    if options.json_file:
        options.json_file.write_text(as_json(facts, rows, judged), encoding="utf-8")
    if options.write:
        page = "vector-stores-texts.md" if options.data else "vector-stores.md"
        _write(page, document(facts, _command(), rows, judged))
    return not any(row.failed for row in rows) and not any(g.reached is False for g in judged)


def _points(options: Options, folder: Path, count: int) -> "Points":
    from tools.bench_vector_stores.points import clustered

    if options.data is None:
        return clustered(folder, count, options.questions, options.seed)
    from tools.bench_vector_stores.texts import embedded_texts

    return embedded_texts(
        folder, options.data, count, options.questions, seed=options.seed, cache=options.cache
    )


def _origin(options: Options) -> str:
    from tools.bench_vector_stores.points import CLUSTERS, DIMENSION

    kind = (
        f"texts of {options.data.name}, embedded"
        if options.data
        else f"{CLUSTERS} Gaussian clusters, {DIMENSION} dimensions"
    )
    return f"{kind}; {options.questions} questions, seed {options.seed}, {options.rounds} rounds"


def _scale(options: Options) -> bool:
    from tools.bench_vector_stores.report import machine
    from tools.bench_vector_stores.scaling import PACKAGES, as_json, document, lines, scale

    facts, rows = machine(PACKAGES), []
    for files in options.sizes or FILES:
        rows.append(scale(files))
        click.echo("\n".join(lines(rows[-1:])))
    if options.json_file:
        options.json_file.write_text(as_json(facts, rows), encoding="utf-8")
    if options.write:
        _write("scaling.md", document(facts, _command(), rows))
    return True


def _command() -> str:
    return shlex.join(["poe", "bench-vector-stores", "--", *(a for a in sys.argv[1:] if a != "--")])


def _write(name: str, page: str) -> None:
    PAGES.mkdir(parents=True, exist_ok=True)
    (PAGES / name).write_text(page, encoding="utf-8")
    click.echo(f"written: {(PAGES / name).relative_to(PROJECT_ROOT)}")


if __name__ == "__main__":
    start(main)
