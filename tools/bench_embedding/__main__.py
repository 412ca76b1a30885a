"""The command ``python -m tools.bench_embedding``."""

from pathlib import Path

import click

from tools.errors import EXIT_FAILED, clean_exit
from tools.start import start


@click.command(
    help="Encode the same texts with our encoder, the documented way and fastembed's engine, all on the same weights, "
    "and compare speed and vectors. Exit code 1: a goal was missed, or a contender failed."
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help='Lines of {"text": ...}; without it: windows of this project\'s articles, posts and files.',
)
@click.option(
    "--texts",
    "count",
    type=click.IntRange(min=1),
    default=400,
    show_default=True,
    help="At most so many of them, at even distances.",
)
@click.option(
    "--quality",
    "folders",
    multiple=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Compare nDCG@10 on this benchmark in BEIR's layout; may be repeated.",
)
@click.option("--rounds", type=click.IntRange(min=1), default=3, show_default=True)
@click.option("--only", multiple=True, metavar="NAME", help="Run this contender; may be repeated.")
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path), help="Write all figures to a file."
)
def main(
    *,
    data: Path | None,
    count: int,
    folders: tuple[Path, ...],
    rounds: int,
    only: tuple[str, ...],
    json_file: Path | None,
) -> None:
    with clean_exit():
        from tools.bench_embedding.bench import Wanted, bench
        from tools.bench_embedding.race import chosen

        found = bench(
            Wanted(plans=chosen(only), data=data, at_most=count, folders=folders, rounds=rounds),
            show=click.echo,
            say=lambda line: click.echo(line, err=True),
        )
        if json_file:
            json_file.write_text(found.json, encoding="utf-8")
    if found.missed:
        raise SystemExit(EXIT_FAILED)


if __name__ == "__main__":
    start(main)
