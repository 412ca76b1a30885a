"""Reads rows in the forms that trainers have: messages, Alpaca, ShareGPT, and TRL's prompts with one or two answers.

Fields beside those of a form are kept in ``metadata``, since files of other trainers have scores, ids and the like.
Keys of a message that are not its role and content are refused: they would change what is trained on.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from rag_llm_system.application.dataset.overlap import has_half_pair, normalised
from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.datasets import DatasetKind, PreferenceRow, Row, TrainingRow
from rag_llm_system.domain.documents import Metadata
from rag_llm_system.domain.errors import DataError

_ROLES = {
    "human": "user", "gpt": "assistant", "chatgpt": "assistant", "model": "assistant", "bot": "assistant",
}  # fmt: skip
_KNOWN_FORMS = (
    "messages; instruction and output (Alpaca); conversations (ShareGPT); prompt and completion; "
    "prompt, chosen and rejected"
)


class BadRow(DataError):
    """A row that cannot be used; the message is "field: reason"."""


def kind_of_value(value: Any) -> DatasetKind:
    """By the fields a row has; a value that is no row counts as an instruction."""
    preference = isinstance(value, dict) and "chosen" in value and "rejected" in value
    return "preference" if preference else "instruction"


def row_of(value: Any, kind: DatasetKind) -> Row:
    """A row of any form. Raises BadRow."""
    if not isinstance(value, dict):
        raise BadRow(f"the line: expected an object with fields, found {_name(value)}")
    if kind_of_value(value) != kind:
        raise BadRow(f"the line: not a row of a set of {kind} rows, as the rows before it are")
    used, row = _preference(value) if kind == "preference" else _conversation(value)
    origin: dict[str, Any] = {
        "document_id": _origin(value.get("document_id")),
        "metadata": _metadata(value, {*used, "document_id", "metadata"}),
    }
    return row.model_copy(update=origin)


def _conversation(value: Mapping[str, Any]) -> tuple[set[str], TrainingRow]:
    """The fields that were read, and the row."""
    if "messages" in value:
        used, messages = {"messages"}, _messages(value["messages"], "messages")
    elif "conversations" in value:
        used = {"conversations", "system"}
        messages = _messages(value["conversations"], "conversations")
        messages = (*_system(value), *messages)
    elif "instruction" in value and "output" in value:
        used = {"instruction", "input", "output", "system", "history"}
        messages = _alpaca(value)
    elif "prompt" in value and "completion" in value:
        used = {"prompt", "completion"}
        messages = (*_prompt(value["prompt"]), *_answer(value["completion"], "completion"))
    else:
        fields = ", ".join(map(str, value)) or "none"
        raise BadRow(
            f"messages: not there, nor another form of a row ({_KNOWN_FORMS}); found: {fields}"
        )
    _check_turns(messages, "conversations" if "conversations" in used else "messages")
    return used, TrainingRow(messages=messages)


def _preference(value: Mapping[str, Any]) -> tuple[set[str], PreferenceRow]:
    """TRL's forms: texts, lists of messages, and whole conversations that differ in the last message."""
    chosen, rejected = (_answer(value[field], field) for field in ("chosen", "rejected"))
    if len(chosen) > 1 or len(rejected) > 1:
        if chosen[:-1] != rejected[:-1]:
            raise BadRow("rejected: must have the same messages as chosen, but for the last")
        prompt = chosen[:-1]
    elif "prompt" in value:
        prompt = _prompt(value["prompt"])
    else:
        raise BadRow("prompt: not there, and chosen holds an answer alone")
    _check_turns((*prompt, chosen[-1]), "prompt")
    _check_turns((*prompt, rejected[-1]), "rejected")
    if normalised(chosen[-1].content) == normalised(rejected[-1].content):
        raise BadRow("rejected: the same answer as chosen, so nothing is preferred")
    used = {"prompt", "chosen", "rejected", "messages"}
    row = PreferenceRow(prompt=prompt, chosen=chosen[-1].content, rejected=rejected[-1].content)
    return used, row


def _prompt(value: Any) -> tuple[Message, ...]:
    if isinstance(value, list):
        return _messages(value, "prompt")
    return (Message(role="user", content=_text(value, "prompt")),)


def _answer(value: Any, field: str) -> tuple[Message, ...]:
    """One message of the assistant, or the whole conversation that ends with it."""
    if not isinstance(value, list):
        return (Message(role="assistant", content=_text(value, field)),)
    messages = _messages(value, field)
    if not messages or messages[-1].role != "assistant":
        raise BadRow(f"{field}: the last message must be the assistant's")
    return messages


def _alpaca(value: Mapping[str, Any]) -> tuple[Message, ...]:
    asked = _text(value["instruction"], "instruction")
    if value.get("input"):
        asked = f"{asked}\n\n{_text(value['input'], 'input')}"
    turns: list[Message] = []
    for n, turn in enumerate(_list(value.get("history") or [], "history")):
        if not isinstance(turn, list) or len(turn) != 2:
            raise BadRow(f"history.{n}: expected a question and an answer")
        turns.append(Message(role="user", content=_text(turn[0], f"history.{n}.0")))
        turns.append(Message(role="assistant", content=_text(turn[1], f"history.{n}.1")))
    return (
        *_system(value),
        *turns,
        Message(role="user", content=asked),
        Message(role="assistant", content=_text(value["output"], "output")),
    )


def _system(value: Mapping[str, Any]) -> tuple[Message, ...]:
    text = value.get("system")
    return (Message(role="system", content=_text(text, "system")),) if text else ()


def _messages(value: Any, field: str) -> tuple[Message, ...]:
    return tuple(_message(m, f"{field}.{n}") for n, m in enumerate(_list(value, field)))


def _message(value: Any, field: str) -> Message:
    if not isinstance(value, dict):
        raise BadRow(f"{field}: expected a message with role and content, found {_name(value)}")
    fields = {k: v for k, v in value.items() if v is not None}
    if "from" in fields or "value" in fields:  # ShareGPT
        fields = {{"from": "role", "value": "content"}.get(k, k): v for k, v in fields.items()}
    role, content = fields.get("role"), fields.get("content")
    if isinstance(role, str):
        fields["role"] = _ROLES.get(role, role)
    if isinstance(content, list) and all(
        isinstance(p, dict) and p.get("type") == "text" and isinstance(p.get("text"), str)
        for p in content
    ):
        fields["content"] = "".join(part["text"] for part in content)
    try:
        return Message.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(map(str, (field, *first["loc"])))
        raise BadRow(f"{place}: {first['msg']}") from error


def _check_turns(messages: Sequence[Message], field: str) -> None:
    """An optional system message, then user and assistant in turn, the assistant last."""
    if not messages:
        raise BadRow(f"{field}: empty; a row needs a user and an assistant message")
    start = 1 if messages[0].role == "system" else 0
    for index, message in enumerate(messages):
        expected = "user" if (index - start) % 2 == 0 else "assistant"
        if index >= start and message.role != expected:
            raise BadRow(f"{field}.{index}.role: expected {expected!r}, found {message.role!r}")
        if not message.content.strip():
            raise BadRow(f"{field}.{index}.content: empty")
        if has_half_pair(message.content):
            raise BadRow(
                f"{field}.{index}.content: half of a surrogate pair, which is no character"
            )
    if messages[-1].role != "assistant":
        last = len(messages) - 1
        raise BadRow(f"{field}.{last}.role: the last message must be the assistant's")


def _text(value: Any, field: str) -> str:
    if not isinstance(value, str):
        raise BadRow(f"{field}: expected a text, found {_name(value)}")
    return value


def _list(value: Any, field: str) -> list[Any]:
    if not isinstance(value, list):
        raise BadRow(f"{field}: expected a list, found {_name(value)}")
    return value


def _name(value: Any) -> str:
    names = {
        "dict": "an object", "list": "a list", "str": "a text", "bool": "true or false", "NoneType": "null",
    }  # fmt: skip
    return names.get(type(value).__name__, "a number")


def _origin(value: Any) -> str:
    if value is None or isinstance(value, str | int):
        return "" if value is None else str(value)
    raise BadRow(f"document_id: expected a text, found {_name(value)}")


def _metadata(value: Mapping[str, Any], used: set[str]) -> Metadata:
    """Of the row's own ``metadata`` and of fields beside it; what is nested becomes JSON."""
    own = value.get("metadata")
    given = own if isinstance(own, dict) else {"metadata": own}
    others = {k: v for k, v in value.items() if k not in used}
    return {k: _scalar(v) for k, v in {**others, **given}.items() if v is not None}


def _scalar(value: Any) -> str | int | float | bool | list[str]:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, int | float):
        return value
    if isinstance(value, list) and all(isinstance(v, str) for v in value):
        return [v.encode("utf-8", "replace").decode("utf-8") for v in value]
    return json.dumps(value, ensure_ascii=True)
