"""Asks the running inference server: ``poe test-inference-local``."""

import json

import click

from rag_llm_system.settings import load_settings
from tools.errors import clean_exit
from tools.start import start


@click.command(help="POST PROMPT to the running inference server and print what it answers.")
@click.argument("prompt", default="What is an embedding?")
@click.option("--max-new-tokens", default=100, show_default=True)
@click.option("--url", help="Where it runs (default: setting LOCAL_INFERENCE_ENDPOINT_URL).")
def main(prompt: str, max_new_tokens: int, url: str | None) -> None:
    with clean_exit():
        from tools.http_calls import post_json

        settings = load_settings()
        answer = post_json(
            url or settings.LOCAL_INFERENCE_ENDPOINT_URL,
            {
                "prompt": prompt,
                "max_new_tokens": max_new_tokens,
                "temperature": settings.TEMPERATURE_INFERENCE,
                "top_p": settings.TOP_P_INFERENCE,
            },
            start_with="poe deploy-inference-local",
        )
        click.echo(json.dumps(answer, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    start(main)
