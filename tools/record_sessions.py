"""Records a terminal session of each assistant into the docs: ``poe record-sessions``."""

import os
import pty
import re
import select
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from rag_llm_system.domain.errors import DataError
from rag_llm_system.settings import PROJECT_ROOT
from tools.errors import clean_exit
from tools.start import start

_LIMIT_S = 300.0
"""A command that says nothing for so long hangs."""

_READ_BYTES = 1 << 16
_PROMPT = "> "
_CLONE = "~/rag-llm-system"
_BEGIN, _END = "<!-- session: {} -->", "<!-- end of session -->"


@dataclass(frozen=True)
class Command:
    """``typed`` are the lines typed at its prompt, none for a command without one."""

    shown: str
    module: str
    typed: Sequence[str] = ()


PICTURES = PROJECT_ROOT / "docs" / "pictures"

SESSIONS: Mapping[str, tuple[Path, Sequence[Command]]] = {
    "code": (
        PROJECT_ROOT / "docs" / "code-assistant.md",
        (
            Command("poe code-index -- examples/accounts", "tools.code index examples/accounts"),
            Command(
                'poe code-ask -- "How does authentication work?"',
                'tools.code ask "How does authentication work?"',
            ),
            Command("poe code-index -- examples/accounts", "tools.code index examples/accounts"),
        ),
    ),
    "movies": (
        PROJECT_ROOT / "docs" / "movie-assistant.md",
        (
            Command("poe movies-index", "tools.movies index"),
            Command(
                "poe movies-ask",
                "tools.movies ask",
                (
                    "add I like sci-fi, but with good characters",
                    "add More like The Martian, less like depressing Black Mirror",
                    "seen Interstellar",
                    "search thoughtful sci-fi tonight",
                    "a comedy from the 90s with Bill Murray",
                    "quit",
                ),
            ),
        ),
    ),
}
"""Of each assistant: where it is shown, and what is typed."""


@click.command(help="Run the sessions that the docs show, and write down what was printed.")
@click.option("--pictures", is_flag=True, help="Take pictures of the chat page too, with Chromium.")
def main(*, pictures: bool) -> None:
    with clean_exit(), tempfile.TemporaryDirectory() as folder:
        for name, (page, commands) in SESSIONS.items():
            lines = [line for one in commands for line in _recorded(one, folder)]
            text = page.read_text(encoding="utf-8")
            page.write_text(with_session(text, name, lines), encoding="utf-8")
            click.echo(f"{page.relative_to(PROJECT_ROOT)}: {len(lines)} lines of the session")
        if pictures:
            from tools.page_pictures import take_pictures

            for picture in take_pictures(folder, PICTURES):
                click.echo(picture.relative_to(PROJECT_ROOT))


def with_session(page: str, name: str, lines: Sequence[str]) -> str:
    """The page with these lines in the place of its recorded session; DataError where it has no such place."""
    begin = _BEGIN.format(name)
    head, found, rest = page.partition(begin)
    _, ended, tail = rest.partition(_END)
    if not (found and ended):
        raise DataError(f"the page has no place for the session; write {begin!r} and {_END!r}")
    session = "\n".join(lines).rstrip()
    return f"{head}{begin}\n```console\n{session}\n```\n{ended}{tail}"


def _recorded(command: Command, data_dir: str) -> Iterator[str]:
    """As it would stand in a terminal; DataError when the command fails."""
    yield f"$ {command.shown}"
    environment = {
        **os.environ,
        "DATA_DIR": data_dir,
        "COLUMNS": "110",
        "NO_COLOR": "1",
        "TERM": "dumb",
    }
    arguments = [sys.executable, "-m", *shlex.split(command.module)]
    if command.typed:
        said = _typed(arguments, command.typed, environment)
    else:
        ran = subprocess.run(  # noqa: S603 - our own command
            arguments,
            cwd=PROJECT_ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if ran.returncode:
            raise DataError(f"{command.shown} failed: {ran.stdout.strip().splitlines()[-1:]}")
        said = ran.stdout
    yield from _lines(said.replace(data_dir, ".rag").replace(str(PROJECT_ROOT), _CLONE))
    yield ""


def _typed(arguments: Sequence[str], lines: Sequence[str], environment: dict[str, str]) -> str:
    """What a terminal shows while these lines are typed, each when the prompt has come."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(  # noqa: S603 - our own command
        arguments, cwd=PROJECT_ROOT, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    said, waiting, heard_at = "", list(lines), time.monotonic()
    try:
        while process.poll() is None or select.select([ours], [], [], 0)[0]:
            if time.monotonic() - heard_at > _LIMIT_S:
                raise DataError(f"{shlex.join(arguments)} said nothing for {_LIMIT_S:g} s")
            if not select.select([ours], [], [], 0.1)[0]:
                continue
            try:
                some = os.read(ours, _READ_BYTES)
            except OSError:  # how Linux says that the other end was closed
                break
            said, heard_at = said + some.decode("utf-8", "replace"), time.monotonic()
            if waiting and re.search(rf"(?:^|\n){_PROMPT}$", plain(said)):
                os.write(ours, f"{waiting.pop(0)}\n".encode())
    finally:
        os.close(ours)  # whoever still waits for a line meets the end
        process.wait()
    if process.returncode:
        raise DataError(f"{shlex.join(arguments)} failed: {plain(said)[-300:]}")
    return said


def plain(text: str) -> str:
    """Without colours, and of what was written over only the last."""
    lines = click.unstyle(text).replace("\r\n", "\n").split("\n")
    return "\n".join(line.rsplit("\r", 1)[-1] for line in lines)


def _lines(text: str) -> Iterator[str]:
    for line in plain(text).strip("\n").split("\n"):
        yield line.rstrip()


if __name__ == "__main__":
    start(main)
