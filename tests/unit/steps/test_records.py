"""Records survive the way through a Parquet file, and a changed file is noticed."""

from pathlib import Path

import pytest

from rag_llm_system.domain.documents import Document
from rag_llm_system.domain.errors import DataError
from rag_llm_system.domain.ports import Record
from steps.records import read_records, write_records
from tests.unit.application.builders import document


def test_documents_come_back_as_they_were(tmp_path: Path) -> None:
    written = [
        document(f"http://a.example/{n}", f"Text {n}\n\twith `code` ✓", metadata={"tags": ["a"], "n": n, "ok": True})
        for n in range(1500)
    ]  # fmt: skip
    file = write_records("raw_documents", iter(written), Document, tmp_path)
    assert (file.rows, list(read_records(file, Document))) == (1500, written)


def test_vectors_come_back_in_single_precision(tmp_path: Path) -> None:
    record = Record(id="1", vector=(0.25, -0.5), payload={"a": {"b": [1, 2.5, None]}, "c": True})
    file = write_records("embedded_documents", [record], Record, tmp_path)
    assert list(read_records(file, Record)) == [record]


def test_no_records_are_a_file_too(tmp_path: Path) -> None:
    file = write_records("raw_documents", [], Document, tmp_path)
    assert (file.rows, list(read_records(file, Document))) == (0, [])


def test_the_same_records_give_the_same_bytes(tmp_path: Path) -> None:
    def digest(folder: str) -> str:
        (tmp_path / folder).mkdir()
        records = [document("http://a.example/1", "Text")]
        return write_records("raw_documents", records, Document, tmp_path / folder).digest

    assert digest("one") == digest("two")


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    file = write_records("raw_documents", [document("http://a.example/1", "T")], Document, tmp_path)
    file.path.write_bytes(file.path.read_bytes() + b"x")
    with pytest.raises(DataError, match="was changed"):
        list(read_records(file, Document))
