"""The RAG API as a server: ``poe run-inference-ml-service``."""

import os

import click

from rag_llm_system.settings import Settings, load_settings
from tools.errors import clean_exit
from tools.start import start


@click.command(help="Serve the chat page, POST /rag and OpenAI's routes.")
@click.option("--host", help="Address to listen on (default: setting RAG_API_HOST).")
@click.option("--port", type=int, help="Port to listen on (default: setting RAG_API_PORT).")
def main(host: str | None, port: int | None) -> None:
    with clean_exit():
        # read when NumPy is imported: threads of a product that wait for one another take from the next question
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        from rag_llm_system.bootstrap import build
        from rag_llm_system.bootstrap.prompts import keep_prompts
        from rag_llm_system.infrastructure.inference_pipeline_api import create_app
        from tools.logs import log_to_stderr
        from tools.ports import listening_port
        from tools.serving import access_of, leave, monitor_of, serve

        settings = load_settings()
        host = host or settings.RAG_API_HOST
        access = access_of(settings, host, "RAG_API_KEYS")
        port = listening_port(host, port or settings.RAG_API_PORT, "RAG_API_PORT")
        app = create_app(
            lambda: build(settings),
            monitor_of(settings, "rag"),
            access=access,
            deadline_s=settings.RAG_DEADLINE_S,
            default_k={"code": settings.CODE_TOP_K, "movies": settings.MOVIES_TOP_K},
        )
        click.echo(f"RAG API on http://{host}:{port} (chat page at /, POST /rag, /docs)")
        click.echo(_said(settings, needs_key=bool(access.keys)))
        log_to_stderr("rag_llm_system")
        keep_prompts(settings)
        serve(app, host, port)
        leave()


def _said(settings: Settings, *, needs_key: bool) -> str:
    keys = "a key of RAG_API_KEYS is needed" if needs_key else "no key is needed"
    return f"answers by {settings.LLM_BACKEND}; {keys}; Ctrl-C stops"


if __name__ == "__main__":
    start(main)
