"""Reads a retrieval benchmark in BEIR's layout (Thakur et al. 2021).

::

    corpus.jsonl[.gz]     {"_id": ..., "title": ..., "text": ..., "metadata": {...}}; title and metadata are optional
    queries.jsonl[.gz]    {"_id": ..., "text": ...}
    qrels/SPLIT.tsv       query, document, grade; or TREC's four columns, with one that is not read after the query
"""

import gzip
import json
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from rag_llm_system.application.evaluation.metrics import Grades
from rag_llm_system.domain.errors import DataError, MissingFile

_UNREADABLE = (UnicodeDecodeError, OSError, EOFError, zlib.error)


@dataclass(frozen=True, slots=True)
class BenchmarkDocument:
    text: str
    title: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def whole(self) -> str:
        """Title and text, as BEIR's own models read a document."""
        return f"{self.title} {self.text}".strip()


@dataclass(frozen=True)
class Benchmark:
    """Documents by id, judged queries by id, and the grades of documents for each of these queries.

    ``absent`` are the documents that are relevant to a query and not in the corpus, sorted: they count as not found.
    """

    name: str
    split: str
    documents: Mapping[str, BenchmarkDocument]
    queries: Mapping[str, str]
    grades: Mapping[str, Grades]
    absent: tuple[str, ...] = ()


def read_benchmark(folder: Path, split: str = "test") -> Benchmark:
    """Queries without judgements are left out. Raises MissingFile, or DataError naming file and line."""
    judged = _grades(_qrels(folder, split))
    corpus, asked = _existing(folder, "corpus.jsonl"), _existing(folder, "queries.jsonl")
    documents = {document: _document(row) for document, row in _rows(corpus)}
    queries = {query: row["text"] for query, row in _rows(asked) if query in judged}
    if unknown := judged.keys() - queries.keys():
        raise DataError(f"{asked} lacks query {min(unknown)!r} of qrels/{split}.tsv")
    if blank := sorted(query for query, text in queries.items() if not text.strip()):
        raise DataError(
            f"{asked}: the text of query {blank[0]!r} is empty; remove it, or ask something"
        )
    relevant = {d for grades in judged.values() for d, grade in grades.items() if grade > 0}
    return Benchmark(
        name=folder.resolve().name,
        split=split,
        documents=documents,
        queries=queries,
        grades={query: judged[query] for query in queries},
        absent=tuple(sorted(relevant - documents.keys())),
    )


def _qrels(folder: Path, split: str) -> Path:
    path = folder / "qrels" / f"{split}.tsv"
    if path.is_file():
        return path
    there = ", ".join(sorted(each.stem for each in path.parent.glob("*.tsv")))
    hint = f"splits that are there: {there}" if there else "name a folder in BEIR's layout"
    raise MissingFile(f"{path} is not there; {hint}")


def _existing(folder: Path, name: str) -> Path:
    for path in (folder / name, folder / f"{name}.gz"):
        if path.is_file():
            return path
    raise MissingFile(
        f"{folder / name} is not there, nor is it as .gz; name a folder in BEIR's layout: "
        "corpus.jsonl, queries.jsonl and qrels/SPLIT.tsv"
    )


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, counted from 1."""
    number = 0
    try:
        with _opened(path) as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, line
    except _UNREADABLE as error:
        raise DataError(f"{path}:{number + 1} cannot be read: {error}") from error


def _opened(path: Path) -> TextIO:
    # files from Windows may begin with a byte order mark
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig")
    return path.open(encoding="utf-8-sig")


def _rows(path: Path) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each row with its id; ids are text, also where a file writes them as numbers."""
    seen: dict[str, int] = {}
    for number, line in _lines(path):
        row = _row(line)
        if row is None:
            raise DataError(f"{path}:{number} is no object with _id and text")
        name = str(row["_id"])
        if name in seen:
            raise DataError(f"{path}:{number}: id {name!r} stands in line {seen[name]} already")
        seen[name] = number
        yield name, row


def _row(line: str) -> Mapping[str, Any] | None:
    """None when the line is not what it must be."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    whole = (
        isinstance(row, dict)
        and isinstance(row.get("_id"), str | int)
        and isinstance(row.get("text"), str)
        and isinstance(row.get("title"), str | None)
        and isinstance(row.get("metadata"), dict | None)
    )
    return row if whole else None


def _document(row: Mapping[str, Any]) -> BenchmarkDocument:
    return BenchmarkDocument(row["text"], row.get("title") or "", row.get("metadata") or {})


def _grades(path: Path) -> Mapping[str, Grades]:
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for number, line in _lines(path):
        columns = line.strip("\r\n").split("\t") if "\t" in line else line.split()
        try:
            query, document, grade = columns if len(columns) != 4 else (columns[0], *columns[2:])
            found[query][document] = int(grade)
        except ValueError as error:
            if number > 1:  # the first line may name the columns
                raise DataError(f"{path}:{number} is no query, document and number") from error
    if not found:
        raise DataError(f"{path} judges nothing")
    return dict(found)
