"""A corpus between two steps: one Parquet file of records, written and read as a stream.

ZenML stores a list of models as one folder per item; one file is written in a fraction of the time,
and a step that reads it holds one batch in memory.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel

from rag_llm_system.domain.errors import DataError

BATCH_ROWS = 512

Kind = Literal[
    "raw_documents",
    "cleaned_documents",
    "embedded_documents",
    "queried_cleaned_documents",
    "prompts",
    "instruction_rows",
    "preference_rows",
    "code_files",
]
Model = TypeVar("Model", bound=BaseModel)

_NATIVE: dict[Any, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    tuple[float, ...]: pa.list_(pa.float32()),
}


@dataclass(frozen=True, slots=True)
class RecordsFile:
    """A Parquet file of ``rows`` records; ``digest`` is the SHA-256 of its bytes."""

    kind: Kind
    path: Path
    rows: int
    digest: str


def write_records(
    kind: Kind, records: Iterable[Model], model: type[Model], folder: Path
) -> RecordsFile:
    """Stream records into one file; nested fields are kept as JSON text."""
    schema = _schema(model)
    path = folder / f"{kind}.parquet"
    rows = 0
    stream = iter(records)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        while batch := list(islice(stream, BATCH_ROWS)):
            writer.write_table(pa.Table.from_pylist([_row(r, schema) for r in batch], schema))
            rows += len(batch)
    return RecordsFile(kind, path, rows, file_digest(path))


def read_records(file: RecordsFile, model: type[Model]) -> Iterator[Model]:
    """The records in the order they were written; a file that was changed raises DataError."""
    if file_digest(file.path) != file.digest:
        raise DataError(f"{file.kind} artifact {file.path} was changed; run the pipeline again")
    nested = {f.name for f in _schema(model) if (f.metadata or {}).get(b"json")}
    with pq.ParquetFile(file.path) as parquet:
        for batch in parquet.iter_batches(BATCH_ROWS):
            for row in batch.to_pylist():
                yield model.model_validate(
                    {k: json.loads(v) if k in nested else v for k, v in row.items()}
                )


class StoredRecords(Generic[Model]):
    """The records of a file, each time it is iterated."""

    def __init__(self, file: RecordsFile, model: type[Model]) -> None:
        self._file = file
        self._model = model

    def __iter__(self) -> Iterator[Model]:
        return read_records(self._file, self._model)


def file_digest(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _schema(model: type[BaseModel]) -> pa.Schema:
    return pa.schema(
        pa.field(name, native)
        if (native := _NATIVE.get(field.annotation))
        else pa.field(name, pa.string(), metadata={"json": "1"})
        for name, field in model.model_fields.items()
    )


def _row(record: BaseModel, schema: pa.Schema) -> dict[str, Any]:
    values = record.model_dump(mode="json")
    return {
        f.name: json.dumps(values[f.name], ensure_ascii=False)
        if (f.metadata or {}).get(b"json")
        else values[f.name]
        for f in schema
    }
