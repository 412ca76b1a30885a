"""Asks the running inference server: ``poe test-inference-local``."""

import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

import click

from rag_llm_system.domain.errors import BackendError
from rag_llm_system.settings import load_settings
from tools.errors import clean_exit
from tools.start import start

START = "poe deploy-inference-local"

WAIT_S = 900.0
"""With --wait: a model of 8 billion parameters loads in a minute or two, after a download of some minutes."""

_ASK_AGAIN_S = 0.5

Events = Iterator[tuple[str, dict[str, Any]]]


@click.command(
    help="Ask the running inference server PROMPT; the answer is shown as it is written."
)
@click.argument("prompt", default="What is an embedding?")
@click.option("--max-new-tokens", default=100, show_default=True)
@click.option("--url", help="Where it runs (default: setting LOCAL_INFERENCE_ENDPOINT_URL).")
@click.option("--json", "as_json", is_flag=True, help="Print the whole answer as JSON, at its end.")
@click.option("--wait", is_flag=True, help="First wait until the server's model is loaded.")
def main(prompt: str, *, max_new_tokens: int, url: str | None, as_json: bool, wait: bool) -> None:
    with clean_exit():
        from tools.http_calls import post_events, post_json

        settings = load_settings()
        url = url or settings.LOCAL_INFERENCE_ENDPOINT_URL
        key = settings.LOCAL_INFERENCE_API_KEY.get_secret_value()
        body = {
            "prompt": prompt,
            "max_new_tokens": max_new_tokens,
            "temperature": settings.TEMPERATURE_INFERENCE,
            "top_p": settings.TOP_P_INFERENCE,
        }
        if wait:
            _wait_until_ready(url)
        if as_json:
            answer = post_json(url, body, start_with=START, key=key)
            click.echo(json.dumps(answer, indent=2, ensure_ascii=False))
        else:
            _show(post_events(url, body, start_with=START, key=key))


def _wait_until_ready(url: str) -> None:
    """Raises BackendError when the model cannot be loaded, or is not there after ``WAIT_S``."""
    import httpx

    until = time.monotonic() + WAIT_S
    shown = ""
    with httpx.Client(timeout=_ASK_AGAIN_S, trust_env=False) as client:
        while time.monotonic() < until:
            try:
                health = client.get(urljoin(url, "health")).json()
                status, reason = health["status"], health.get("error", "the model is loading")
            except (httpx.TransportError, ValueError, KeyError, TypeError):
                status, reason = "", f"no inference server at {url} yet"
            if status == "ready":
                return
            if status == "failed":
                raise BackendError(f"{url} has no model: {reason}")
            if reason != shown:
                click.echo(f"waiting: {reason}", err=True)
                shown = reason
            time.sleep(_ASK_AGAIN_S)
    raise BackendError(
        f"{url} was not ready after {WAIT_S:g} s ({shown}); look at the server's log"
    )


def _show(events: Events) -> None:
    """The text on standard output, what it took on standard error."""
    began = time.monotonic()
    first_s: float | None = None
    for name, data in events:
        if name == "token":
            first_s = time.monotonic() - began if first_s is None else first_s
            click.echo(data["text"], nl=False)
        elif name == "done":
            click.echo()
            if data["compliance_status"] != "compliant":
                raise BackendError(
                    f"the answer is withheld ({data['compliance_status']}); the server's policy decides"
                )
            seconds = time.monotonic() - began
            click.echo(_summary(data, seconds, seconds if first_s is None else first_s), err=True)


def _summary(done: dict[str, Any], seconds: float, first_s: float) -> str:
    usage, tokens = done["usage"], done["usage"]["completion_tokens"]
    return (
        f"{usage['prompt_tokens']} tokens of prompt, {tokens} of answer ({done['finish_reason']}) in "
        f"{seconds:.2f} s ({tokens / seconds:.1f} tokens/s), the first after {first_s:.2f} s; {done['model']}"
    )


if __name__ == "__main__":
    start(main)
