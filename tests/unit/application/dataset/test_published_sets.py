import gzip
import json
from pathlib import Path

import pytest

from rag_llm_system.application.dataset.published import (
    is_published,
    read_published,
    read_sources,
)
from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.datasets import PreferenceRow, TrainingRow
from rag_llm_system.domain.errors import DataError, MissingFile

SAMPLE = {"id": "1", "instruction": "Why?", "answer": "Because."}
PAIR = {"id": "1", "instruction": "Why?", "chosen": "Because.", "rejected": "Because."}


def artifact(*train: object, test: tuple[object, ...] = ()) -> dict[str, object]:
    return {
        "id": "0",
        "train": {"articles": {"category": "articles", "samples": list(train)}},
        "test": {"articles": {"category": "articles", "samples": list(test)}},
        "test_split_size": 0.1,
    }


def write(path: Path, value: object) -> Path:
    content = json.dumps(value).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


@pytest.mark.parametrize("name", ["set.json", "set.json.gz"])
def test_an_instruction_artifact_is_read(tmp_path: Path, name: str):
    path = write(tmp_path / name, artifact(SAMPLE, SAMPLE, test=(SAMPLE,)))

    found = read_published(path)

    assert is_published(path)
    assert (found.kind, len(found.train), len(found.test)) == ("instruction", 2, 1)
    assert found.test[0] == TrainingRow(
        messages=(
            Message(role="user", content="Why?"),
            Message(role="assistant", content="Because."),
        ),
        metadata={"category": "articles"},
    )


def test_a_preference_artifact_keeps_rows_whose_answers_are_the_same(tmp_path: Path):
    found = read_published(write(tmp_path / "set.json", artifact(PAIR)))

    assert found.kind == "preference"
    (row,) = found.train
    assert isinstance(row, PreferenceRow)
    assert row.chosen == row.rejected == "Because."


def test_rows_of_other_files_are_not_taken_for_an_artifact(tmp_path: Path):
    rows = tmp_path / "train.jsonl"
    rows.write_text('{"messages": []}\n', encoding="utf-8")

    assert not is_published(rows)
    assert not is_published(tmp_path / "absent.json")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ([], "train: expected an object of categories"),
        ({"train": {}}, "test: expected an object of categories"),
        ({"train": {"articles": {}}, "test": {}}, r"train\.articles\.samples: expected a list"),
        (artifact("no"), r"train\.articles\.samples\.0: expected an object"),
        (artifact({"instruction": "Why?"}), r"samples\.0\.answer: expected a text"),
        (artifact(SAMPLE, {**PAIR, "rejected": 1}), r"samples\.1\.rejected: expected a text"),
        ({"train": {}, "test": {}}, "train has no samples"),
    ],
)
def test_an_artifact_that_is_not_one_is_named(tmp_path: Path, value: object, reason: str):
    with pytest.raises(DataError, match=rf"set\.json: .*{reason}"):
        read_published(write(tmp_path / "set.json", value))


def test_sources_are_read_from_dumps_lines_and_texts(tmp_path: Path):
    dump = [
        {"_id": "a", "content": {"Title": "Bread", "Subtitle": None, "Content": "Flour."}},
        {"_id": "e", "content": ""},
    ]
    write(tmp_path / "ArticleDocument.json.gz", dump)
    (tmp_path / "docs.jsonl").write_text('{"id": "b", "text": "Rivers."}\n', encoding="utf-8")
    (tmp_path / "note.md").write_text("# Clay", encoding="utf-8")
    (tmp_path / "picture.png").write_bytes(b"\x89")

    assert dict(read_sources(tmp_path)) == {
        "a": "Bread\n\nFlour.",
        "b": "Rivers.",
        "note": "# Clay",
    }
    assert list(read_sources(tmp_path / "note.md")) == [("note", "# Clay")]


def test_sources_that_are_not_there_or_hold_nothing_are_named(tmp_path: Path):
    with pytest.raises(MissingFile, match="absent: no such file or folder"):
        list(read_sources(tmp_path / "absent"))
    with pytest.raises(DataError, match="no texts"):
        list(read_sources(tmp_path))
    write(tmp_path / "list.json", ["a text"])
    with pytest.raises(DataError, match="row 1: expected an object"):
        list(read_sources(tmp_path))
