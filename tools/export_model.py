"""A trained model for other programs: ``poe export-model -- --to ollama --output DIR``."""

import re
import shlex
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rag_llm_system.domain.errors import ConfigurationError, MissingExtra, MissingFile
from rag_llm_system.settings import load_settings
from tools.errors import clean_exit
from tools.start import start

if TYPE_CHECKING:
    from rag_llm_system.model.export.gguf import Quantisation
    from rag_llm_system.model.export.targets import Export, Target

TARGETS = ("merged", "gguf", "ollama")
QUANTISATIONS = ("f16", "bf16", "q8_0")
_NOT_IN_A_NAME = re.compile(r"[^a-z0-9._-]+")
_MB = 1_000_000


@click.command(
    help="Write the model of FOLDER (default: the one that serves) for other programs. merged: whole weights for"
    " Transformers, vLLM and Ollama; gguf: one file for llama.cpp; ollama: that file and a Modelfile."
)
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--to", "target", required=True, type=click.Choice(TARGETS), help="The form.")
@click.option(
    "--output", required=True, type=click.Path(path_type=Path), help="A folder to make for it."
)
@click.option(
    "--quantisation",
    type=click.Choice(QUANTISATIONS),
    help="Of gguf and ollama (default: f16); q8_0 is half as large.",
)
@click.option("--name", help="What the model is called (default: as its folder).")
@click.option("--system", default="", help="System message of the Modelfile.")
def main(
    folder: Path | None,
    *,
    target: "Target",
    output: Path,
    quantisation: "Quantisation | None",
    name: str | None,
    system: str,
) -> None:
    with clean_exit():
        _check(target, quantisation, system)
        from rag_llm_system.model.export.targets import Export, export

        settings = load_settings()
        source = folder or _serving(settings.data_dir / "models")
        if not source.is_dir():
            raise MissingFile(f"{source}: no such folder; name one that a training left")
        called = _NOT_IN_A_NAME.sub("-", (name or source.resolve().name).lower()).strip("-.")
        what = Export(target, called or "model", quantisation or "f16", system)
        click.echo(f"model {source}")
        warnings = export(source, output, what, token=settings.HUGGINGFACE_ACCESS_TOKEN)
        for line in (*_sizes(output), *(f"warning: {w}" for w in warnings)):
            click.echo(line)
        for command in _next(what, output):
            click.echo(f"next: {command}")


def _check(target: str, quantisation: str | None, system: str) -> None:
    if target == "merged" and quantisation:
        raise ConfigurationError("--quantisation is for --to gguf and --to ollama")
    if target == "gguf" and system:
        raise ConfigurationError(
            "--system is for --to merged and --to ollama, which have a Modelfile"
        )
    if target != "merged" and find_spec("gguf") is None:
        raise MissingExtra("export-model", "gguf")


def _serving(models: Path) -> Path:
    from rag_llm_system.model.registry import current_model

    return current_model(models)


def _sizes(output: Path) -> Iterator[str]:
    for file in sorted(path for path in output.rglob("*") if path.is_file()):
        size = file.stat().st_size
        yield f"  {file}  " + (f"{size / _MB:,.1f} MB" if size >= _MB else f"{size:,} bytes")


def _next(what: "Export", output: Path) -> Iterator[str]:
    place = shlex.quote(str(output))
    if what.target == "merged":
        yield f"vllm serve {place}/merged"
    if what.target == "gguf":
        yield f"llama-server --model {place}/{what.name}-{what.quantisation}.gguf"
    else:
        yield f"ollama create {what.name} --file {place}/Modelfile"


if __name__ == "__main__":
    start(main)
