"""One vector store into another: ``poe migrate-vector-store --from faiss --to qdrant``."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rag_llm_system.domain.errors import ConfigurationError
from rag_llm_system.settings import load_settings
from tools.errors import clean_exit
from tools.start import start

if TYPE_CHECKING:
    from rag_llm_system.application.migration import MigrationReport


@click.command(
    help="Copy every collection and alias of one vector store into another, and compare them in full. "
    "A run that was stopped is completed by the next. Stores are named as in VECTOR_STORE."
)
@click.option("--from", "source", required=True, metavar="STORE", help="The store to read.")
@click.option("--to", "target", required=True, metavar="STORE", help="The store to write.")
@click.option(
    "--from-path",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Its folder, if it is not where the settings say.",
)
@click.option(
    "--to-path", type=click.Path(path_type=Path, file_okay=False), help="The same for the target."
)
@click.option(
    "--collection",
    "collections",
    multiple=True,
    metavar="NAME",
    help="Only this collection or alias; may be repeated.",
)
def main(
    source: str,
    target: str,
    from_path: Path | None,
    to_path: Path | None,
    collections: tuple[str, ...],
) -> None:
    with clean_exit():
        from rag_llm_system.application.migration import chosen_points, migrate
        from rag_llm_system.bootstrap import vector_store
        from steps.progress import progress

        if (source, _place(from_path)) == (target, _place(to_path)):
            raise ConfigurationError(
                f"source and target are both {source!r}; name another store, or another folder with --to-path"
            )
        names, settings = collections or None, load_settings()
        with (
            closing(vector_store(settings, source, path=from_path)) as reading,
            closing(vector_store(settings, target, path=to_path)) as writing,
        ):
            total = 2 * chosen_points(reading, names)
            with progress("points copied, then compared", total) as advance:
                report = migrate(reading, writing, names=names, on_points=advance)
        for line in _lines(report):
            click.echo(line)


def _place(path: Path | None) -> Path | None:
    return path.resolve() if path else None


def _lines(report: "MigrationReport") -> Iterator[str]:
    for one in report.collections:
        yield (
            f"{one.name}: {one.points:,} points, {one.written:,} written, "
            f"{one.unchanged:,} already there, {one.removed:,} removed"
        )
    for alias, name in sorted(report.aliases.items()):
        yield f"{alias} -> {name}"


if __name__ == "__main__":
    start(main)
