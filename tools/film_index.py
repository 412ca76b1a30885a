"""Films into the index: runs the pipeline ``movies_index`` on a file of records."""

from pathlib import Path
from typing import Any

from rag_llm_system.application.movies.record_mapping import read_mapping
from rag_llm_system.domain.errors import ConfigurationError, MissingFile
from tools.run import run_pipeline

CONFIG = "configs/movies_index.yaml"


def index_films(
    file: Path | None = None,
    mapping: Path | None = None,
    source: str = "",
    *,
    config: str = CONFIG,
    gate: bool | None = None,
) -> dict[str, Any]:
    """What is not given is as the config has it. Gives what ``run_pipeline`` gives.

    Raises MissingFile or ConfigurationError, before anything is started, for what cannot be.
    """
    return run_pipeline("movies_index", config, film_overrides(file, mapping, source, gate=gate))


def film_overrides(
    file: Path | None, mapping: Path | None, source: str, *, gate: bool | None = None
) -> list[str]:
    """``key=value`` for each that is given, as ``tools.run`` reads them."""
    overrides = []
    if file is not None:
        if not file.expanduser().is_file():
            raise MissingFile(
                f"film records {file}: no such file; name one of JSON lines, JSON, CSV or TSV"
            )
        overrides.append(f"file={_quoted(str(file.expanduser().resolve()))}")
    if mapping is not None:
        overrides.append(f"mapping={read_mapping(mapping.expanduser()).model_dump_json()}")
    if source:
        if not source.strip():
            raise ConfigurationError(
                "the source of the films has no name; give one or leave it out"
            )
        overrides.append(f"source={_quoted(' '.join(source.split()))}")
    if gate is not None:
        overrides.append(f"gate={str(gate).lower()}")
    return overrides


def _quoted(text: str) -> str:
    """As YAML reads it back as text: a source may be called 1984."""
    return "'" + text.replace("'", "''") + "'"
