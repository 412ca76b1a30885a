"""The RAG API as a server: ``poe run-inference-ml-service``."""

import click

from rag_llm_system.settings import load_settings
from tools.errors import clean_exit
from tools.start import start


@click.command(help="Serve POST /rag and GET /health.")
@click.option("--host", help="Address to listen on (default: setting RAG_API_HOST).")
@click.option("--port", type=int, help="Port to listen on (default: setting RAG_API_PORT).")
def main(host: str | None, port: int | None) -> None:
    with clean_exit():
        import uvicorn

        from rag_llm_system.bootstrap import build
        from rag_llm_system.infrastructure.inference_pipeline_api import create_app
        from tools.ports import listening_port

        settings = load_settings()
        host = host or settings.RAG_API_HOST
        port = listening_port(host, port or settings.RAG_API_PORT, "RAG_API_PORT")
        click.echo(f"RAG API on http://{host}:{port} (POST /rag, GET /health, /docs); Ctrl-C stops")
        app = create_app(lambda: build(settings))
        uvicorn.run(app, host=host, port=port, log_level="warning")


if __name__ == "__main__":
    start(main)
