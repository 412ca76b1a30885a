"""Makes an API key for the servers: ``poe make-api-key -- NAME``."""

import click

from rag_llm_system.infrastructure.serving.keys import new_key
from tools.errors import clean_exit
from tools.start import start


@click.command(help="Make a key for whoever NAME is: a person, a program, a proxy.")
@click.argument("name")
def main(name: str) -> None:
    with clean_exit():
        key, kept = new_key(name)
        click.echo(f"The key, shown this once:\n\n  {key}\n")
        click.echo("Its entry for RAG_API_KEYS or INFERENCE_API_KEYS; commas part several:\n")
        click.echo(f"  {kept.entry}")


if __name__ == "__main__":
    start(main)
