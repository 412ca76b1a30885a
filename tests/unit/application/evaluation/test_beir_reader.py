"""Benchmarks in BEIR's layout are read as they come, and refused with file and line when they are not whole."""

import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from rag_llm_system.application.evaluation.beir import BenchmarkDocument, read_benchmark
from rag_llm_system.domain.errors import DataError, MissingFile

HEADER = "query-id\tcorpus-id\tscore\n"
CORPUS = (
    {"_id": "d1", "title": "", "text": "a red fish"},
    {"_id": "d2", "title": "Birds", "text": "a green bird", "metadata": {"year": 1958}},
)
QUERIES = ({"_id": "q1", "text": "green bird"}, {"_id": "q2", "text": "not judged"})


def write_benchmark(
    folder: Path,
    *,
    qrels: str = f"{HEADER}q1\td2\t1\n",
    corpus: Sequence[Mapping[str, object]] = CORPUS,
    queries: Sequence[Mapping[str, object]] = QUERIES,
) -> Path:
    (folder / "qrels").mkdir(parents=True)
    (folder / "qrels" / "test.tsv").write_text(qrels, encoding="utf-8")
    for name, rows in (("corpus", corpus), ("queries", queries)):
        lines = "".join(f"{json.dumps(each)}\n" for each in rows)
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    return folder


def test_a_benchmark_is_read_with_titles_and_judged_queries_only(tmp_path: Path) -> None:
    found = read_benchmark(write_benchmark(tmp_path / "set"))
    assert (found.name, found.split) == ("set", "test")
    assert found.documents == {
        "d1": BenchmarkDocument("a red fish"),
        "d2": BenchmarkDocument("a green bird", "Birds", {"year": 1958}),
    }
    assert [each.whole for each in found.documents.values()] == ["a red fish", "Birds a green bird"]
    assert found.queries == {"q1": "green bird"}
    assert found.grades == {"q1": {"d2": 1}}
    assert found.absent == ()


@pytest.mark.parametrize(
    "qrels",
    [
        "q1\td2\t1\nq1\td1\t0\n",
        f"{HEADER}q1\td2\t1\nq1\td1\t0\n",
        "q1\t0\td2\t1\nq1\t0\td1\t0\n",
        "q1 Q0 d2 1\r\nq1 Q0 d1 0\r\n",
        f"\ufeff{HEADER}q1\td2\t1\n\nq1\td1\t0",
    ],
)
def test_judgements_come_with_and_without_a_header_in_three_or_four_columns(
    tmp_path: Path, qrels: str
) -> None:
    found = read_benchmark(write_benchmark(tmp_path / "set", qrels=qrels))
    assert found.grades == {"q1": {"d2": 1, "d1": 0}}


def test_titles_metadata_and_texts_as_ids_are_optional(tmp_path: Path) -> None:
    corpus = ({"_id": 7, "text": "seven", "title": None, "metadata": None},)
    qrels = "q1\t7\t2\n"
    found = read_benchmark(write_benchmark(tmp_path / "set", corpus=corpus, qrels=qrels))
    assert found.documents == {"7": BenchmarkDocument("seven")}
    assert found.grades == {"q1": {"7": 2}}


def test_packed_files_are_read_too(tmp_path: Path) -> None:
    folder = write_benchmark(tmp_path / "set")
    plain = read_benchmark(folder)
    for name in ("corpus", "queries"):
        path = folder / f"{name}.jsonl"
        path.with_name(f"{name}.jsonl.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    assert read_benchmark(folder) == plain


def test_another_split_has_other_judgements(tmp_path: Path) -> None:
    folder = write_benchmark(tmp_path / "set")
    (folder / "qrels" / "train.tsv").write_text(f"{HEADER}q2\td1\t1\n", encoding="utf-8")
    assert read_benchmark(folder, "train").grades == {"q2": {"d1": 1}}
    with pytest.raises(
        MissingFile, match=r"dev.tsv is not there; splits that are there: test, train"
    ):
        read_benchmark(folder, "dev")


def test_relevant_documents_that_the_corpus_lacks_are_told(tmp_path: Path) -> None:
    qrels = "q1\td2\t1\nq1\td9\t1\nq1\td8\t2\nq1\td7\t0\n"
    found = read_benchmark(write_benchmark(tmp_path / "set", qrels=qrels))
    assert found.absent == ("d8", "d9")
    assert found.grades["q1"]["d9"] == 1


@pytest.mark.parametrize(
    ("qrels", "says"),
    [
        (HEADER, "judges nothing"),
        (f"{HEADER}q1\td2\n", "test.tsv:2 is no query, document and number"),
        (f"{HEADER}q1\td2\tgood\n", "test.tsv:2 is no query, document and number"),
        (f"{HEADER}q1\t0\td2\t1\tx\n", "test.tsv:2 is no query, document and number"),
        (f"{HEADER}q9\td2\t1\n", "lacks query 'q9'"),
    ],
)
def test_judgements_that_are_not_whole_are_refused(tmp_path: Path, qrels: str, says: str) -> None:
    with pytest.raises(DataError, match=says):
        read_benchmark(write_benchmark(tmp_path / "set", qrels=qrels))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"id": "d2", "text": "x"}', r"corpus.jsonl:3 is no object with _id and text"),
        ('{"_id": "d3"}', r"corpus.jsonl:3 is no object with _id and text"),
        ('{"_id": "d3", "text": 5}', r"corpus.jsonl:3 is no object with _id and text"),
        ('["d3", "x"]', r"corpus.jsonl:3 is no object with _id and text"),
        ('{"_id": "d3", ', r"corpus.jsonl:3 is no object with _id and text"),
        ('{"_id": "d1", "text": "x"}', r"corpus.jsonl:3: id 'd1' stands in line 1 already"),
    ],
)
def test_a_line_that_is_no_document_is_named(tmp_path: Path, line: str, says: str) -> None:
    folder = write_benchmark(tmp_path / "set")
    with (folder / "corpus.jsonl").open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")
    with pytest.raises(DataError, match=says):
        read_benchmark(folder)


def test_an_empty_question_is_refused(tmp_path: Path) -> None:
    folder = write_benchmark(tmp_path / "set", queries=({"_id": "q1", "text": " "},))
    with pytest.raises(DataError, match=r"queries.jsonl: the text of query 'q1' is empty"):
        read_benchmark(folder)


@pytest.mark.parametrize(
    "broken", [b"\x1f\x8b broken", gzip.compress(b'{"_id": "d1"}', mtime=0)[:-9]]
)
def test_a_damaged_file_is_named(tmp_path: Path, broken: bytes) -> None:
    folder = write_benchmark(tmp_path / "set")
    (folder / "corpus.jsonl").unlink()
    (folder / "corpus.jsonl.gz").write_bytes(broken)
    with pytest.raises(DataError, match=r"corpus.jsonl.gz:\d cannot be read"):
        read_benchmark(folder)


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    folder = write_benchmark(tmp_path / "set")
    (folder / "queries.jsonl").write_bytes(b'{"_id": "q1", "text": "na\xefve"}\n')
    with pytest.raises(DataError, match=r"queries.jsonl:1 cannot be read: 'utf-8'"):
        read_benchmark(folder)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    folder = write_benchmark(tmp_path / "set")
    (folder / "corpus.jsonl").unlink()
    with pytest.raises(MissingFile, match=r"corpus.jsonl is not there, nor is it as .gz; name a"):
        read_benchmark(folder)
    with pytest.raises(MissingFile, match=r"no/such/qrels/test.tsv is not there; name a folder"):
        read_benchmark(Path("no/such"))
