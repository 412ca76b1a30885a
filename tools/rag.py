"""Asks one question: ``poe call-rag-retrieval-module -- "How are documents chunked?"``."""

from typing import TYPE_CHECKING, Any

import click
import yaml

from rag_llm_system.domain.errors import MissingFile
from rag_llm_system.domain.queries import Query
from rag_llm_system.settings import load_settings
from tools.errors import clean_exit
from tools.start import start

if TYPE_CHECKING:
    from rag_llm_system.application.rag.answer import Retriever
    from rag_llm_system.domain.answers import Context


@click.command(help="Retrieve chunks for QUESTION and answer it, with sources.")
@click.argument("question")
@click.option("--k", default=9, show_default=True, help="How many chunks to retrieve.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
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
def main(
    question: str,
    *,
    k: int,
    as_json: bool,
    where: tuple[str, ...],
    self_query: bool,
    show_context: bool,
) -> None:
    with clean_exit():
        # the retrieval stack takes seconds to import; --help must not wait for it
        from rag_llm_system.application.rag.answer import answer_question, passages_for
        from rag_llm_system.bootstrap import build
        from tools.render import answer_lines, passage_lines

        conditions = dict(_condition(text) for text in where)
        with build(load_settings()) as system:
            if not system.vectors.collections():
                raise MissingFile(
                    "nothing is indexed yet; run make demo, or poe run-end-to-end-data-pipeline"
                )
            retriever = _Remembering(system.retriever)
            answer = answer_question(
                Query(text=question, where=conditions),
                retriever=retriever,
                writer=system.writer,
                tracer=system.tracer,
                builder=system.context_builder,
                k=k,
                self_query=self_query,
            )
        if show_context:
            click.echo(
                "\n".join(passage_lines(passages_for(question, retriever.context))), err=as_json
            )
        click.echo(answer.model_dump_json(indent=2) if as_json else "\n".join(answer_lines(answer)))


class _Remembering:
    """A retriever that keeps what it gave."""

    context: "Context"

    def __init__(self, inner: "Retriever") -> None:
        self._inner = inner

    def retrieve(self, query: Query, k: int, *, self_query: bool) -> "Context":
        self.context = self._inner.retrieve(query, k, self_query=self_query)
        return self.context


def _condition(text: str) -> tuple[str, Any]:
    """Numbers, flags and lists as YAML writes them; anything else is text."""
    field, separator, value = text.partition("=")
    if not separator:
        raise click.BadParameter(f"{text!r}: write it as field=value", param_hint="--where")
    return field, yaml.safe_load(value)


if __name__ == "__main__":
    start(main)
