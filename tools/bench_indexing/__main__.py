"""The command ``python -m tools.bench_indexing``."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from tools.errors import EXIT_FAILED, clean_exit
from tools.start import start

if TYPE_CHECKING:
    from tools.bench_indexing.goals import Goal
    from tools.bench_indexing.stages import Row


@click.command(
    help="Index documents, then index them again: unchanged, with 1 % edited, with 1 % removed, with other chunk "
    "sizes, and after a run that was killed. Exit code 1: a goal was missed, or a run failed."
)
@click.option("--documents", "count", type=click.IntRange(min=200), default=2000, show_default=True)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help='Lines of {"text": ...}; without it: docstrings and files of Python\'s standard library.',
)
@click.option(
    "--encoder",
    metavar="NAME",
    default="",
    help="As EMBEDDER, which it is by default; hashing is quick.",
)
@click.option(
    "--chunks",
    type=click.IntRange(min=1),
    help="Instead: one run that gives so many chunks, by default of the hashing encoder; its speed and memory.",
)
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path), help="Write all figures to a file."
)
def main(
    *, count: int, data: Path | None, encoder: str, chunks: int | None, json_file: Path | None
) -> None:
    with clean_exit():
        from rag_llm_system.settings import load_settings
        from tools.bench_indexing.report import as_json, goal_lines, machine

        encoder = encoder or ("hashing" if chunks else load_settings().EMBEDDER)
        shown = (
            f"generated, for {chunks} chunks"
            if chunks
            else f"{count} of {data or 'the standard library'}"
        )
        facts = machine(encoder, shown)
        click.echo("\n".join(f"{name}: {value}" for name, value in facts.items()) + "\n")
        with TemporaryDirectory(prefix="bench-indexing-") as folder:
            root = Path(folder)
            rows, judged = (
                _scale(chunks, encoder, root) if chunks else _race(count, data, encoder, root)
            )
        click.echo("\n" + "\n".join(goal_lines(judged)))
        if json_file:
            json_file.write_text(as_json(facts, rows, judged), encoding="utf-8")
    if any(goal.reached is False for goal in judged):
        raise SystemExit(EXIT_FAILED)


def _race(
    count: int, data: Path | None, encoder: str, root: Path
) -> tuple[list["Row"], list["Goal"]]:
    from tools.bench_indexing.documents import documents_of_file, documents_of_python
    from tools.bench_indexing.goals import goals
    from tools.bench_indexing.race import race
    from tools.bench_indexing.report import row_line, table_head

    documents = documents_of_file(data, count) if data else documents_of_python(count)
    click.echo(table_head())
    rows: list[Row] = []
    for row in race(documents, encoder, root):
        rows.append(row)
        click.echo(row_line(row, rows))
    return rows, goals(rows)


def _scale(chunks: int, encoder: str, root: Path) -> tuple[list["Row"], list["Goal"]]:
    from tools.bench_indexing.goals import scale_goals
    from tools.bench_indexing.race import scale
    from tools.bench_indexing.report import rate_line, row_line, table_head

    row = scale(chunks, encoder, root)
    click.echo("\n".join([table_head(), row_line(row, []), rate_line(row)]))
    return [row], scale_goals(row)


if __name__ == "__main__":
    start(main)
