import json
from pathlib import Path
from typing import Any

import pytest

from rag_llm_system.application.dataset.export import export_formats
from rag_llm_system.application.dataset.formats import row_of
from rag_llm_system.application.dataset.gates import dataset_report
from rag_llm_system.application.dataset.rows_files import RowsFile, write_rows
from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.datasets import PreferenceRow, TrainingRow, turns_of
from rag_llm_system.domain.errors import ConfigurationError

SYSTEM = Message(role="system", content="You write well.")
TURNS = (
    Message(role="user", content="What is a chunk?"),
    Message(role="assistant", content="A slice of a document."),
    Message(role="user", content="And what is a vector?"),
    Message(role="assistant", content="A list of numbers that says where a text lies."),
)
USER = {"role": "user", "content": "Why?"}
GOOD = {"role": "assistant", "content": "Because."}
BAD = {"role": "assistant", "content": "Who knows."}


def said(value: dict[str, Any]) -> list[str]:
    row = row_of(value, "instruction")
    assert isinstance(row, TrainingRow)
    return [f"{m.role}: {m.content}" for m in row.messages]


def read(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_alpaca_joins_the_input_to_the_instruction():
    assert said({"instruction": "Shorten this.", "input": "A long text.", "output": "A text."}) == [
        "user: Shorten this.\n\nA long text.",
        "assistant: A text.",
    ]


def test_alpaca_with_a_system_message_and_earlier_turns():
    value = {
        "instruction": "B?", "input": "", "output": "b.", "system": "S.", "history": [["A?", "a."]],
    }  # fmt: skip
    assert said(value) == ["system: S.", "user: A?", "assistant: a.", "user: B?", "assistant: b."]


@pytest.mark.parametrize(
    "conversation",
    [
        [{"from": "human", "value": "Why?"}, {"from": "gpt", "value": "Because."}],
        [{"role": "user", "content": "Why?"}, {"role": "model", "content": "Because."}],
    ],
)
def test_sharegpt_names_who_spoke_in_its_own_way(conversation: list[dict[str, str]]):
    value = {"conversations": conversation, "system": "S."}
    assert said(value) == ["system: S.", "user: Why?", "assistant: Because."]


def test_a_prompt_with_its_completion_is_a_row():
    expected = ["user: Why?", "assistant: Because."]
    assert said({"prompt": "Why?", "completion": "Because."}) == expected
    assert said({"prompt": [USER], "completion": [GOOD]}) == expected


def test_content_in_parts_of_text_is_joined_and_empty_keys_of_a_message_are_dropped():
    parts = [{"type": "text", "text": "Be"}, {"type": "text", "text": "cause."}]
    answer = {"role": "assistant", "content": parts, "tool_calls": None}
    assert said({"messages": [USER, answer]}) == ["user: Why?", "assistant: Because."]


@pytest.mark.parametrize(
    "value",
    [
        {"prompt": "Why?", "chosen": "Because.", "rejected": "Who knows."},
        {"prompt": [USER], "chosen": [GOOD], "rejected": [BAD]},
        {"prompt": [USER], "chosen": "Because.", "rejected": "Who knows."},
        {"chosen": [USER, GOOD], "rejected": [USER, BAD]},
        {"prompt": "Why?", "chosen": [USER, GOOD], "rejected": [USER, BAD], "messages": [USER]},
    ],
)
def test_every_form_of_a_preference_is_the_same_row(value: dict[str, Any]):
    assert row_of(value, "preference") == PreferenceRow(
        prompt=(Message(role="user", content="Why?"),), chosen="Because.", rejected="Who knows."
    )


def test_other_fields_are_kept_as_metadata():
    row = row_of(
        {
            "messages": [USER, GOOD], "document_id": 7, "score": 0.5, "tags": ["a"], "none": None,
            "nested": {"a": [1]}, "metadata": {"kind": "why", "half": "\ud800"},
        },
        "instruction",
    )  # fmt: skip

    assert row.document_id == "7"
    assert row.metadata == {
        "score": 0.5, "tags": ["a"], "nested": '{"a": [1]}', "kind": "why", "half": "?",
    }  # fmt: skip


def test_metadata_that_is_no_object_is_kept_too():
    row = row_of({"messages": [USER, GOOD], "metadata": "a note"}, "instruction")
    assert row.metadata == {"metadata": "a note"}


def test_conversations_are_exported_in_each_form_and_read_back(tmp_path: Path):
    train = [TrainingRow(messages=(SYSTEM, *TURNS), document_id="d1", metadata={"a": "b"})]
    test = [TrainingRow(messages=TURNS[:2], document_id="d2")]

    written = export_formats(
        tmp_path, train, test, report=dataset_report(train, test), title="Our set"
    )

    names = {"train.jsonl", "train_alpaca.jsonl", "train_sharegpt.jsonl"}
    names |= {name.replace("train", "test") for name in names} | {"README.md"}
    assert {path.name for path in written} == names == {p.name for p in tmp_path.iterdir()}
    for path in written:
        if path.name.startswith("train"):
            (row,) = RowsFile(path)
            assert turns_of(row) == turns_of(train[0])
            assert isinstance(row, TrainingRow)
            assert row.messages[0] == SYSTEM
    assert read(tmp_path / "train_alpaca.jsonl")[0]["history"] == [
        ["What is a chunk?", "A slice of a document."]
    ]
    assert set(read(tmp_path / "train.jsonl")[0]) == {"messages", "document_id"}


def test_preferences_are_exported_as_pairs_and_as_conversations(tmp_path: Path):
    row = PreferenceRow(prompt=(SYSTEM, TURNS[0]), chosen="A slice.", rejected="A cake.")

    export_formats(tmp_path, [row], [], report=dataset_report([row], []), title="Pairs")

    assert {p.name for p in tmp_path.iterdir()} == {"train.jsonl", "train_sft.jsonl", "README.md"}
    assert list(RowsFile(tmp_path / "train.jsonl")) == [row]
    assert read(tmp_path / "train.jsonl")[0]["chosen"] == [
        {"role": "assistant", "content": "A slice."}
    ]
    assert read(tmp_path / "train_sft.jsonl")[0]["messages"][-1]["content"] == "A slice."


def test_the_card_has_counts_gates_and_generators(tmp_path: Path):
    train = [TrainingRow(messages=TURNS[:2], metadata={"generator": "headings-2"})]
    report = dataset_report(train, [])

    export_formats(tmp_path, train, [], report=report, title="Our set")

    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert card.startswith("---\nconfigs:\n")
    assert "# Our set\n" in card
    assert "| `train_alpaca.jsonl` | 1," in card
    assert "test.jsonl" not in card
    assert "| generator | headings-2 | 1 | 1.000 |" in card
    assert "| leaks_exact | not measured | at most 0 | yes | there are no test rows |" in card


def test_rows_are_not_exported_over_themselves(tmp_path: Path):
    rows = [TrainingRow(messages=TURNS[:2], document_id="d1", metadata={"a": "b"})]
    write_rows(tmp_path / "train.jsonl", rows)
    file = RowsFile(tmp_path / "train.jsonl")

    with pytest.raises(ConfigurationError, match="name another folder"):
        export_formats(tmp_path, file, [], report=dataset_report(file, []), title="Our set")

    assert list(file) == rows
