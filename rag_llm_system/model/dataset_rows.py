"""Rows of a training set as a ``datasets.Dataset``, which is kept on disk and read from there."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from datasets import Dataset, DatasetDict, Features, Value
from datasets.arrow_writer import ArrowWriter

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.datasets import DatasetKind, PreferenceRow, Row, TrainingRow

_MESSAGES = [{"role": Value("string"), "content": Value("string")}]
_ORIGIN = {"document_id": Value("string"), "metadata": Value("string")}
_FEATURES = {
    "instruction": Features({"messages": _MESSAGES, **_ORIGIN}),
    "preference": Features(
        {"prompt": _MESSAGES, "chosen": _MESSAGES, "rejected": _MESSAGES, **_ORIGIN}
    ),
}
"""The columns TRL reads, and where a row comes from; ``metadata`` is JSON, since rows differ in it."""


def dataset_of(
    rows: Callable[[], Iterable[Row]], kind: DatasetKind, *, work_dir: Path, split: str = "train"
) -> Dataset:
    """Rows in the order given, streamed to a file under ``work_dir``: more rows than fit into memory are fine."""
    work_dir.mkdir(parents=True, exist_ok=True)
    path = work_dir / f"{kind}-{split}"
    with ArrowWriter(path=f"{path}.arrow", features=_FEATURES[kind]) as writer:
        for row in rows():
            writer.write(_example(row))
        writer.finalize()
    return Dataset.from_file(f"{path}.arrow")


def datasets_of(
    sides: Mapping[str, Iterable[Row]], kind: DatasetKind, *, work_dir: Path
) -> DatasetDict:
    """Each side by its name, such as train and test."""
    return DatasetDict(
        {
            name: dataset_of(rows.__iter__, kind, work_dir=work_dir, split=name)
            for name, rows in sides.items()
        }
    )


def rows_of(dataset: Dataset) -> Iterator[Row]:
    """The rows of a dataset that :func:`dataset_of` made."""
    for example in dataset:
        yield _row(example)


class StoredRows:
    """The rows of such a dataset, each time it is iterated."""

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset

    def __iter__(self) -> Iterator[Row]:
        return rows_of(self._dataset)


def kind_of(dataset: Dataset) -> DatasetKind:
    return "preference" if "chosen" in dataset.column_names else "instruction"


def _example(row: Row) -> dict[str, Any]:
    origin = {
        "document_id": row.document_id,
        "metadata": json.dumps(row.metadata, ensure_ascii=False, sort_keys=True),
    }
    if isinstance(row, TrainingRow):
        return {"messages": _messages(row.messages), **origin}
    return {
        "prompt": _messages(row.prompt),
        "chosen": [{"role": "assistant", "content": row.chosen}],
        "rejected": [{"role": "assistant", "content": row.rejected}],
        **origin,
    }


def _messages(messages: Iterable[Message]) -> list[dict[str, str]]:
    return [{"role": m.role, "content": m.content} for m in messages]


def _row(example: dict[str, Any]) -> Row:
    origin: dict[str, Any] = {
        "document_id": example["document_id"],
        "metadata": json.loads(example["metadata"]),
    }
    if "messages" in example:
        return TrainingRow(messages=_read(example["messages"]), **origin)
    return PreferenceRow(
        prompt=_read(example["prompt"]),
        chosen=example["chosen"][0]["content"],
        rejected=example["rejected"][0]["content"],
        **origin,
    )


def _read(messages: Iterable[dict[str, Any]]) -> tuple[Message, ...]:
    return tuple(Message(role=m["role"], content=m["content"]) for m in messages)
