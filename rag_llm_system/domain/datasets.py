"""Rows of training sets: conversations to imitate, and answers of which one is preferred to the other."""

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.documents import Metadata, Value

DatasetKind = Literal["instruction", "preference"]
SplitName = Literal["train", "test"]


class TrainingRow(Value):
    """One conversation of one or more turns; the last message is the assistant's.

    ``document_id`` keeps splits apart. ``metadata`` says where a row comes from: ``chunk_id`` (document and
    characters), ``generator``, ``prompt_version``, ``category``.
    """

    messages: Sequence[Message]
    document_id: str = ""
    metadata: Metadata = Field(default_factory=dict)


class PreferenceRow(Value):
    """A question and two answers. ``prompt`` ends with the user's message; the other fields are as in TrainingRow."""

    prompt: Sequence[Message]
    chosen: str
    rejected: str
    document_id: str = ""
    metadata: Metadata = Field(default_factory=dict)


Row = TrainingRow | PreferenceRow
ROW_MODELS: Mapping[DatasetKind, type[Row]] = {
    "instruction": TrainingRow,
    "preference": PreferenceRow,
}


def conversation_of(row: Row) -> Sequence[Message]:
    """The messages that are to be imitated: of a preference, those that end with the chosen answer."""
    if isinstance(row, TrainingRow):
        return row.messages
    return (*row.prompt, Message(role="assistant", content=row.chosen))


def turns_of(row: Row) -> list[tuple[str, str]]:
    """(question, answer) of each turn."""
    spoken = [m for m in conversation_of(row) if m.role != "system"]
    return [
        (asked.content, answered.content)
        for asked, answered in zip(spoken[::2], spoken[1::2], strict=True)
    ]
