"""Asks about code, and shows the answer as it is written."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import click

from rag_llm_system.application.code.category import CODE
from rag_llm_system.application.code.previews import preview
from rag_llm_system.application.code.vectorizer import code_bases
from rag_llm_system.application.rag.answer import Asked, Assistant, Found, Piece
from rag_llm_system.domain.answers import Answer, AnswerSource
from rag_llm_system.domain.errors import MissingFile, UnknownName
from rag_llm_system.domain.ports import VectorStore
from tools.render import closing_lines, passage_lines


def require_code(store: VectorStore, repository: str = "") -> None:
    """Raises MissingFile when no code base is indexed, UnknownName when none has that name."""
    if CODE.chunk_collection not in store.aliases():
        raise MissingFile("no code base is indexed yet; poe code-index -- FOLDER")
    if repository and repository not in (known := {base.name for base in code_bases(store)}):
        raise UnknownName("code base", repository, known)


@dataclass
class Shown:
    """Prints an answer as it is written, or as JSON in the end."""

    as_json: bool = False
    with_context: bool = False
    _in_line: bool = False

    def event(self, event: Found | Piece | Answer) -> None:
        if isinstance(event, Found):
            if self.with_context:
                click.echo("\n".join(passage_lines(event.sources)), err=self.as_json)
        elif isinstance(event, Piece):
            if not self.as_json:
                click.echo(event.text, nl=False)
                self._in_line = True
        elif self.as_json:
            click.echo(event.model_dump_json(indent=2))
        else:
            self.end()
            click.echo("\n".join(closing_lines(event, _sources)))

    def end(self) -> None:
        """An answer that broke off is no line with what comes next."""
        if self._in_line:
            click.echo()
        self._in_line = False


def answered(assistant: Assistant, asked: Asked, shown: Shown) -> Answer | None:
    """Show what is found and written; an interrupt ends the writing where it is. None when nothing was written."""
    # a task, so that an interrupt ends a generation where it runs
    return asyncio.run(_answered(assistant, asked, shown))


async def _answered(assistant: Assistant, asked: Asked, shown: Shown) -> Answer | None:
    answer = None
    try:
        async with aclosing(assistant.events(asked)) as events:
            async for event in events:
                shown.event(event)
                if isinstance(event, Answer):
                    answer = event
    finally:
        shown.end()
    return answer


def _sources(heading: str, sources: Sequence[AnswerSource]) -> Iterator[str]:
    if sources:
        yield ""
        yield click.style(heading, bold=True)
    for one in sources:
        yield place_line(one.n, one.source_file or one.title, one.lines, one.score)
        if line := preview(one.passage or one.quote):
            yield f"     {line}"


def place_line(n: int, file: str, lines: str, score: float) -> str:
    """``1. src/auth.py:12-30 (similarity 0.83)``"""
    return f"{n:>3}. {f'{file}:{lines}'.rstrip(':')} (similarity {score:.2f})"
