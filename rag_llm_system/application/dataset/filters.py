"""Drops rows that nobody should train on, each for a counted reason."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pydantic import Field

from rag_llm_system.application.dataset.language import is_in
from rag_llm_system.application.dataset.near_duplicates import NearDuplicates
from rag_llm_system.application.dataset.overlap import compared_texts
from rag_llm_system.application.rag.retrieved_text import neutralised, visible
from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.datasets import PreferenceRow, Row, turns_of
from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.personal_data import personal_data, without_personal_data
from rag_llm_system.domain.redaction import redact

_EXAMPLES = 3
_OPENING_MARKS = "\"'\u201c\u2018\u00ab\u00bf\u00a1*_(["
_CLOSING_MARKS = "\"'\u201d\u2019\u00bb*_)]"
_SENTENCE_ENDS = ".!?\u2026\u3002\uff01\uff1f"


class FilterConfig(Value):
    """What a row must be to be kept. The defaults are those that rows made from articles were tried with.

    ``near_duplicates`` is the share of common runs of three words from which two questions, or two answers, are one;
    0 switches that off. No ``languages``: any. ``personal_data`` also rules what becomes of passwords and keys.
    """

    min_question_chars: int = Field(10, ge=1)
    max_question_chars: int = Field(4000, ge=1)
    min_answer_chars: int = Field(100, ge=1)
    max_answer_chars: int = Field(8000, ge=1)
    answer_format: bool = True
    languages: Sequence[str] = ("en",)
    near_duplicates: float = Field(0.8, ge=0, le=1)
    personal_data: Literal["drop", "redact", "keep"] = "drop"


@dataclass
class FilterReport:
    """Grows while the rows are taken; in the end ``rows_in == kept + sum(dropped.values())``.

    ``examples`` names up to three rows for each reason, by chunk; ``redacted`` counts rows by what was taken out.
    """

    rows_in: int = 0
    kept: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    redacted: Counter[str] = field(default_factory=Counter)

    def drop(self, reason: str, row: Row) -> None:
        self.dropped[reason] += 1
        examples = self.examples.setdefault(reason, [])
        if len(examples) < _EXAMPLES:
            examples.append(self._name(row))

    def _name(self, row: Row) -> str:
        return str(row.metadata.get("chunk_id") or row.document_id or f"row {self.rows_in}")


def filter_rows(rows: Iterable[Row], config: FilterConfig, report: FilterReport) -> Iterator[Row]:
    """In the order given. Of near-duplicates the first stays; of a row only its signature is remembered."""
    seen = _Seen(config.near_duplicates)
    for row in rows:
        report.rows_in += 1
        kept, found = _without_private_data(row, config)
        reason = _first_reason(kept, config) or (
            f"holds {found[0]}" if kept is row and found else ""
        )
        reason = reason or seen.repeats(kept, str(report.rows_in))
        if reason:
            report.drop(reason, row)
            continue
        if kept is not row:
            report.redacted.update(found)
        report.kept += 1
        yield kept


def _first_reason(row: Row, config: FilterConfig) -> str:
    return next((reason for check in _CHECKS if (reason := check(row, config))), "")


def _lengths(row: Row, config: FilterConfig) -> str:
    for question, answer in turns_of(row):
        if len(question.strip()) < config.min_question_chars:
            return "question too short"
        if len(question) > config.max_question_chars:
            return "question too long"
        if len(answer.strip()) < config.min_answer_chars:
            return "answer too short"
        if len(answer) > config.max_answer_chars:
            return "answer too long"
    return ""


def _format(row: Row, config: FilterConfig) -> str:
    """Answers begin with a capital or a number, and end as a sentence does."""
    for _, answer in turns_of(row) if config.answer_format else ():
        begins = answer.strip().lstrip(_OPENING_MARKS)[:1]
        if not begins.isalnum() or begins.islower():
            return "answer begins without a capital"
        if not answer.strip().rstrip(_CLOSING_MARKS).endswith(tuple(_SENTENCE_ENDS)):
            return "answer ends amid a sentence"
    return ""


def _rejected(row: Row, _config: FilterConfig) -> str:
    if isinstance(row, PreferenceRow):
        if not row.rejected.strip():
            return "rejected answer is empty"
        if row.rejected.split() == row.chosen.split():
            return "both answers are the same"
    return ""


def _language(row: Row, config: FilterConfig) -> str:
    if config.languages and not all(is_in(text, config.languages) for text in _answers(row)):
        return "other language"
    return ""


def _chat_tokens(row: Row, _config: FilterConfig) -> str:
    """A tokenizer reads ``<|im_end|>`` as the end of a turn, wherever it stands."""
    held = any(neutralised(text) != visible(text) for text in (*_answers(row), *_questions(row)))
    return "holds a chat template's token" if held else ""


_CHECKS: tuple[Callable[[Row, FilterConfig], str], ...] = (
    _lengths,
    _format,
    _rejected,
    _chat_tokens,
    _language,
)


class _Seen:
    """Questions and answers of the rows kept so far."""

    def __init__(self, threshold: float) -> None:
        self._known = (
            {"question": NearDuplicates(threshold), "answer": NearDuplicates(threshold)}
            if threshold
            else {}
        )

    def repeats(self, row: Row, key: str) -> str:
        """What of the row was there before, or ""; then it is there from now on."""
        if not self._known:
            return ""
        compared = list(compared_texts(row))
        for part, text in compared:
            if self._known[part].similar(text):
                return f"near-duplicate {part}"
        for part, text in compared:
            self._known[part].add(key, text)
        return ""


def _questions(row: Row) -> list[str]:
    return [question for question, _ in turns_of(row)]


def _answers(row: Row) -> list[str]:
    rejected = [row.rejected] if isinstance(row, PreferenceRow) else []
    return [*(answer for _, answer in turns_of(row)), *rejected]


def _without_private_data(row: Row, config: FilterConfig) -> tuple[Row, list[str]]:
    """The row, made anew where it is to be redacted and there is something; and what was found."""
    if config.personal_data == "keep":
        return row, []
    found = sorted({name for text in (*_answers(row), *_questions(row)) for name in _private(text)})
    if not found or config.personal_data == "drop":
        return row, found
    if isinstance(row, PreferenceRow):
        fields = {
            "prompt": _redacted_messages(row.prompt),
            "chosen": _redacted(row.chosen),
            "rejected": _redacted(row.rejected),
        }
        return row.model_copy(update=fields), found
    return row.model_copy(update={"messages": _redacted_messages(row.messages)}), found


def _private(text: str) -> Iterator[str]:
    for datum in personal_data(text):
        yield datum.kind
    if redact(text) != text:
        yield "secret"


def _redacted(text: str) -> str:
    return redact(without_personal_data(text))


def _redacted_messages(messages: Sequence[Message]) -> tuple[Message, ...]:
    return tuple(m.model_copy(update={"content": _redacted(m.content)}) for m in messages)
