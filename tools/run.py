"""Runs a pipeline: ``python -m tools.run digital_data_etl --config configs/mine.yaml --set key=value``."""

import os
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import click

from pipelines import PIPELINES
from rag_llm_system.domain.errors import UnknownName
from rag_llm_system.domain.redaction import redact
from rag_llm_system.infrastructure.loading import uninterrupted
from rag_llm_system.settings import load_settings
from tools.errors import clean_exit
from tools.run_config import load_run_config, load_zenml_options
from tools.start import start
from tools.zenml_store import use_zenml_store


@click.command(help="Run a pipeline: " + ", ".join(PIPELINES) + ".")
@click.argument("pipeline")
@click.option("--config", help="YAML file of parameters (default: the pipeline's own in configs/).")
@click.option(
    "--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override one parameter."
)
def main(pipeline: str, config: str | None, overrides: tuple[str, ...]) -> None:
    with clean_exit():
        run_pipeline(pipeline, config, list(overrides))


def run_pipeline(name: str, config_path: str | None, overrides: list[str]) -> dict[str, Any]:
    """Run one pipeline to its end and print what it did; gives its name, status and seconds."""
    if name not in PIPELINES:
        raise UnknownName("pipeline", name, PIPELINES)
    settings = load_settings()
    use_zenml_store(settings.data_dir)
    # zenml takes seconds to import and takes over logging: only here, when something is to run
    entry = PIPELINES[name]
    with uninterrupted():
        from tools.zenml_run import run_graph

        module = import_module(entry.module)
    path = config_path or entry.config
    parameters, origin = load_run_config(path, overrides, module.Config)
    graph = module.graph.with_options(**load_zenml_options(path))
    click.echo(f"{name}: parameters")
    values = parameters.model_dump(mode="json")
    for key, value in values.items():
        click.echo(f"  {key} = {redact(_short(value))}  ({origin[key]})")
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    return run_graph(graph, values, settings, run_name=f"{name}-{stamp}-{os.getpid()}")


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 200 else f"{text[:200]}… ({len(text)} characters)"


if __name__ == "__main__":
    start(main)
