"""The command ``python -m tools.code_mcp``."""

import click

from rag_llm_system.settings import load_settings
from tools.errors import clean_exit
from tools.start import start


@click.command(
    help="Let a coding tool search the indexed code bases and ask about them, by the Model Context Protocol on "
    "standard input and output. It is started by such a tool, with: poe -C <this folder> code-mcp"
)
def main() -> None:
    with clean_exit():
        settings = (
            load_settings()
        )  # a setting that is wrong ends it before the tool waits for an answer
        from rag_llm_system.bootstrap import build
        from tools.code_mcp.server import code_server

        code_server(lambda: build(settings)).run()


if __name__ == "__main__":
    start(main)
