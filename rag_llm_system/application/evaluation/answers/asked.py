"""A row of a test set as what is asked: the question, its context, the reference, and the row without its context."""

import re
from collections.abc import Sequence

from rag_llm_system.domain.datasets import Row, TrainingRow, conversation_of
from rag_llm_system.domain.documents import Metadata, Value
from rag_llm_system.domain.errors import DataError

MISSING_KINDS = frozenset({"absent", "missing", "refusal"})
"""``metadata["kind"]`` of a row whose question the context cannot answer."""

_QUESTION = re.compile(
    r"^(?:Question|Query):[ \t]*(?P<question>.+?)\s*(?:^Answer:\s*)?\Z",
    re.MULTILINE | re.DOTALL,
)
_CONTEXT_HEAD = re.compile(
    r"^(?:Contexts?|Library|Sources?|Passages?|Documents?|Extracts?|Facts|Background):[ \t]*\n?",
    re.IGNORECASE,
)
_SOURCES = re.compile(r"<sources>\n?(?P<inside>.*?)</sources>", re.DOTALL)
_BOLD = re.compile(r"\*\*(?P<title>[^*\n]+?)\*\*")


class Asked(Value):
    """One row. ``titles`` are those that its context has, ``picks`` those that the answer ought to name, and
    ``matches`` those it may name; all three are () where the row does not say.

    ``missing``: the context lacks what the question asks for, and the answer has to say so.
    """

    question: str
    context: str
    reference: str
    titles: tuple[str, ...] = ()
    picks: tuple[str, ...] = ()
    matches: tuple[str, ...] = ()
    missing: bool = False


def asked_of(row: Row) -> Asked:
    """The last question of a row; the context may stand in an earlier message of the conversation.

    Titles come from the row's metadata, else from what is bold in its context.
    """
    messages = conversation_of(row)
    if len(messages) < 2 or messages[-1].role != "assistant":
        raise DataError("a row to evaluate on must end with a question and its answer")
    context, question = "", ""
    for message in messages[:-1]:
        if message.role == "user":
            found, question = _parts(message.content)
            context = found or context
    return Asked(
        question=question,
        context=context,
        reference=messages[-1].content,
        titles=_names(row.metadata, "titles") or bold_titles(context),
        picks=_names(row.metadata, "picks"),
        matches=_names(row.metadata, "matches"),
        missing=row.metadata.get("kind") in MISSING_KINDS,
    )


def bold_titles(context: str) -> tuple[str, ...]:
    """What stands between ``**`` marks, each once."""
    return tuple(dict.fromkeys(found["title"] for found in _BOLD.finditer(context)))


def without_context(row: Row) -> TrainingRow:
    """The last question alone, below the row's system message, and its answer."""
    messages = conversation_of(row)
    asked = messages[-2]
    found = _QUESTION.search(asked.content)
    question = f"Question: {found['question']}" if found else _parts(asked.content)[1]
    system = [m for m in messages[:1] if m.role == "system"]
    return TrainingRow(
        messages=(*system, asked.model_copy(update={"content": question}), messages[-1]),
        document_id=row.document_id,
        metadata=row.metadata,
    )


def numbered_sources(context: str) -> dict[int, str]:
    """The sources of a context whose lines begin with ``[1]`` or ``1.``; {} when they do not."""
    starts = list(re.finditer(r"^\s*(?:\[(\d{1,3})\]|(\d{1,3})[.)])[ \t]+", context, re.MULTILINE))
    ends = [*(start.start() for start in starts[1:]), len(context)]
    return {
        int(start[1] or start[2]): context[start.end() : end].strip()
        for start, end in zip(starts, ends, strict=False)
    }


def _parts(content: str) -> tuple[str, str]:
    """(context, question) of a user's message; the context is "" when it has none."""
    found = _QUESTION.search(content)
    inside = _SOURCES.search(content)
    before = content[: found.start()] if found else ""
    context = inside["inside"] if inside else _CONTEXT_HEAD.sub("", before.strip(), count=1)
    question = found["question"] if found else _SOURCES.sub("", content)
    return context.strip(), question.strip()


def _names(metadata: Metadata, field: str) -> tuple[str, ...]:
    value = metadata.get(field, ())
    names: Sequence[str] = value if isinstance(value, list | tuple) else ()
    return tuple(names)
