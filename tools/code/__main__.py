"""The command ``python -m tools.code``."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rag_llm_system.settings import Settings, load_settings
from tools.errors import clean_exit
from tools.start import start

if TYPE_CHECKING:
    from rag_llm_system.application.code.vectorizer import CodeVectorizer

FOLDER = click.argument("folder", type=click.Path(path_type=Path), default=Path())
NAME = click.option("--name", default="", help="What to call the code base (default: its folder).")
EXTENSIONS = click.option(
    "--ext",
    "extensions",
    multiple=True,
    metavar=".py",
    help="Only files with this extension; more than once for several.",
)
EXCLUDE = click.option(
    "--exclude",
    multiple=True,
    metavar="PATTERN",
    help="Leave out what this pattern, as in .gitignore, says: 'tests/', '*_test.go'.",
)
MAX_FILE_KB = click.option(
    "--max-file-kb",
    type=click.IntRange(min=1),
    default=512,
    show_default=True,
    help="Leave out larger files.",
)
CHUNKS = click.option("--k", type=click.IntRange(min=1), help="How many chunks to retrieve.")
REPOSITORY = click.option("--repository", default="", help="Ask this code base only (its name).")


@click.group(help="Index code bases, and ask questions about them.")
def main() -> None:
    pass


@main.command(help="Index the code base in FOLDER (default: here); only what changed is embedded.")
@FOLDER
@NAME
@EXTENSIONS
@EXCLUDE
@MAX_FILE_KB
def index(
    folder: Path,
    *,
    name: str,
    extensions: tuple[str, ...],
    exclude: tuple[str, ...],
    max_file_kb: int,
) -> None:
    with clean_exit():
        # the index takes seconds to import; --help must not wait for it
        from rag_llm_system.bootstrap import build
        from tools.code.indexing import CodeFolder, index_folder, summary, warning

        settings = load_settings()
        code = CodeFolder(folder, name, extensions, _excluded(exclude, settings), max_file_kb)
        with build(settings) as system:
            indexed = index_folder(system.code_vectorizer(), code)
        click.echo("\n".join(summary(indexed)))
        if line := warning(indexed):
            click.echo(line, err=True)


@main.command(
    help="Index the code base in FOLDER, and again whenever a file is saved. Ctrl-C ends it."
)
@FOLDER
@NAME
@EXTENSIONS
@EXCLUDE
@MAX_FILE_KB
def watch(
    folder: Path,
    *,
    name: str,
    extensions: tuple[str, ...],
    exclude: tuple[str, ...],
    max_file_kb: int,
) -> None:
    with clean_exit():
        from rag_llm_system.bootstrap import build
        from tools.code.indexing import CodeFolder
        from tools.code.watching import watch_folder

        settings = load_settings()
        code = CodeFolder(folder, name, extensions, _excluded(exclude, settings), max_file_kb)
        with build(settings) as system:

            @contextmanager
            def opened() -> Iterator["CodeVectorizer"]:
                with system.writing() as store:
                    yield system.code_vectorizer(store)

            watch_folder(opened, code, click.echo)


@main.command(
    help="Answer QUESTION from the indexed code bases, with the places in the code. Without one, questions are typed "
    "one after the other."
)
@click.argument("question", required=False)
@CHUNKS
@REPOSITORY
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON, when it is whole.")
@click.option("--show-context", is_flag=True, help="Print the code that the answer is made from.")
def ask(
    question: str | None, *, k: int | None, repository: str, as_json: bool, show_context: bool
) -> None:
    if question is None:
        if as_json or show_context:
            raise click.UsageError("--json and --show-context need a QUESTION")
        _converse(k, repository)
        return
    with clean_exit():
        from rag_llm_system.bootstrap import build
        from tools.code.asking import Shown, answered, require_code

        with build(load_settings()) as system:
            require_code(system.vectors, repository)
            engine = system.code_engine
            asked = engine.asked(question, k=k, repository=repository)
            answered(engine.answering, asked, Shown(as_json=as_json, with_context=show_context))


@main.command(help="Ask one question after the other; :help shows what else can be typed.")
@CHUNKS
@REPOSITORY
def shell(*, k: int | None, repository: str) -> None:
    _converse(k, repository)


def _converse(k: int | None, repository: str) -> None:
    with clean_exit():
        from rag_llm_system.bootstrap import build
        from tools.code.asking import require_code
        from tools.code.shell import Shell, lines_of

        with build(load_settings()) as system:
            require_code(system.vectors, repository)
            shell = Shell(system.code_engine, system.vectors, k=k, repository=repository)
            shell.run(lines_of("code> "))


@main.command("list", help="Show the code bases that are indexed.")
def list_code_bases() -> None:
    with clean_exit():
        from rag_llm_system.bootstrap import build
        from tools.code.bases import base_lines

        with build(load_settings()) as system:
            click.echo("\n".join(base_lines(system.vectors)))


@main.command(help="Remove a code base from the index; NAME is its name or its folder.")
@click.argument("name")
def forget(name: str) -> None:
    with clean_exit():
        from rag_llm_system.bootstrap import build
        from tools.code.bases import named_base

        with build(load_settings()) as system:
            base = named_base(system.vectors, name)
            files = system.code_vectorizer().forget(base.id)
        click.echo(f"{base.name}: {files} files removed from the index")


def _excluded(patterns: tuple[str, ...], settings: Settings) -> tuple[Path | str, ...]:
    """The data directory too: a store below a watched folder would be a change of that folder."""
    return (*patterns, settings.data_dir)


if __name__ == "__main__":
    start(main)
