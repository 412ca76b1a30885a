"""The command ``python -m tools.bench_extraction``."""

import logging
from pathlib import Path

import click

from tools.errors import clean_exit
from tools.start import start

_SHOWN_ERRORS = 5


@click.command(
    help="Score our article extraction beside trafilatura, readability-lxml and all text of the page, by words in "
    "fours, on pages whose content is known."
)
@click.option(
    "--data",
    required=True,
    type=click.Path(path_type=Path),
    help="Folder with ground-truth.json.gz and html/ID.html.gz.",
)
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path), help="Write all figures to a file."
)
def main(data: Path, json_file: Path | None) -> None:
    with clean_exit():
        from tools.bench_extraction.contenders import contenders
        from tools.bench_extraction.pages import labelled_pages
        from tools.bench_extraction.race import race
        from tools.bench_extraction.report import as_json, table, table_by_kind

        pages = labelled_pages(data)
        extractors, missing = contenders()
        logging.disable(logging.WARNING)  # extractors log each page that they find nothing on
        results = race(pages, extractors)
        logging.disable(logging.NOTSET)
        click.echo(f"{len(pages)} pages\n\n{table(results)}\n\n{table_by_kind(pages, results)}")
        for name, why in missing.items():
            click.echo(f"{name}: left out, {why}")
        for result in results:
            for error in result.errors[:_SHOWN_ERRORS]:
                click.echo(f"{result.name}: {error}")
        if json_file:
            json_file.write_text(as_json(pages, results) + "\n", encoding="utf-8")


if __name__ == "__main__":
    start(main)
