"""Writes rows in the forms that trainers read."""

from collections.abc import Iterable
from typing import Any

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.datasets import (
    PreferenceRow,
    Row,
    TrainingRow,
    conversation_of,
    turns_of,
)

_SHAREGPT_ROLES = {"system": "system", "user": "human", "assistant": "gpt"}


def as_messages(row: Row) -> dict[str, Any]:
    return {"messages": _plain(conversation_of(row)), "document_id": row.document_id}


def as_alpaca(row: Row) -> dict[str, Any]:
    """The last turn is the instruction; earlier ones are its ``history``, as LLaMA-Factory reads them."""
    *earlier, (question, answer) = turns_of(row)
    first = conversation_of(row)[0]
    return {
        "instruction": question,
        "input": "",
        "output": answer,
        **({"system": first.content} if first.role == "system" else {}),
        **({"history": [list(turn) for turn in earlier]} if earlier else {}),
    }


def as_sharegpt(row: Row) -> dict[str, Any]:
    said = [{"from": _SHAREGPT_ROLES[m.role], "value": m.content} for m in conversation_of(row)]
    return {"conversations": said}


def as_preference(row: PreferenceRow) -> dict[str, Any]:
    """As TRL's DPO trainer reads them: three lists of messages."""
    return {
        "prompt": _plain(row.prompt),
        "chosen": [{"role": "assistant", "content": row.chosen}],
        "rejected": [{"role": "assistant", "content": row.rejected}],
    }


def as_stored(row: Row) -> dict[str, Any]:
    """With all that is known of the row."""
    form = (
        {"messages": _plain(row.messages)} if isinstance(row, TrainingRow) else as_preference(row)
    )
    return {**form, "document_id": row.document_id, "metadata": dict(row.metadata)}


def _plain(messages: Iterable[Message]) -> list[dict[str, str]]:
    return [{"role": m.role, "content": m.content} for m in messages]
