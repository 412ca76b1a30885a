"""The ZenML dashboard with this clone's runs: ``poe local-zenml-server-up`` and ``-down``."""

import fcntl
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from rag_llm_system.domain.errors import BackendError, ConfigurationError
from rag_llm_system.settings import Settings, load_settings
from tools.errors import clean_exit
from tools.ports import free_port
from tools.start import start
from tools.zenml_cli import COMMAND
from tools.zenml_store import use_zenml_store

DEFAULT_PORT = 8237
_STOPPED = {0, -signal.SIGINT, -signal.SIGTERM, 130, 143}


@click.group(help="Serve the ZenML dashboard on loopback, or stop it.")
def main() -> None: ...


@main.command(help="Serve until Ctrl-C, or until the command for stopping it.")
@click.option(
    "--port",
    type=int,
    help=f"Port to listen on (default: {DEFAULT_PORT}, or a free one when it is taken).",
)
def up(port: int | None) -> None:
    with clean_exit():
        settings = load_settings()
        ours = use_zenml_store(settings.data_dir)
        environment = {**os.environ, "ZENML_LOGGING_VERBOSITY": "ERROR"}
        if ours:
            # the folder alone names the same database; with its URL set, zenml refuses to log in
            environment = {k: v for k, v in environment.items() if not k.startswith("ZENML_STORE_")}
        port = port or free_port("127.0.0.1", DEFAULT_PORT)
        url = f"http://127.0.0.1:{port}/projects/default/runs"
        # the blocking form: a daemon would point later runs at itself and break them when it dies
        command = [*COMMAND, "login", "--local", "--blocking", "--port", str(port)]
        with _the_only_one(settings) as note:
            click.echo(f"ZenML dashboard on {url}; Ctrl-C stops")
            server = subprocess.Popen(command, env=environment)  # noqa: S603 - zenml itself
            note.write_text(str(server.pid), encoding="utf-8")
            ended = _wait(server)
        if ended not in _STOPPED:
            raise BackendError(f"the dashboard ended with exit code {ended}")


@main.command(help="Stop the dashboard of this clone.")
def down() -> None:
    with clean_exit():
        note = _note(load_settings())
        if not _is_held(note):
            click.echo("no dashboard of this clone is running")
            return
        os.kill(int(note.read_text(encoding="utf-8")), signal.SIGTERM)
        click.echo("dashboard stopped")


def _wait(server: subprocess.Popen[bytes]) -> int:
    """Its exit code; on Ctrl-C it ends first, so that nothing outlives this command."""
    try:
        return server.wait()
    except KeyboardInterrupt:
        server.terminate()
        return server.wait()


def _note(settings: Settings) -> Path:
    return settings.data_dir / "dashboard.pid"


@contextmanager
def _the_only_one(settings: Settings) -> Iterator[Path]:
    """The file for the server's pid, locked while the block runs."""
    note = _note(settings)
    with note.open("a", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigurationError(
                "a dashboard of this clone is running; stop it with: poe local-zenml-server-down"
            ) from error
        yield note
        note.unlink()


def _is_held(note: Path) -> bool:
    if not note.exists():
        return False
    with note.open("r", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


if __name__ == "__main__":
    start(main)
