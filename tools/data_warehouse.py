"""The data warehouse as JSON files, in and out: ``poe run-export-data-warehouse-to-json``."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import click

from rag_llm_system.domain.crawling import LinkState
from rag_llm_system.settings import load_settings
from tools.errors import clean_exit
from tools.start import start

_DATA_DIR = click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    default=Path("data/data_warehouse_raw_data"),
    show_default=True,
    help="Folder of UserDocument.json, ArticleDocument.json, PostDocument.json, RepositoryDocument.json.",
)


@click.group(help="Export or import the data warehouse, or show what is in it.")
def main() -> None: ...


@main.command("export", help="Write one JSON file per collection.")
@_DATA_DIR
def export_raw_data(data_dir: Path) -> None:
    with clean_exit():
        from rag_llm_system.application.warehouse_dump import export_dump
        from rag_llm_system.bootstrap import build

        with build(load_settings()) as system:
            for name, rows in export_dump(system.documents, data_dir).items():
                click.echo(f"{data_dir / name}: {rows} rows")


@main.command("import", help="Read such files, also gzipped ones, into the data warehouse.")
@_DATA_DIR
def import_raw_data(data_dir: Path) -> None:
    with clean_exit():
        from rag_llm_system.application.warehouse_dump import import_dump
        from rag_llm_system.bootstrap import build

        with build(load_settings()) as system:
            for name, report in import_dump(system.documents, data_dir).items():
                click.echo(
                    f"{name}: {report.new} new, {report.changed} changed, {report.unchanged} unchanged"
                )


@main.command("status", help="Documents and links per author, and points per collection.")
@click.option(
    "--failed", is_flag=True, help="Also list the links that failed or are gone, and why."
)
def status(failed: bool) -> None:
    with clean_exit():
        from rag_llm_system.application.preprocessing.categories import CATEGORIES
        from rag_llm_system.bootstrap import build

        with build(load_settings()) as system:
            store = system.documents
            for author in store.authors():
                counts = ", ".join(f"{store.count(c, author_id=author.id)} {c}" for c in CATEGORIES)
                click.echo(f"{author.full_name}: {counts}")
                for line in _link_lines(store.links(author_id=author.id), failed=failed):
                    click.echo(f"  {line}")
            vectors = system.vectors
            live = {name: alias for alias, name in vectors.aliases().items()}
            for name, spec in sorted(vectors.collections().items()):
                where = f"{live[name]} ({spec.encoder})" if name in live else name
                unused = spec.dimension is not None and name not in live
                note = f", not in use ({spec.encoder})" if unused else ""
                click.echo(f"{where}: {vectors.count(name)} points{note}")


def _link_lines(states: Iterable[LinkState], *, failed: bool) -> list[str]:
    """How many links are in which state, and which of them failed."""
    from rag_llm_system.application.crawlers.dispatcher import shown_link

    counts = Counter[str]()
    lines = []
    for state in states:
        counts[state.status] += 1
        if failed and state.status in {"failed", "gone"}:
            when = state.checked_at.isoformat(" ", "minutes") if state.checked_at else "never"
            lines.append(f"{state.status}  {shown_link(state.link)}: {state.reason} ({when})")
    if not counts:
        return []
    return [
        f"links: {', '.join(f'{n} {name}' for name, n in sorted(counts.items()))}",
        *sorted(lines),
    ]


@main.command(
    "drop-vectors", help="Drop every collection of vectors; the pipeline makes them again."
)
@click.option("--unused", is_flag=True, help="Only those of encoders that are not in use.")
def drop_vectors(unused: bool) -> None:
    with clean_exit():
        from rag_llm_system.bootstrap import build

        with build(load_settings()) as system:
            vectors = system.vectors
            if not unused and (aliases := vectors.aliases()):
                vectors.point_aliases(dict.fromkeys(aliases))
            live = set(vectors.aliases().values())
            for name, spec in sorted(vectors.collections().items()):
                if spec.dimension is not None and name not in live:
                    vectors.drop(name)
                    click.echo(f"{name}: dropped")
        if not unused:
            click.echo("make them again with: poe run-feature-engineering-pipeline")


if __name__ == "__main__":
    start(main)
