"""The inference server: ``poe deploy-inference-local``."""

from pathlib import Path

import click

from rag_llm_system.settings import load_settings
from tools.errors import clean_exit
from tools.start import start

SHUTDOWN_S = 5
"""How long Ctrl-C waits for answers that are being written."""


@click.command(help="Serve POST /infer and GET /health with a fine-tuned model.")
@click.option(
    "--model",
    type=click.Path(path_type=Path),
    help="Folder that a training left (default: the model that was registered last).",
)
@click.option("--host", help="Address to listen on (default: setting INFERENCE_HOST).")
@click.option("--port", type=int, help="Port to listen on (default: setting INFERENCE_PORT).")
def main(model: Path | None, host: str | None, port: int | None) -> None:
    with clean_exit():
        import uvicorn

        from rag_llm_system.infrastructure.local.governance import GovernanceMonitor
        from rag_llm_system.infrastructure.local.local_deploy import create_app
        from rag_llm_system.infrastructure.local.protocol import Engine
        from rag_llm_system.model.registry import current_model
        from tools.logs import log_to_stderr
        from tools.ports import listening_port

        settings = load_settings()
        folder = model or current_model(settings.data_dir / "models")
        host = host or settings.INFERENCE_HOST
        port = listening_port(host, port or settings.INFERENCE_PORT, "INFERENCE_PORT")

        def load_engine() -> Engine:
            from rag_llm_system.model.inference.engine import open_engine

            return open_engine(folder, token=settings.HUGGINGFACE_ACCESS_TOKEN)

        click.echo(f"inference server on http://{host}:{port} (POST /infer, GET /health, /docs)")
        click.echo(f"model {folder.name}; Ctrl-C stops")
        app = create_app(load_engine, GovernanceMonitor())
        log_to_stderr("rag_llm_system.infrastructure.local.governance")
        uvicorn.run(
            app,
            host=host,
            port=port,
            log_level="warning",
            timeout_graceful_shutdown=SHUTDOWN_S,
        )


if __name__ == "__main__":
    start(main)
