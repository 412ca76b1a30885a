"""Shows what a link gives before it is stored: ``poe crawl -- https://example.org/article``."""

import json
from collections.abc import Iterator
from typing import Any

import click

from rag_llm_system.domain.documents import Author, Document
from rag_llm_system.domain.errors import CrawlError, DataError
from rag_llm_system.settings import load_settings
from tools.errors import clean_exit
from tools.start import start

_PREVIEW_CHARS = 1_500
_SHOWN_ITEMS = 10
_PREVIEW_AUTHOR = "Preview"


@click.command(
    help="Crawl LINKS and show the documents and links they give. Nothing is stored unless --store names an author."
)
@click.argument("links", nargs=-1, required=True)
@click.option("--store", "author", metavar="NAME", help="Store the documents as this author's.")
@click.option("--full", is_flag=True, help="Show whole texts.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per document or link found.")
@click.option("--allow-local", is_flag=True, help="Permit file: and git+file: links.")
@click.option("--allow-host", "allow_hosts", multiple=True, metavar="HOST",
              help="Permit a host that is not public.")  # fmt: skip
@click.option("--browser-host", "browser_hosts", multiple=True, metavar="HOST",
              help="Always use the browser for this host.")  # fmt: skip
@click.option("--browser", type=click.Choice(["auto", "off"]), default="auto", show_default=True)
@click.option("--linkedin-public-posts", is_flag=True, help="Permit public LinkedIn pages.")
def main(
    links: tuple[str, ...], author: str | None, full: bool, as_json: bool, **options: Any
) -> None:
    with clean_exit():
        if author:
            _store(links, author, options)
        elif not _preview(links, options, full=full, as_json=as_json):
            raise click.exceptions.Exit(1)


def _preview(links: tuple[str, ...], options: dict[str, Any], *, full: bool, as_json: bool) -> bool:
    """Print what each link gives; whether all of them gave something."""
    from rag_llm_system.application.crawlers.dispatcher import shown_link
    from rag_llm_system.application.crawlers.options import CrawlOptions
    from rag_llm_system.bootstrap import build

    whole = True
    with (
        build(load_settings()) as system,
        system.crawlers(CrawlOptions.model_validate(options)) as dispatcher,
    ):
        for link in links:
            try:
                crawler = dispatcher.crawler_for(link)
                items = crawler.crawl(link, Author.named(_PREVIEW_AUTHOR), None)
                for line in _json_lines(items) if as_json else _lines(items, full=full):
                    click.echo(line)
            except CrawlError as error:
                whole = False
                click.echo(f"{shown_link(link)}: {error.reason}  [{error.kind}]", err=True)
    return whole


def _json_lines(items: Any) -> Iterator[str]:
    for item in items:
        yield json.dumps(item.model_dump(mode="json"), ensure_ascii=False)


def _lines(items: Any, *, full: bool) -> Iterator[str]:
    """The first documents and links as a person reads them, then how many there were."""
    documents = links = 0
    while True:
        try:
            item = next(items)
        except StopIteration as stop:
            end = stop.value
            break
        if isinstance(item, Document):
            documents += 1
            if documents <= _SHOWN_ITEMS or full:
                yield from _document_lines(item, full=full)
        else:
            links += 1
            if links <= _SHOWN_ITEMS or full:
                yield f"link  {item.link}"
    left_out = ", ".join(f"{n} {why}" for why, n in sorted(end.left_out.items()))
    found = f"{documents} documents, {links} links to crawl"
    yield f"-- {found}{f'; left out: {left_out}' if left_out else ''}; nothing was stored"


def _document_lines(document: Document, *, full: bool) -> Iterator[str]:
    yield f"{document.category}  {document.link}"
    for name, value in (("title", document.title), ("subtitle", document.subtitle)):
        if value:
            yield f"  {name:<13} {value}"
    yield f"  {'platform':<13} {document.platform}"
    for name, fact in document.metadata.items():
        yield f"  {name:<13} {fact}"
    text = document.text
    cut = text if full or len(text) <= _PREVIEW_CHARS else text[:_PREVIEW_CHARS] + " …"
    yield f"  {'text':<13} {len(text):,} characters\n"
    yield from (f"    {line}".rstrip() for line in cut.split("\n"))
    yield ""


def _store(links: tuple[str, ...], author_name: str, options: dict[str, Any]) -> None:
    from rag_llm_system.application.crawlers.crawl import crawl_links
    from rag_llm_system.application.crawlers.dispatcher import shown_link
    from rag_llm_system.application.crawlers.options import CrawlOptions
    from rag_llm_system.application.crawlers.report import Outcome
    from rag_llm_system.bootstrap import build

    def say(done: int, total: int, outcome: Outcome) -> None:
        why = f": {outcome.reason}" if outcome.reason else ""
        click.echo(f"[{done}/{total}] {outcome.status:<9} {shown_link(outcome.link)}{why}")

    crawl = CrawlOptions.model_validate(options)
    with build(load_settings()) as system, system.crawlers(crawl) as dispatcher:
        store = system.documents
        author = store.find_author(author_name) or Author.named(author_name)
        store.save_author(author)
        report = crawl_links(
            links, author, dispatcher=dispatcher, store=store, options=crawl, on_link=say
        )
    click.echo(f"{report.new} new, {report.changed} changed, {report.unchanged} unchanged")
    if not report.succeeded and not report.continued:
        raise DataError("no link could be read")


if __name__ == "__main__":
    start(main)
