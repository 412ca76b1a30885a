"""Removes everything that is stored of a link: ``poe forget -- https://...``."""

import click

from rag_llm_system.settings import load_settings
from tools.errors import clean_exit
from tools.start import start


@click.command(
    help="Remove the documents of these links (a repository: all its files) from the data warehouse, the cleaned "
    "collections, the chunks and the caches of vectors."
)
@click.argument("links", nargs=-1, required=True)
def main(links: tuple[str, ...]) -> None:
    with clean_exit():
        from rag_llm_system.application.crawlers.dispatcher import shown_link
        from rag_llm_system.application.forget import forget_link
        from rag_llm_system.bootstrap import build

        with build(load_settings()) as system:
            for link in links:
                report = forget_link(
                    link,
                    system.documents,
                    system.vectors,
                    forget_texts=system.forget_texts,
                )
                click.echo(
                    f"{shown_link(report.link)}: {report.documents} documents, {report.points} records of the index "
                    f"and {report.vectors} cached vectors removed"
                )
        click.echo(
            "A crawl whose config names the link fetches it again. Artifacts and traces of earlier runs may still "
            "hold its text: poe zenml -- artifact prune, and the folder traces of the data directory."
        )


if __name__ == "__main__":
    start(main)
