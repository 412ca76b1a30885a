import errno
import gzip
import json
from pathlib import Path

import pytest

from rag_llm_system.application.dataset import rows_files
from rag_llm_system.application.dataset.rows_files import RowsFile, write_rows
from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.datasets import PreferenceRow, Row, TrainingRow
from rag_llm_system.domain.errors import (
    ConfigurationError,
    DataError,
    MissingFile,
    StorageFull,
)

USER = {"role": "user", "content": "Why?"}
ASSISTANT = {"role": "assistant", "content": "Because."}
SYSTEM = {"role": "system", "content": "You write well."}
GOOD = {"messages": [USER, ASSISTANT]}
PAIR = {"prompt": "Why?", "chosen": "Because.", "rejected": "Who knows."}


def row(question: str) -> TrainingRow:
    return TrainingRow(
        messages=(
            Message(role="user", content=question),
            Message(role="assistant", content=f"On {question}"),
        ),
        document_id="d",
        metadata={"title": "É\u2028ø", "tags": ["a", "b"], "score": 0.5},
    )


def pair(question: str) -> PreferenceRow:
    return PreferenceRow(
        prompt=(Message(role="user", content=question),),
        chosen="Because.",
        rejected="Who knows.",
        document_id="d",
        metadata={"kind": "why"},
    )


def write(folder: Path, *values: object) -> Path:
    path = folder / "train.jsonl"
    path.write_text("".join(f"{json.dumps(value)}\n" for value in values), encoding="utf-8")
    return path


@pytest.mark.parametrize("rows", [[row("Où est-il ? \u2028"), row("次は?")], [pair("次は?")]])
def test_what_is_written_is_read_back_each_time(tmp_path: Path, rows: list[Row]):
    path = tmp_path / "new" / "train.jsonl"

    assert write_rows(path, rows) == len(rows)
    file = RowsFile(path)
    assert list(file) == list(file) == rows
    assert "次は" in path.read_text(encoding="utf-8")


def test_rows_are_read_one_at_a_time(tmp_path: Path):
    path = write(tmp_path, GOOD, "no row")

    first = next(iter(RowsFile(path)))

    assert isinstance(first, TrainingRow)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path):
    path = tmp_path / "train.jsonl"
    write_rows(path, [row("old")])

    def rows():
        yield row("new")
        raise DataError("the source broke")

    with pytest.raises(DataError, match="broke"):
        write_rows(path, rows())

    assert list(RowsFile(path)) == [row("old")]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("value", "kind"), [(GOOD, "instruction"), (PAIR, "preference")])
def test_the_first_row_tells_the_kind(tmp_path: Path, value: object, kind: str):
    file = RowsFile(write(tmp_path, value))

    assert file.kind == kind == file.kind


def test_a_row_of_the_other_kind_is_refused(tmp_path: Path):
    with pytest.raises(DataError, match="line 2: the line: not a row of a set of instruction rows"):
        list(RowsFile(write(tmp_path, GOOD, PAIR)))
    with pytest.raises(DataError, match="line 1: the line: not a row of a set of preference rows"):
        list(RowsFile(write(tmp_path, GOOD), "preference"))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"messages": []}, "messages: empty"),
        ({"text": "no", "id": 1}, "messages: not there, nor another form of a row .*text, id"),
        ({"messages": "Why?"}, "messages: expected a list, found a text"),
        ({"messages": ["Why?"]}, "messages.0: expected a message with role and content"),
        ({"messages": [USER]}, "messages.0.role: the last message must be the assistant's"),
        ({"messages": [ASSISTANT, USER]}, "messages.0.role: expected 'user', found 'assistant'"),
        ({"messages": [USER, SYSTEM, ASSISTANT]}, "messages.1.role: expected 'assistant'"),
        ({"messages": [USER, {"role": "assistant", "content": " \n"}]}, "messages.1.content: empty"),
        ({"messages": [USER, {"role": "bot9", "content": "Hm."}]}, "messages.1.role: Input should"),
        ({"messages": [USER, {"role": 3, "content": "Hm."}]}, "messages.1.role: Input should"),
        ({"messages": [USER, {"role": "assistant", "content": 3}]}, "messages.1.content: Input"),
        ({"messages": [USER, {**ASSISTANT, "weight": 0}]}, "messages.1.weight: Extra inputs"),
        ({"messages": [USER, {"role": "assistant", "content": "\ud800"}]}, "messages.1.content: half"),
        ({**GOOD, "document_id": []}, "document_id: expected a text, found a list"),
        ({"instruction": "Why?", "output": None}, "output: expected a text, found null"),
        ({"instruction": "A?", "output": "B.", "history": [["C?"]]}, "history.0: expected a question"),
        ([USER, ASSISTANT], "the line: expected an object with fields, found a list"),
    ],
)  # fmt: skip
def test_a_bad_row_is_named_by_file_line_field_and_reason(
    tmp_path: Path, value: object, reason: str
):
    path = write(tmp_path, GOOD, value)

    with pytest.raises(DataError, match=rf"train\.jsonl, line 2: {reason}") as raised:
        list(RowsFile(path))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({**PAIR, "rejected": "because"}, "rejected: the same answer as chosen"),
        ({**PAIR, "prompt": " "}, "prompt.0.content: empty"),
        ({**PAIR, "rejected": " "}, "rejected.1.content: empty"),
        ({**PAIR, "chosen": [USER]}, "chosen: the last message must be the assistant's"),
        ({"chosen": "A.", "rejected": "B."}, "prompt: not there, and chosen holds an answer alone"),
        ({**PAIR, "chosen": [USER, ASSISTANT]}, "rejected: must have the same messages as chosen"),
        ({**PAIR, "prompt": [USER, ASSISTANT]}, "prompt.2.role: expected 'user'"),
    ],
)
def test_a_bad_preference_is_named_by_line_field_and_reason(
    tmp_path: Path, value: object, reason: str
):
    path = write(tmp_path, PAIR, value)

    with pytest.raises(DataError, match=rf"train\.jsonl, line 2: {reason}"):
        list(RowsFile(path))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{oops}\n", r"train\.jsonl, line 1: not JSON"),
        (b'{"a": "\xff"}\n', r"train\.jsonl, line 1: not UTF-8 \(byte 8\)"),
        (b'{"a":' * 100_000, r"train\.jsonl, line 1: nested too deeply"),
        (b"", r"train\.jsonl: the file holds no rows"),
        (b"\n \n", r"train\.jsonl: the file holds no rows"),
        (b"[]", r"train\.jsonl: the file holds no rows"),
    ],
)
def test_content_that_is_no_row_is_named(tmp_path: Path, content: bytes, reason: str):
    path = tmp_path / "train.jsonl"
    path.write_bytes(content)

    with pytest.raises(DataError, match=reason):
        list(RowsFile(path))


def test_a_malformed_line_17_is_named(tmp_path: Path):
    path = write(tmp_path, *[GOOD] * 16)
    with path.open("a", encoding="utf-8") as file:
        file.write('{"messages": [\n')

    with pytest.raises(DataError, match=r"train\.jsonl, line 17: not JSON"):
        list(RowsFile(path))


def test_a_line_that_is_too_long_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(rows_files, "MAX_LINE_BYTES", 2**20)
    path = write(tmp_path, GOOD, {"messages": [USER, {**ASSISTANT, "content": "x" * 2**20}]})

    with pytest.raises(DataError, match="line 2: longer than 1 MB"):
        list(RowsFile(path))


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(MissingFile, match="no such file"):
        list(RowsFile(tmp_path / "absent.jsonl"))


def test_empty_lines_and_a_byte_order_mark_are_passed_over(tmp_path: Path):
    path = tmp_path / "train.jsonl"
    line = json.dumps(GOOD).encode()
    path.write_bytes(b"\xef\xbb\xbf" + line + b"\r\n\r\n" + line + b"\n\n")

    assert len(list(RowsFile(path))) == 2


def test_a_json_list_and_a_packed_file_are_read(tmp_path: Path):
    (tmp_path / "rows.json").write_text(json.dumps([GOOD, GOOD], indent=2), encoding="utf-8")
    (tmp_path / "rows.jsonl.gz").write_bytes(gzip.compress(json.dumps(GOOD).encode()))

    assert len(list(RowsFile(tmp_path / "rows.json"))) == 2
    assert len(list(RowsFile(tmp_path / "rows.jsonl.gz"))) == 1


def test_a_json_list_that_would_fill_the_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rows_files, "MAX_LIST_BYTES", 100)
    path = tmp_path / "rows.json"
    path.write_text(json.dumps([GOOD] * 5, indent=2), encoding="utf-8")

    with pytest.raises(DataError, match="write a row a line instead"):
        list(RowsFile(path))


@pytest.mark.parametrize("content", [b"no gzip", gzip.compress(b'{"a": 1}' * 9, mtime=0)[:-9]])
def test_a_broken_packed_file_is_named(tmp_path: Path, content: bytes):
    path = tmp_path / "rows.jsonl.gz"
    path.write_bytes(content)

    with pytest.raises(DataError, match="not a complete gzip file"):
        list(RowsFile(path))


def test_a_packed_file_that_is_damaged_inside_is_named(tmp_path: Path):
    path = tmp_path / "rows.jsonl.gz"
    packed = bytearray(gzip.compress(json.dumps([str(n) for n in range(999)]).encode()))
    packed[20:60] = bytes(40)
    path.write_bytes(packed)

    with pytest.raises(DataError, match="not a complete gzip file"):
        list(RowsFile(path))


def test_a_full_disk_is_named_and_the_old_file_stays(tmp_path: Path):
    path = tmp_path / "train.jsonl"
    write_rows(path, [row("old")])

    def rows():
        yield row("new")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(StorageFull, match="no room left"):
        write_rows(path, rows())
    assert list(RowsFile(path)) == [row("old")]
    assert list(tmp_path.iterdir()) == [path]


def test_another_failure_of_the_source_is_not_taken_for_a_full_disk(tmp_path: Path):
    def rows():
        yield row("new")
        raise TimeoutError

    with pytest.raises(TimeoutError):
        write_rows(tmp_path / "train.jsonl", rows())
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_hold_a_file_is_named(tmp_path: Path):
    (tmp_path / "file").touch()

    with pytest.raises(ConfigurationError, match="cannot be written: "):
        write_rows(tmp_path / "file" / "train.jsonl", [row("new")])


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = write(tmp_path, GOOD)

    def refused(*_: object) -> None:  # root may read whatever the mode says
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(ConfigurationError, match="cannot be read: Permission denied"):
        list(RowsFile(path))
