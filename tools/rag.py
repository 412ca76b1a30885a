"""Asks one question: ``poe call-rag-retrieval-module -- "How are documents chunked?"``."""

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import click
import yaml

from rag_llm_system.domain.errors import MissingFile
from rag_llm_system.domain.queries import Query
from rag_llm_system.settings import load_settings
from tools.errors import clean_exit
from tools.start import start

if TYPE_CHECKING:
    from rag_llm_system.application.rag.answer import Answering, Asked, Found, Piece
    from rag_llm_system.domain.answers import Answer


@click.command(help="Retrieve chunks for QUESTION and answer it, with sources.")
@click.argument("question")
@click.option("--k", default=9, show_default=True, help="How many chunks to retrieve.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON, when it is whole.")
@click.option(
    "--where",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Only chunks whose payload field has this value (platform, language, author_full_name, ...).",
)
@click.option(
    "--self-query/--no-self-query",
    default=True,
    help="Whether to read authors, dates and the like out of the question.",
)
@click.option("--show-context", is_flag=True, help="Print the passages the answer is made from.")
@click.option(
    "--deadline",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="How long the answer may take (default: as long as it takes).",
)
def main(
    question: str,
    *,
    k: int,
    as_json: bool,
    where: tuple[str, ...],
    self_query: bool,
    show_context: bool,
    deadline: float | None,
) -> None:
    with clean_exit():
        # the retrieval stack takes seconds to import; --help must not wait for it
        from rag_llm_system.application.rag.answer import Asked
        from rag_llm_system.bootstrap import build

        conditions = dict(_condition(text) for text in where)
        with build(load_settings()) as system:
            if not system.vectors.collections():
                raise MissingFile(
                    "nothing is indexed yet; run make demo, or poe run-end-to-end-data-pipeline"
                )
            asked = Asked(
                query=Query(text=question, where=conditions),
                k=k,
                self_query=self_query,
                deadline_s=deadline,
            )
            show = _Show(question, as_json=as_json, with_context=show_context)
            # a task, so that an interrupt ends a generation where it runs
            asyncio.run(_read(system.answering, asked, show))


async def _read(answering: "Answering", asked: "Asked", show: "_Show") -> None:
    try:
        async with aclosing(answering.events(asked)) as events:
            async for event in events:
                show.event(event)
    finally:
        show.end()


class _Show:
    """Prints an answer as it is written, or as JSON in the end."""

    def __init__(self, question: str, *, as_json: bool, with_context: bool) -> None:
        self._question, self._as_json, self._with_context = question, as_json, with_context
        self._in_line = False

    def event(self, event: "Found | Piece | Answer") -> None:
        from rag_llm_system.application.rag.answer import Found, Piece
        from tools.render import closing_lines, passage_lines, question_lines

        if isinstance(event, Found) and self._with_context:
            click.echo("\n".join(passage_lines(event.sources)), err=self._as_json)
        if self._as_json:
            if not isinstance(event, Found | Piece):
                click.echo(event.model_dump_json(indent=2))
        elif isinstance(event, Found):
            click.echo("\n".join(question_lines(self._question)))
        elif isinstance(event, Piece):
            click.echo(event.text, nl=False)
            self._in_line = True
        else:
            self.end()
            click.echo("\n".join(closing_lines(event)))

    def end(self) -> None:
        """An answer that broke off is no line with what comes next."""
        if self._in_line:
            click.echo()
        self._in_line = False


def _condition(text: str) -> tuple[str, Any]:
    """Numbers, flags and lists as YAML writes them; anything else is text."""
    field, separator, value = text.partition("=")
    if not separator:
        raise click.BadParameter(f"{text!r}: write it as field=value", param_hint="--where")
    return field, yaml.safe_load(value)


if __name__ == "__main__":
    start(main)
