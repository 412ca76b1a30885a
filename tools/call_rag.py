"""Asks the running RAG API: ``poe call-inference-ml-service -- "question"``."""

import json

import click

from rag_llm_system.settings import load_settings
from tools.errors import clean_exit
from tools.start import start


@click.command(help="POST QUESTION to the running RAG API and print its answer.")
@click.argument("question")
@click.option("--k", default=9, show_default=True)
@click.option(
    "--self-query/--no-self-query",
    default=True,
    help="Whether to read authors, dates and the like out of the question.",
)
@click.option("--url", help="Where the API runs (default: settings RAG_API_HOST and RAG_API_PORT).")
def main(question: str, *, k: int, self_query: bool, url: str | None) -> None:
    with clean_exit():
        from tools.http_calls import post_json

        settings = load_settings()
        base = url or f"http://{settings.RAG_API_HOST}:{settings.RAG_API_PORT}"
        answer = post_json(
            f"{base}/rag",
            {"query": question, "k": k, "self_query": self_query},
            start_with="poe run-inference-ml-service",
        )
        click.echo(json.dumps(answer, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    start(main)
