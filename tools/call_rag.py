"""Asks the running RAG API: ``poe call-inference-ml-service -- "question"``."""

import json

import click

from rag_llm_system.settings import load_settings
from tools.errors import clean_exit
from tools.start import start


@click.command(help="Ask the running RAG API; the answer is printed as it is written.")
@click.argument("question")
@click.option(
    "--assistant",
    default="documents",
    show_default=True,
    help="Who answers: documents, code or movies.",
)
@click.option("--user", default="", help="Whose tastes the film assistant knows.")
@click.option("--k", type=int, help="How much to retrieve (default: as the assistant does).")
@click.option(
    "--self-query/--no-self-query",
    default=True,
    help="Whether to read authors, dates and the like out of the question.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the whole answer as JSON, at its end.")
@click.option("--url", help="Where the API runs (default: settings RAG_API_HOST and RAG_API_PORT).")
@click.option("--key", envvar="RAG_API_KEY", help="An API key (default: RAG_API_KEY).")
def main(
    question: str, *, as_json: bool, url: str | None, key: str | None, **asked: str | int | None
) -> None:
    with clean_exit():
        from tools.http_calls import post_events, post_json

        settings = load_settings()
        base = url or f"http://{settings.RAG_API_HOST}:{settings.RAG_API_PORT}"
        body = {"query": question, **asked}
        way_out = "poe run-inference-ml-service"
        if as_json:
            answer = post_json(f"{base}/rag", body, start_with=way_out, key=key or "")
            click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
            return
        for name, event in post_events(f"{base}/rag", body, start_with=way_out, key=key or ""):
            if name == "token":
                click.echo(event["text"], nl=False)
            elif name == "done":
                click.echo()
                _print_end(event)


def _print_end(answer: dict[str, object]) -> None:
    """Sources that the answer cites, and what the reader should know."""
    notes, sources = answer["notes"], answer["sources"]
    for note in notes if isinstance(notes, list) else ():
        click.echo(f"\n{note}")
    cited = [one for one in sources if one["cited"]] if isinstance(sources, list) else []
    if cited:
        click.echo("\nSources (cosine similarity)")
    for one in cited:
        file = f"{one['source_file']}:{one['lines']}".rstrip(":") if one["source_file"] else ""
        click.echo(
            f"  [{one['n']}] {one['score']:.2f}  {file or one['title']}\n         {one['link']}"
        )


if __name__ == "__main__":
    start(main)
