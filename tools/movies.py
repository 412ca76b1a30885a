"""The movie assistant: ``poe movies-index``, ``poe movies-ask -- "a dark sci-fi film"``; without a request a prompt."""

import asyncio
import sys
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rag_llm_system.domain.errors import RagSystemError
from rag_llm_system.domain.queries import Query
from rag_llm_system.domain.redaction import redact
from rag_llm_system.settings import load_settings
from tools.errors import clean_exit
from tools.start import start

if TYPE_CHECKING:
    from collections.abc import Callable

    from rag_llm_system.application.movies.assistant import MovieAssistant
    from rag_llm_system.application.movies.preferences import Preferences
    from rag_llm_system.application.rag.asking import Asked, Piece
    from rag_llm_system.application.rag.prepared import Found
    from rag_llm_system.bootstrap import System
    from rag_llm_system.domain.answers import Answer, Message
    from rag_llm_system.domain.films import Preference

_USER = click.option("--user", help="Whose taste counts (default: MOVIES_USER).")
_K = click.option("--k", type=click.IntRange(1, 20), help="How many films (default: MOVIES_TOP_K).")
_TURNS = 12
"""Of a session: six requests and answers."""

_STAGES = ("understand", "preferences", "recommend", "context", "generate")
_ALONE = frozenset({"preferences", "help"})
"""Commands that take nothing."""

_HELP = """\
search WHAT       films for a request, such as: search thoughtful sci-fi tonight
add TEXT          keep a preference, such as: add I like sci-fi, but with good characters
seen FILM, ...    keep what you have seen: it is not recommended any more
preferences       what is kept of you
remove N          forget the preference of that number
help, quit

A line without a command is a search; "another one" and "something newer" go on with the last."""


@click.group(help="Recommend films from the index.")
def main() -> None: ...


@main.command(help="Index the films of FILE: JSON, JSON lines or CSV (default: the examples).")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option(
    "--mapping", type=click.Path(path_type=Path), help="YAML that says which field is which."
)
@click.option("--source", default="", help="What this collection of films is called.")
def index(file: Path | None, mapping: Path | None, source: str) -> None:
    with clean_exit():
        from tools.film_index import index_films  # zenml takes seconds to import

        index_films(file, mapping=mapping, source=source)


@main.command(help="Recommend films for REQUEST; without one, talk with the movie assistant.")
@click.argument("request", required=False)
@_USER
@_K
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON, when it is whole.")
def ask(request: str | None, *, user: str | None, k: int | None, as_json: bool) -> None:
    with clean_exit():
        if request is None and as_json:
            raise click.UsageError("--json needs a REQUEST")
        from rag_llm_system.bootstrap import build

        with build(load_settings()) as system:
            session = _Session(system, user, k)
            if request is None:
                session.run()
            elif as_json:
                answer = asyncio.run(session.whole(request))
                click.echo(answer.model_dump_json(indent=2))
            else:
                session.search(request)


@main.command(help="Talk with the movie assistant; it remembers what you like.")
@_USER
@_K
def shell(*, user: str | None, k: int | None) -> None:
    with clean_exit():
        from rag_llm_system.bootstrap import build

        with build(load_settings()) as system:
            _Session(system, user, k).run()


class _Session:
    """One user's; what was asked before belongs to what is asked next."""

    def __init__(self, system: "System", user: str | None, k: int | None) -> None:
        settings = system.settings
        self._system = system
        self._user = user or settings.MOVIES_USER
        self._k = k or settings.MOVIES_TOP_K
        self._history: list[Message] = []
        self._in_line = False  # an answer that broke off is no line with what comes next
        self._commands = {
            "search": self.search,
            "add": self._add,
            "seen": lambda films: self._add(f"seen: {films}"),
            "preferences": self._show_preferences,
            "remove": self._remove,
            "help": lambda _: click.echo(_HELP),
        }

    def run(self) -> None:
        """Until ``quit``, the end of the input or Ctrl-C at the prompt; Ctrl-C in an answer ends that answer."""
        is_typed = sys.stdin.isatty()
        if is_typed:
            click.echo("What would you like to watch? (help shows what can be said)")
        while (line := _line(is_typed=is_typed)) is not None:
            name, _, argument = line.partition(" ")
            if name.lower() in {"quit", "exit"} and not argument:
                return
            try:
                self._obey(line, name.lower(), argument.strip())
            except RagSystemError as error:
                click.echo(f"error: {redact(str(error))}", err=True)
            except KeyboardInterrupt:
                click.echo("(stopped)")

    def search(self, request: str) -> None:
        """As the documents show a session: the preferences, then the answer as it is written."""
        if not request:
            click.echo("search what? Such as: search thoughtful sci-fi tonight")
            return
        system = self._system
        click.echo(f"Searching for: {request!r}")
        click.echo(f"Generating query embedding with {system.embedder.model_id}...")
        click.echo(f"Searching {system.settings.VECTOR_STORE} for similar preferences...")
        try:
            answer = asyncio.run(_read(system.movies, self._asked(request), self._show))
        finally:
            click.echo("\n" if self._in_line else "", nl=self._in_line)
            self._in_line = False
        self._remember(request, answer)
        for note in answer.notes:
            click.echo(f"Note: {note}")
        if answer.sources:
            click.echo("Recommendations generated.")
        seconds = sum(answer.timings_s.get(stage, 0.0) for stage in _STAGES)
        click.echo(f"Model used: {answer.model} ({seconds:.2f} s)")

    async def whole(self, request: str) -> "Answer":
        return await _read(self._system.movies, self._asked(request), lambda _: None)

    def _obey(self, line: str, name: str, argument: str) -> None:
        command = self._commands.get(name)
        # "help me find a comedy" and "seen any good westerns?" are requests
        is_asked = argument.endswith("?") or (name in _ALONE and argument)
        if command is None or (is_asked and name != "search"):
            command, argument = self.search, line
        if argument or name in _ALONE or command == self.search:
            command(argument)
        else:
            click.echo(f"{name} what? (help shows what can be said)")

    def _asked(self, request: str) -> "Asked":
        from rag_llm_system.application.rag.asking import Asked

        return Asked(
            query=Query(text=request), k=self._k, user=self._user, history=tuple(self._history)
        )

    def _remember(self, request: str, answer: "Answer") -> None:
        from rag_llm_system.domain.answers import Message

        self._history += [
            Message(role="user", content=request),
            Message(role="assistant", content=answer.text),
        ]
        del self._history[:-_TURNS]

    def _show(self, event: "Found | Piece") -> None:
        """What was found comes before what is written; a follow-up is shown as what it means."""
        from rag_llm_system.application.rag.asking import Piece

        if isinstance(event, Piece):
            click.echo(event.text, nl=False)
            self._in_line = True
            return
        similar = self._mine.similar(self._user, event.condensed or event.question)
        click.echo(f"Found {_count(len(similar), 'similar preference')}{':' if similar else ''}\n")
        for number, one in enumerate(similar, start=1):
            click.echo(f'#{number} (Similarity: {one.similarity:.3f})\n   "{one.text}"')
        model = self._system.movies.model_id
        click.echo(
            f"{chr(10) if similar else ''}Generating movie recommendations with {model}...\n"
        )

    def _add(self, text: str) -> None:
        for one in self._mine.tell(self._user, text):
            click.echo(f"Kept: {_shown(one)}")

    def _show_preferences(self, _: str) -> None:
        known = self._mine.all(self._user)
        for number, one in enumerate(known, start=1):
            click.echo(f"{number}. {_shown(one)}")
        if not known:
            click.echo("Nothing is kept yet; add TEXT keeps a preference")

    def _remove(self, number: str) -> None:
        known = self._mine.all(self._user)
        if not number.isdecimal() or not 0 < int(number) <= len(known):
            click.echo(f"remove which? A number from 1 to {len(known)}; preferences shows them")
            return
        one = known[int(number) - 1]
        self._mine.remove(self._user, one.id)
        click.echo(f"Forgotten: {_shown(one)}")

    @property
    def _mine(self) -> "Preferences":
        return self._system.film_preferences


def _line(*, is_typed: bool) -> str | None:
    """The next line that says something; None at the end. What comes from a pipe is shown as if it were typed."""
    line = ""
    while not line:
        try:
            line = input("> ").strip()
        except (EOFError, KeyboardInterrupt):
            click.echo()
            return None
        if not is_typed:
            click.echo(line)
    return line


def _shown(preference: "Preference") -> str:
    return f"seen: {preference.text}" if preference.kind == "seen" else preference.text


def _count(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'s'[: number != 1]}"


async def _read(
    assistant: "MovieAssistant", asked: "Asked", show: "Callable[[Found | Piece], None]"
) -> "Answer":
    """The whole answer; what comes before it is shown as it comes."""
    from rag_llm_system.domain.answers import Answer

    async with aclosing(assistant.events(asked)) as events:
        async for event in events:
            if isinstance(event, Answer):
                return event
            show(event)
    raise AssertionError("the answer comes last")


if __name__ == "__main__":
    start(main)
