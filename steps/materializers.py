"""How our own artifact types are stored, and what the ZenML dashboard shows of them."""

import hashlib
import html
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import pyarrow.parquet as pq
from zenml.enums import ArtifactType, VisualizationType
from zenml.io import fileio
from zenml.materializers.base_materializer import BaseMaterializer

from rag_llm_system.domain.documents import Value
from steps.records import RecordsFile
from steps.session import scratch_folder

_PREVIEW_ROWS = 25
_PREVIEW_CHARS = 160
_TABLE_ROWS = 500
_STYLE = (
    "<style>body{font:14px system-ui;margin:1rem;color:#1c1c1c}table{border-collapse:collapse}"
    "th,td{border:1px solid #d0d0d0;padding:.3rem .5rem;text-align:left;vertical-align:top}"
    "th{background:#f3f3f3}code{background:#f3f3f3}</style>"
)


class RecordsFileMaterializer(BaseMaterializer):
    """One Parquet file beside a small JSON file that describes it."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (RecordsFile,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.DATA

    def save(self, data: RecordsFile) -> None:
        fileio.copy(str(data.path), self._at("records.parquet"), overwrite=True)
        about = {"kind": data.kind, "rows": data.rows, "digest": data.digest}
        with self.artifact_store.open(self._at("about.json"), "w") as file:
            file.write(json.dumps(about))

    def load(self, data_type: type[Any]) -> RecordsFile:
        with self.artifact_store.open(self._at("about.json"), "r") as file:
            about = json.loads(file.read())
        path = Path(self._at("records.parquet"))
        if not path.exists():  # a remote artifact store
            path = scratch_folder() / "records.parquet"
            fileio.copy(self._at("records.parquet"), str(path))
        loaded: RecordsFile = data_type(path=path, **about)
        return loaded

    def save_visualizations(self, data: RecordsFile) -> dict[str, VisualizationType]:
        where = self._at("preview.html")
        with self.artifact_store.open(where, "w") as file:
            file.write(_records_preview(data))
        return {where: VisualizationType.HTML}

    def extract_metadata(self, data: RecordsFile) -> dict[str, Any]:
        return {"rows": data.rows, "bytes": data.path.stat().st_size, "sha256": data.digest}

    def compute_content_hash(self, data: RecordsFile) -> str:
        return data.digest

    def _at(self, name: str) -> str:
        return f"{self.uri}/{name}"


class ValueMaterializer(BaseMaterializer):
    """Reports, answers and other values: one JSON file, shown as a table."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (Value,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.DATA

    def save(self, data: Value) -> None:
        with self.artifact_store.open(f"{self.uri}/value.json", "w") as file:
            file.write(data.model_dump_json())

    def load(self, data_type: type[Any]) -> Value:
        with self.artifact_store.open(f"{self.uri}/value.json", "r") as file:
            loaded: Value = data_type.model_validate_json(file.read())
        return loaded

    def save_visualizations(self, data: Value) -> dict[str, VisualizationType]:
        where = f"{self.uri}/value.html"
        with self.artifact_store.open(where, "w") as file:
            file.write(_page(type(data).__name__, _fields(data.model_dump(mode="json"))))
        return {where: VisualizationType.HTML}

    def extract_metadata(self, data: Value) -> dict[str, Any]:
        fields = data.model_dump(mode="json").items()
        return {k: v for k, v in fields if isinstance(v, int | float) and not isinstance(v, bool)}

    def compute_content_hash(self, data: Value) -> str:
        return hashlib.sha256(data.model_dump_json().encode()).hexdigest()


def _records_preview(data: RecordsFile) -> str:
    with pq.ParquetFile(data.path) as parquet:
        batch = next(parquet.iter_batches(_PREVIEW_ROWS), None)
        names = tuple(parquet.schema_arrow.names)
    rows = [] if batch is None else [tuple(map(_cell, r.values())) for r in batch.to_pylist()]
    note = f"<p>{data.rows} rows, the first {len(rows)} shown; sha256 <code>{data.digest[:12]}</code></p>"
    return _page(data.kind, note + _table(names, rows))


def _fields(fields: dict[str, Any]) -> str:
    """A table of the plain fields, then one for each that is itself a list or a mapping of records."""
    tables = {name: records for name, value in fields.items() if (records := _records(value))}
    plain = [(name, _cell(value)) for name, value in fields.items() if name not in tables]
    parts = [_table(("field", "value"), plain)]
    for name, records in tables.items():
        head = tuple(records[0])
        rows = [[_cell(record.get(key)) for key in head] for record in records[:_TABLE_ROWS]]
        note = (
            f"{len(records)} rows, the first {len(rows)} shown" if len(rows) < len(records) else ""
        )
        parts.append(f"<h3>{html.escape(name)}</h3>{note}{_table(head, rows)}")
    return "".join(parts)


def _records(value: Any) -> list[dict[str, Any]]:
    """Rows of a list of records, or of a mapping of names to records; [] for anything else."""
    if isinstance(value, dict) and value and all(isinstance(v, dict) for v in value.values()):
        return [{"name": key, **record} for key, record in value.items()]
    if isinstance(value, list) and value and all(isinstance(v, dict) for v in value):
        return value
    return []


def _cell(value: Any) -> str:
    """A value as the preview shows it: vectors by their length, long texts cut."""
    if isinstance(value, list) and value and isinstance(value[0], float):
        return f"{len(value)} floats"
    if isinstance(value, list | dict):
        value = json.dumps(value, ensure_ascii=False)
    text = str(value)
    return (
        text
        if len(text) <= _PREVIEW_CHARS
        else f"{text[:_PREVIEW_CHARS]}… ({len(text)} characters)"
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    heads = "".join(f"<th>{html.escape(h)}</th>" for h in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><tr>{heads}</tr>{body}</table>"


def _page(title: str, body: str) -> str:
    return f"<!doctype html><meta charset=utf-8>{_STYLE}<h2>{html.escape(title)}</h2>{body}"
