"""Reads the sets that the older implementation published, as JSON of its ZenML artifacts, and texts of sources.

A set is ``{"train": {category: {"samples": [...]}}, "test": ...}``; a sample has instruction and answer, or
instruction, chosen and rejected. Sources are a dump of the data warehouse, JSON lines or a list with ``text`` or
``content``, and folders of these and of Markdown.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from rag_llm_system.application.dataset.rows_files import opened, parsed, values_of
from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.datasets import DatasetKind, PreferenceRow, Row, TrainingRow
from rag_llm_system.domain.errors import DataError, MissingFile

_TEXT_ENDINGS = (".md", ".txt")
_RECORD_ENDINGS = (".json", ".jsonl", ".json.gz", ".jsonl.gz")
_START_BYTES = 64 * 1024


class PublishedSet(NamedTuple):
    kind: DatasetKind
    train: list[Row]
    test: list[Row]


def is_published(path: Path) -> bool:
    """Told by how the file begins; a file that is not there is none."""
    if not path.is_file():
        return False
    with opened(path) as file:
        start = file.read(_START_BYTES).lstrip()
    return start.startswith(b"{") and b'"train"' in start and b'"samples"' in start


def read_published(path: Path) -> PublishedSet:
    """The rows as they are, also those whose two answers are the same. Raises DataError naming the place."""
    with opened(path) as file:
        value = parsed(file.read(), str(path))
    train, test = (list(_rows(value, side, str(path))) for side in ("train", "test"))
    if not train:
        raise DataError(f"{path}: train has no samples")
    kind: DatasetKind = "preference" if isinstance(train[0], PreferenceRow) else "instruction"
    return PublishedSet(kind, train, test)


def read_sources(path: Path) -> Iterator[tuple[str, str]]:
    """(id, text) of each document. Raises MissingFile or DataError."""
    if not path.exists():
        raise MissingFile(
            f"{path}: no such file or folder; name the documents that the rows are of"
        )
    inside = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    found = False
    for file in inside:
        for source in _sources(file):
            found = True
            yield source
    if not found:
        raise DataError(
            f"{path}: no texts; expected JSON with text or content, Markdown or plain text"
        )


def _rows(value: Any, side: str, name: str) -> Iterator[Row]:
    categories = value.get(side) if isinstance(value, dict) else None
    if not isinstance(categories, dict):
        raise DataError(f"{name}: {side}: expected an object of categories")
    for category, held in categories.items():
        samples = held.get("samples") if isinstance(held, dict) else None
        if not isinstance(samples, list):
            raise DataError(f"{name}: {side}.{category}.samples: expected a list")
        for n, sample in enumerate(samples):
            yield _row(sample, category, f"{name}: {side}.{category}.samples.{n}")


def _row(sample: Any, category: str, place: str) -> Row:
    if not isinstance(sample, dict):
        raise DataError(f"{place}: expected an object")
    answers = ("chosen", "rejected") if "chosen" in sample else ("answer",)
    for field in ("instruction", *answers):
        if not isinstance(sample.get(field), str):
            raise DataError(f"{place}.{field}: expected a text")
    question = Message(role="user", content=sample["instruction"])
    metadata = {"category": category}
    if len(answers) == 2:
        chosen, rejected = sample["chosen"], sample["rejected"]
        return PreferenceRow(
            prompt=(question,), chosen=chosen, rejected=rejected, metadata=metadata
        )
    answer = Message(role="assistant", content=sample["answer"])
    return TrainingRow(messages=(question, answer), metadata=metadata)


def _sources(path: Path) -> Iterator[tuple[str, str]]:
    if path.name.endswith(_TEXT_ENDINGS):
        yield path.stem, path.read_text(encoding="utf-8", errors="replace")
    elif path.name.endswith(_RECORD_ENDINGS):
        with opened(path) as file:
            for place, record in values_of(file, str(path)):
                if not isinstance(record, dict):
                    raise DataError(f"{place}: expected an object with text or content")
                text = _text(record.get("text") or record.get("content"))
                if text:
                    yield str(record.get("id") or record.get("_id") or place), text


def _text(value: Any) -> str:
    """Of a dump's document, whose ``content`` has the title, the subtitle and the text as fields."""
    if isinstance(value, dict):
        return "\n\n".join(filter(None, map(_text, value.values())))
    return value if isinstance(value, str) else ""
