"""Reads a retrieval benchmark in BEIR's layout."""

import csv
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag_llm_system.domain.errors import DataError, MissingFile

_FILES = "corpus.jsonl, queries.jsonl and qrels/test.tsv"


@dataclass(frozen=True)
class Benchmark:
    """Texts by id, and the relevance of documents to each judged query."""

    name: str
    documents: Mapping[str, str]
    queries: Mapping[str, str]
    grades: Mapping[str, Mapping[str, int]]


def read_benchmark(folder: Path) -> Benchmark:
    """A document's text is its title and its text; queries without judgements are left out.

    Raises MissingFile or DataError naming the file.
    """
    grades = _grades(_existing(folder, "qrels/test.tsv"))
    corpus, asked = _existing(folder, "corpus.jsonl"), _existing(folder, "queries.jsonl")
    documents = {
        row["_id"]: f"{row.get('title', '')} {row['text']}".strip() for row in _rows(corpus)
    }
    queries = {row["_id"]: row["text"] for row in _rows(asked) if row["_id"] in grades}
    if unknown := grades.keys() - queries.keys():
        raise DataError(f"{asked} lacks query {min(unknown)!r} of qrels/test.tsv")
    return Benchmark(folder.resolve().name, documents, queries, grades)


def _existing(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.is_file():
        raise MissingFile(f"{path} is not there; name a folder with {_FILES}")
    return path


def _rows(path: Path) -> Iterator[Mapping[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                row = json.loads(line)
                row["_id"], row["text"]
            except (ValueError, KeyError, TypeError) as error:
                raise DataError(f"{path}:{number} is no object with _id and text") from error
            yield row


def _grades(path: Path) -> Mapping[str, Mapping[str, int]]:
    found: dict[str, dict[str, int]] = defaultdict(dict)
    with path.open(encoding="utf-8", newline="") as lines:
        rows = csv.reader(lines, delimiter="\t")
        next(rows, None)  # the names of the columns
        for number, row in enumerate(rows, start=2):
            try:
                query, document, grade = row
                found[query][document] = int(grade)
            except ValueError as error:
                raise DataError(f"{path}:{number} is no query, document and number") from error
    if not found:
        raise DataError(f"{path} judges nothing")
    return dict(found)
