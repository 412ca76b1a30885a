import json
from pathlib import Path

import pytest

from rag_llm_system.application.dataset.export import (
    read_rows,
    read_split,
    write_rows,
    write_split,
)
from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.datasets import DatasetSplit, TrainingRow
from rag_llm_system.domain.errors import DataError, MissingFile

USER = {"role": "user", "content": "Why?"}
ASSISTANT = {"role": "assistant", "content": "Because."}
SYSTEM = {"role": "system", "content": "You write well."}


def row(question: str) -> TrainingRow:
    return TrainingRow(
        messages=(
            Message(role="user", content=question),
            Message(role="assistant", content=f"On {question}"),
        ),
        document_id="d",
        metadata={"title": "É\u2028ø", "tags": ["a", "b"]},
    )


def write_line(folder: Path, value: object) -> Path:
    path = folder / "train.jsonl"
    path.write_text(json.dumps({"messages": [USER, ASSISTANT]}) + "\n" + json.dumps(value) + "\n")
    return path


def test_what_is_written_is_read_back(tmp_path: Path):
    rows = [row("Où est-il ? \u2028"), row("次は?")]

    assert write_rows(tmp_path / "new" / "train.jsonl", rows) == 2
    assert read_rows(tmp_path / "new" / "train.jsonl") == rows
    assert "次は" in (tmp_path / "new" / "train.jsonl").read_text(encoding="utf-8")


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path):
    path = tmp_path / "train.jsonl"
    write_rows(path, [row("old")])

    def rows():
        yield row("new")
        raise DataError("the source broke")

    with pytest.raises(DataError, match="broke"):
        write_rows(path, rows())

    assert read_rows(path) == [row("old")]
    assert list(tmp_path.iterdir()) == [path]


def test_messages_alone_make_a_row(tmp_path: Path):
    path = write_line(tmp_path, {"messages": [SYSTEM, USER, ASSISTANT, USER, ASSISTANT]})

    assert [len(r.messages) for r in read_rows(path)] == [2, 5]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"messages": []}, "messages: empty"),
        ({"text": "no messages"}, "messages: Field required"),
        ({"messages": [USER, ASSISTANT], "colour": "red"}, "colour: Extra inputs"),
        ({"messages": [USER]}, r"messages.0.role: the last message must be the assistant's"),
        ({"messages": [ASSISTANT, USER]}, "messages.0.role: expected 'user', found 'assistant'"),
        ({"messages": [USER, SYSTEM, ASSISTANT]}, "messages.1.role: expected 'assistant'"),
        ({"messages": [USER, {"role": "assistant", "content": " \n"}]}, "messages.1.content: empty"),
        ({"messages": [USER, {"role": "bot", "content": "Hm."}]}, "messages.1.role: Input should"),
        ([USER, ASSISTANT], "the line: Input should be"),
    ],
)  # fmt: skip
def test_a_bad_row_is_named_by_file_line_field_and_reason(
    tmp_path: Path, value: object, reason: str
):
    path = write_line(tmp_path, value)

    with pytest.raises(DataError, match=rf"train\.jsonl, line 2: {reason}"):
        read_rows(path)


@pytest.mark.parametrize(
    ("line", "reason"),
    [(b"\n", "not JSON"), (b"{oops}\n", "not JSON"), (b"\xff\n", "not UTF-8")],
)
def test_a_line_that_is_no_row_is_named(tmp_path: Path, line: bytes, reason: str):
    path = tmp_path / "train.jsonl"
    path.write_bytes(line)

    with pytest.raises(DataError, match=rf"train\.jsonl, line 1: {reason}"):
        read_rows(path)


def test_an_empty_and_a_missing_file_are_told_apart(tmp_path: Path):
    (tmp_path / "empty.jsonl").touch()

    with pytest.raises(DataError, match="holds no rows"):
        read_rows(tmp_path / "empty.jsonl")
    with pytest.raises(MissingFile, match="no such file"):
        read_rows(tmp_path / "absent.jsonl")


def test_a_split_is_two_files(tmp_path: Path):
    split = DatasetSplit(train=(row("a"), row("b")), test=(row("c"),))

    write_split(tmp_path, split)

    assert sorted(p.name for p in tmp_path.iterdir()) == ["test.jsonl", "train.jsonl"]
    assert read_split(tmp_path) == split


def test_a_split_whose_test_rows_were_trained_on_is_refused(tmp_path: Path):
    write_split(tmp_path, DatasetSplit(train=(row("A"),), test=(row("a?"),)))

    with pytest.raises(DataError, match="repeat a question or an answer"):
        read_split(tmp_path)
