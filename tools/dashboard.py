"""The ZenML dashboard with this clone's runs: ``poe local-zenml-server-up``."""

import os
import subprocess
import sys

import click

from rag_llm_system.domain.errors import BackendError
from rag_llm_system.settings import load_settings
from tools.errors import clean_exit
from tools.ports import free_port
from tools.start import start
from tools.zenml_store import use_zenml_store

DEFAULT_PORT = 8237

# not the `zenml` script: its first line cannot name an interpreter in a path with spaces
_ZENML = "import zenml.cli; zenml.cli.cli()"


@click.command(help="Serve the ZenML dashboard on loopback until Ctrl-C.")
@click.option(
    "--port",
    type=int,
    help=f"Port to listen on (default: {DEFAULT_PORT}, or a free one when it is taken).",
)
def main(port: int | None) -> None:
    with clean_exit():
        settings = load_settings()
        ours = use_zenml_store(settings.data_dir)
        port = port or free_port("127.0.0.1", DEFAULT_PORT)
        click.echo(
            f"ZenML dashboard on http://127.0.0.1:{port}/projects/default/runs; Ctrl-C stops"
        )
        # the blocking form: a daemon would point later runs at itself and break them when it dies
        command = [sys.executable, "-c", _ZENML, "login", "--local", "--blocking"]
        environment = {**os.environ, "ZENML_LOGGING_VERBOSITY": "ERROR"}
        if (
            ours
        ):  # the folder alone names the same database; with its URL set, zenml refuses to log in
            environment = {k: v for k, v in environment.items() if not k.startswith("ZENML_STORE_")}
        ended = subprocess.run(  # noqa: S603 - a fixed command and a number
            [*command, "--port", str(port)], env=environment, check=False
        )
        if ended.returncode not in {0, -2, 130}:
            raise BackendError(f"the dashboard ended with exit code {ended.returncode}")


if __name__ == "__main__":
    start(main)
