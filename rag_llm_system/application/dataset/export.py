"""Reads and writes training sets as JSON lines, one conversation per line."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from pydantic import ValidationError

from rag_llm_system.application.dataset.split import check_no_overlap
from rag_llm_system.domain.datasets import DatasetSplit, TrainingRow
from rag_llm_system.domain.errors import DataError, MissingFile

TRAIN_FILE = "train.jsonl"
TEST_FILE = "test.jsonl"


def write_split(folder: Path, split: DatasetSplit) -> None:
    """``train.jsonl`` and ``test.jsonl`` in ``folder``, which is made if need be."""
    write_rows(folder / TRAIN_FILE, split.train)
    write_rows(folder / TEST_FILE, split.test)


def read_split(folder: Path) -> DatasetSplit:
    """Raises MissingFile or DataError, also when a test question or answer is in the train rows."""
    split = DatasetSplit(
        train=tuple(read_rows(folder / TRAIN_FILE)), test=tuple(read_rows(folder / TEST_FILE))
    )
    check_no_overlap(split)
    return split


def write_rows(path: Path, rows: Iterable[TrainingRow]) -> int:
    """Replaces the file at once, when all rows are on disk; the number of rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with NamedTemporaryFile("wb", dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        temporary = Path(file.name)
        try:
            for row in rows:
                line = json.dumps(row.model_dump(mode="json"), ensure_ascii=False)
                file.write(line.encode("utf-8") + b"\n")
                written += 1
            file.flush()
            os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    return written


def read_rows(path: Path) -> list[TrainingRow]:
    """All rows, each checked. Raises MissingFile, or DataError naming file, line, field and reason."""
    if not path.is_file():
        raise MissingFile(f"{path}: no such file; generate the training set first, or name another")
    with path.open("rb") as file:
        rows = [_row(line, f"{path}, line {number}") for number, line in enumerate(file, start=1)]
    if not rows:
        raise DataError(f"{path}: the file holds no rows")
    return rows


def _row(line: bytes, place: str) -> TrainingRow:
    try:
        value: Any = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise DataError(f"{place}: not UTF-8 (byte {error.start + 1})") from error
    except json.JSONDecodeError as error:
        raise DataError(f"{place}: not JSON ({error.msg}, column {error.colno})") from error
    try:
        row = TrainingRow.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(map(str, first["loc"])) or "the line"
        raise DataError(f"{place}: {field}: {first['msg']}") from error
    problem = _problem(row)
    if problem:
        raise DataError(f"{place}: {problem}")
    return row.model_copy(update={"messages": tuple(row.messages)})


def _problem(row: TrainingRow) -> str:
    """What is wrong with a conversation, or "": an optional system message, then user and assistant in turn."""
    if not row.messages:
        return "messages: empty; a row needs a user and an assistant message"
    turns_start = 1 if row.messages[0].role == "system" else 0
    for index, message in enumerate(row.messages):
        expected = "user" if (index - turns_start) % 2 == 0 else "assistant"
        if index >= turns_start and message.role != expected:
            return f"messages.{index}.role: expected {expected!r}, found {message.role!r}"
        if not message.content.strip():
            return f"messages.{index}.content: empty"
    if row.messages[-1].role != "assistant":
        last = len(row.messages) - 1
        return f"messages.{last}.role: the last message must be the assistant's"
    return ""
