"""Rows of a training set in the chat format of ``train.jsonl``."""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.documents import Metadata, Value


class TrainingRow(Value):
    """One conversation; the last message is the assistant's. ``document_id`` keeps splits apart."""

    messages: Sequence[Message]
    document_id: str = ""
    metadata: Metadata = Field(default_factory=dict)


class DatasetSplit(Value):
    """Rows split by document, never by row."""

    train: Sequence[TrainingRow]
    test: Sequence[TrainingRow]


SplitName = Literal["train", "test"]
