"""What other programs get of a trained model: one folder for each, there whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal, get_args

from pydantic import SecretStr
from transformers import AutoConfig

from rag_llm_system.model.export.merge import merge, plain_folder
from rag_llm_system.model.export.modelfile import modelfile
from rag_llm_system.model.export.outputs import new_folder
from rag_llm_system.model.quiet import quiet

if TYPE_CHECKING:
    from rag_llm_system.model.export.gguf import Quantisation

Target = Literal["merged", "gguf", "ollama"]
TARGETS: tuple[Target, ...] = get_args(Target)
MERGED_DIR = "merged"
MODELFILE = "Modelfile"


@dataclass(frozen=True)
class Export:
    """``target`` merged: whole weights and a Modelfile; gguf: one file; ollama: that file and a Modelfile."""

    target: Target
    name: str
    quantisation: "Quantisation" = "f16"
    system: str = ""


def export(
    source: Path, output: Path, what: Export, *, token: SecretStr | None = None
) -> tuple[str, ...]:
    """Writes the model of ``source`` (trained, or merged before) into the new folder ``output``; gives warnings."""
    with quiet(), new_folder(output) as unfinished:
        if what.target == "merged":
            weights = merge(source, unfinished / MERGED_DIR, token=token)
            _write_modelfile(unfinished, f"./{MERGED_DIR}", weights, what.system)
            return ()
        from rag_llm_system.model.export.gguf import write_gguf  # an optional library

        with _plain(source, unfinished.parent, token) as weights:
            file = write_gguf(
                weights,
                unfinished / f"{what.name}-{what.quantisation}.gguf",
                quantisation=what.quantisation,
                name=what.name,
            )
            if what.target == "ollama":
                _write_modelfile(unfinished, f"./{file.path.name}", weights, what.system)
        return file.warnings


@contextmanager
def _plain(source: Path, beside: Path, token: SecretStr | None) -> Iterator[Path]:
    """Whole weights: those of the source, or merged for the time being, on the disk that the result goes to."""
    whole = plain_folder(source)
    if whole is not None:
        yield whole
        return
    with TemporaryDirectory(dir=beside, prefix=".merging-") as folder:
        yield merge(source, Path(folder) / MERGED_DIR, token=token)


def _write_modelfile(folder: Path, source: str, weights: Path, system: str) -> None:
    context = AutoConfig.from_pretrained(weights).max_position_embeddings
    text = modelfile(source, context_tokens=context, system=system)
    (folder / MODELFILE).write_text(text, encoding="utf-8")
