"""The interactive prompt of the code assistant."""

import sys
from collections.abc import Callable, Iterable, Iterator
from io import TextIOWrapper

import click

from rag_llm_system.application.code.category import CODE
from rag_llm_system.application.code.previews import preview
from rag_llm_system.application.code.query_engine import CodeQueryEngine
from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.errors import RagSystemError
from rag_llm_system.domain.ports import VectorStore
from rag_llm_system.domain.redaction import redact
from tools.code.asking import Shown, answered, place_line

HELP = """A line is a question; what was said before it counts.
  :search TEXT  the places in the code, without an answer
  :files [TEXT] the indexed files, those with TEXT in their path
  :k N          how many chunks are retrieved
  :new          forget what was said
  :quit         or Ctrl-D"""

_MAX_FILES = 200
_REMEMBERED = 12
"""Messages that are handed on, six questions with their answers: more are not read."""


def lines_of(prompt: str) -> Iterator[str]:
    """What a person types, or what comes through a pipe; ends with it. Ctrl-C while typing begins a new line."""
    typed = sys.stdin.isatty()
    if typed:
        # edits lines and remembers them, by being imported
        import readline  # noqa: F401
    elif isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    while True:
        try:
            yield input(prompt if typed else "")
        except KeyboardInterrupt:
            if not typed:
                raise
            click.echo()
        except EOFError:
            if typed:
                click.echo()
            return


class Shell:
    """A conversation about code."""

    def __init__(
        self,
        engine: CodeQueryEngine,
        store: VectorStore,
        *,
        k: int | None = None,
        repository: str = "",
    ) -> None:
        self._engine, self._store = engine, store
        self._k, self._repository = k, repository
        self._said: tuple[Message, ...] = ()
        self._commands: dict[str, Callable[[str], object]] = {
            "files": self._files,
            "help": lambda _: click.echo(HELP),
            "k": self._set_k,
            "new": self._forget,
            "search": self._search,
        }

    def run(self, lines: Iterable[str]) -> None:
        """Until the lines end, or one says so. What fails is said, and the next line is read."""
        for line in map(str.strip, lines):
            if line in {":quit", ":q", ":exit"}:
                return
            try:
                self._line(line)
            except RagSystemError as error:
                click.echo(f"error: {redact(str(error))}", err=True)
            except KeyboardInterrupt:
                click.echo("stopped", err=True)

    def _line(self, line: str) -> None:
        if not line:
            return
        if not line.startswith(":"):
            self._ask(line)
            return
        name, _, text = line[1:].partition(" ")
        command = self._commands.get(name)
        if command is None:
            click.echo(f"unknown command :{name}; :help shows those there are", err=True)
        else:
            command(text.strip())

    def _ask(self, question: str) -> None:
        asked = self._engine.asked(
            question, k=self._k, repository=self._repository, history=self._said
        )
        answer = answered(self._engine.answering, asked, Shown())
        if answer is not None:
            turn = (
                Message(role="user", content=question),
                Message(role="assistant", content=answer.text),
            )
            self._said = (*self._said, *turn)[-_REMEMBERED:]
        click.echo()

    def _search(self, text: str) -> None:
        if not text:
            click.echo("what is to be searched? :search TEXT", err=True)
            return
        for chunk in self._engine.search(text, self._k, self._repository):
            lines = f"{chunk.start_line}-{chunk.end_line}" if chunk.start_line else ""
            click.echo(place_line(chunk.n, chunk.source_file or chunk.title, lines, chunk.score))
            click.echo(f"     {chunk.symbol or preview(chunk.content)}".rstrip())

    def _files(self, text: str) -> None:
        fields = ("title", "author_full_name")
        found = [one.payload for one in self._store.scan(CODE.cleaned_collection, fields=fields)]
        paths = sorted(
            {
                str(one["title"])
                for one in found
                if self._repository in {"", one["author_full_name"]}
                and text.casefold() in str(one["title"]).casefold()
            }
        )
        for path in paths[:_MAX_FILES]:
            click.echo(f"  {path}")
        more = f", the first {_MAX_FILES} are shown" if len(paths) > _MAX_FILES else ""
        click.echo(f"{len(paths)} files{more}")

    def _set_k(self, text: str) -> None:
        if text.isdecimal() and int(text):
            self._k = int(text)
        else:
            shown = self._k or self._engine.top_k
            click.echo(f"{shown} chunks are retrieved; :k N changes that", err=True)

    def _forget(self, _: str) -> None:
        self._said = ()
