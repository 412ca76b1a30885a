"""The inference server: ``poe deploy-inference-local``."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from rag_llm_system.domain.errors import ConfigurationError, MissingFile
from rag_llm_system.domain.redaction import redact
from rag_llm_system.settings import Settings, load_settings
from tools.errors import clean_exit
from tools.models import model_registry
from tools.start import start

if TYPE_CHECKING:
    from rag_llm_system.infrastructure.local.protocol import Engine

SHUTDOWN_S = 5
"""How long Ctrl-C waits for answers that are being written."""

EngineKind = Literal["auto", "batched", "plain", "openai"]
Load = Callable[[], "Engine"]

_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w-][\w.-]*")


@click.command(help="Serve POST /infer and OpenAI's routes with one model.")
@click.option(
    "--model",
    metavar="VERSION|FOLDER|HUB_ID",
    help="A version of poe model-list, a folder with a model, or a model's name on the Hugging Face hub"
    " (default: the one in production).",
)
@click.option(
    "--engine",
    type=click.Choice(["auto", "batched", "plain", "openai"]),
    help="batched: requests together; plain: one after the other; auto: batched where the model can; openai: by"
    " the server at INFERENCE_UPSTREAM_URL, where --model is its name there (default: setting INFERENCE_ENGINE).",
)
@click.option("--host", help="Address to listen on (default: setting INFERENCE_HOST).")
@click.option("--port", type=int, help="Port to listen on (default: setting INFERENCE_PORT).")
def main(
    model: str | None, *, engine: EngineKind | None, host: str | None, port: int | None
) -> None:
    with clean_exit():
        settings = load_settings()
        kind = engine or settings.INFERENCE_ENGINE
        if kind == "openai":
            name, load_engine = _upstream(settings, model)
        else:
            name, load_engine = _own(settings, model, kind)
        host = host or settings.INFERENCE_HOST
        _serve(settings, load_engine, f"model {name}, engine {kind}", host=host, port=port)


def _own(
    settings: Settings, model: str | None, kind: Literal["auto", "batched", "plain"]
) -> tuple[str, Load]:
    """A model that this process runs."""
    from rag_llm_system.model.registry import current_model

    source = _source(model, settings) if model else current_model(settings.data_dir / "models")

    def load_engine() -> "Engine":
        from rag_llm_system.model.inference.engine import open_engine

        return open_engine(
            source,
            kind=kind,
            max_waiting=settings.INFERENCE_MAX_WAITING,
            threads=settings.INFERENCE_THREADS,
            token=settings.HUGGINGFACE_ACCESS_TOKEN,
        )

    return source.name if isinstance(source, Path) else source, load_engine


def _upstream(settings: Settings, model: str | None) -> tuple[str, Load]:
    """A model that another server runs: the one of that name, else the first that it has."""
    url = settings.INFERENCE_UPSTREAM_URL
    if not url:
        raise ConfigurationError(
            "the engine openai hands on to another server: set INFERENCE_UPSTREAM_URL to its /v1"
        )

    def load_engine() -> "Engine":
        from rag_llm_system.infrastructure.llms.field_regex import field_regex
        from rag_llm_system.infrastructure.local.upstream import UpstreamEngine

        return UpstreamEngine(
            url,
            api_key=settings.INFERENCE_UPSTREAM_API_KEY,
            model_id=model or "",
            max_waiting=settings.INFERENCE_MAX_WAITING,
            regex_of=field_regex,
        )

    return f"{model or 'of its choice'} at {redact(url)}", load_engine


def _source(model: str, settings: Settings) -> Path | str:
    """A folder as it is; the folder of a version, restored when it was removed; else a name on the hub."""
    if Path(model).is_dir():
        return Path(model).resolve()
    if model.isdecimal():
        with model_registry(settings) as registry:
            return registry.folder(registry.version(int(model)))
    if _HUB_ID.fullmatch(model):
        return model
    raise MissingFile(f"{model}: no such folder; poe model-list shows the versions")


def _serve(
    settings: Settings, load_engine: Load, serves: str, *, host: str, port: int | None
) -> None:
    from rag_llm_system.bootstrap import build
    from rag_llm_system.infrastructure.local.local_deploy import create_app
    from rag_llm_system.infrastructure.serving.metrics import ServerMetrics
    from tools.logs import log_to_stderr
    from tools.ports import listening_port
    from tools.serving import access_of, leave, monitor_of, serve

    access = access_of(settings, host, "INFERENCE_API_KEYS")
    port = listening_port(host, port or settings.INFERENCE_PORT, "INFERENCE_PORT")
    with build(settings) as system:
        app = create_app(
            load_engine,
            monitor_of(settings, "inference"),
            access=access,
            metrics=ServerMetrics("inference"),
            tracer=system.tracer,
        )
        keys = "a key of INFERENCE_API_KEYS is needed" if access.keys else "no key is needed"
        click.echo(f"inference server on http://{host}:{port} (POST /infer, /v1, /docs)")
        click.echo(f"{serves}; {keys}; Ctrl-C stops")
        log_to_stderr("rag_llm_system")
        serve(app, host, port)
    leave()


if __name__ == "__main__":
    start(main)
