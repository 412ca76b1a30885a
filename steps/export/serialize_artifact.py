"""Writes the newest version of some artifacts as JSON files."""

import json
from pathlib import Path
from typing import Annotated

from zenml.client import Client

from rag_llm_system.domain.documents import CleanedDocument, Document, Value
from rag_llm_system.domain.errors import ConfigurationError
from rag_llm_system.domain.ports import Record
from steps.records import RecordsFile, read_records
from steps.tracing import traced_step

_MODELS: dict[str, type[Value]] = {
    "raw_documents": Document,
    "cleaned_documents": CleanedDocument,
    "embedded_documents": Record,
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


def _write(value: RecordsFile | Value, path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        if not isinstance(value, RecordsFile):
            file.write(value.model_dump_json(indent=2))
            return 1
        file.write("[")
        for n, record in enumerate(read_records(value, _MODELS[value.kind])):
            row = json.dumps(record.model_dump(mode="json"), ensure_ascii=False)
            file.write(f"{',' if n else ''}\n{row}")
        file.write("\n]\n")
    return value.rows
