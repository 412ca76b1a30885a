"""Writes the newest version of some artifacts as JSON files."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, TextIO

from pydantic import BaseModel
from zenml.client import Client

from rag_llm_system.application.dataset.prompts import GenerationPrompt
from rag_llm_system.domain.datasets import PreferenceRow, TrainingRow
from rag_llm_system.domain.documents import CleanedDocument, Document, Value
from rag_llm_system.domain.errors import ConfigurationError
from rag_llm_system.domain.ports import Record
from steps.records import RecordsFile, read_records
from steps.tracing import traced_step

_MODELS: dict[str, type[BaseModel]] = {
    "raw_documents": Document,
    "cleaned_documents": CleanedDocument,
    "embedded_documents": Record,
    "queried_cleaned_documents": CleanedDocument,
    "prompts": GenerationPrompt,
    "instruction_rows": TrainingRow,
    "preference_rows": PreferenceRow,
}


class ExportReport(Value):
    """Files written, and rows in each."""

    rows: dict[str, int]


@traced_step
def serialize_artifact(
    artifact_names: list[str], output_dir: str
) -> Annotated[ExportReport, "exported"]:
    rows: dict[str, int] = {}
    for name in artifact_names:
        try:
            artifact = Client().get_artifact_version(name)
        except KeyError as error:
            raise ConfigurationError(
                f"no artifact {name!r} yet; run the pipeline that makes it"
            ) from error
        path = Path(output_dir) / f"{name}.json"
        rows[str(path)] = _write(artifact.load(), path)
    return ExportReport(rows=rows)


def _write(value: Any, path: Path) -> int:
    """One JSON file; the number of its rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        if isinstance(value, RecordsFile):
            return _write_list(read_records(value, _MODELS[value.kind]), file)
        if isinstance(value, dict):  # a DatasetDict: by the names of its sides
            return _write_sides(value, file)
        file.write(value.model_dump_json(indent=2))
        return 1


def _write_sides(sides: Mapping[str, Any], file: TextIO) -> int:
    from rag_llm_system.model.dataset_rows import rows_of  # datasets: only where there is one

    rows = 0
    for n, (name, side) in enumerate(sides.items()):
        file.write(f"{',' if n else '{'}\n{json.dumps(name)}: ")
        rows += _write_list(rows_of(side), file)
    file.write("}\n")
    return rows


def _write_list(records: Iterable[BaseModel], file: TextIO) -> int:
    file.write("[")
    rows = 0
    for record in records:
        row = json.dumps(record.model_dump(mode="json"), ensure_ascii=False)
        file.write(f"{',' if rows else ''}\n{row}")
        rows += 1
    file.write("\n]\n")
    return rows
