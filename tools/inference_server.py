"""The inference server: ``poe deploy-inference-local``."""

from pathlib import Path

import click

from rag_llm_system.domain.errors import MissingFile
from rag_llm_system.settings import Settings, load_settings
from tools.errors import clean_exit
from tools.models import model_registry
from tools.start import start

SHUTDOWN_S = 5
"""How long Ctrl-C waits for answers that are being written."""


@click.command(help="Serve POST /infer and GET /health with a fine-tuned model.")
@click.option(
    "--model",
    metavar="VERSION|FOLDER",
    help="A version of poe model-list, or a folder that a training left (default: the one in production).",
)
@click.option("--host", help="Address to listen on (default: setting INFERENCE_HOST).")
@click.option("--port", type=int, help="Port to listen on (default: setting INFERENCE_PORT).")
def main(model: str | None, host: str | None, port: int | None) -> None:
    with clean_exit():
        import uvicorn

        from rag_llm_system.infrastructure.local.governance import GovernanceMonitor
        from rag_llm_system.infrastructure.local.local_deploy import create_app
        from rag_llm_system.infrastructure.local.protocol import Engine
        from rag_llm_system.model.registry import current_model
        from tools.logs import log_to_stderr
        from tools.ports import listening_port

        settings = load_settings()
        models = settings.data_dir / "models"
        folder = _folder_of(model, settings) if model else current_model(models)
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


def _folder_of(model: str, settings: Settings) -> Path:
    """A folder as it is; else the folder of that version, restored when it was removed."""
    if Path(model).is_dir():
        return Path(model)
    if not model.isdecimal():
        raise MissingFile(f"{model}: no such folder; poe model-list shows the versions")
    with model_registry(settings) as registry:
        return registry.folder(registry.version(int(model)))


if __name__ == "__main__":
    start(main)
