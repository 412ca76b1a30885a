"""The thresholds that a set must reach, and the report of what was found."""

from collections.abc import Callable, Sequence
from typing import Literal

from pydantic import Field

from rag_llm_system.application.dataset.near_duplicates import THRESHOLD
from rag_llm_system.domain.datasets import DatasetKind, Row
from rag_llm_system.domain.documents import Value

EXAMPLES = 5
"""Rows that are shown of each gate."""
_SHOWN_CHARS = 200

SourceOf = Callable[[Row], str | None]
"""The text that a row was made from; None when it is not known."""


class GateThresholds(Value):
    """``near_threshold`` and ``answers`` say which texts count as the same, as in the split."""

    near_threshold: float = Field(default=THRESHOLD, gt=0, le=1)
    answers: bool = True
    leaks_exact: int = Field(default=0, ge=0)
    leaks_near: int = Field(default=0, ge=0)
    duplicates: float = Field(default=0.02, ge=0, le=1)
    grounding_mean: float = Field(default=0.7, ge=0, le=1)
    grounding_row: float = Field(default=0.5, ge=0, le=1)
    ungrounded: float = Field(default=0.1, ge=0, le=1)
    format: float = Field(default=0.95, ge=0, le=1)
    largest_class: float = Field(default=0.95, gt=0, le=1)
    same_answers: float = Field(default=0.0, ge=0, le=1)
    train_rows: int = Field(default=1, ge=0)
    test_rows: int = Field(default=1, ge=0)


class GateResult(Value):
    """``value`` is None when it was not measured; ``note`` then says why. ``rows`` names up to five examples."""

    name: str
    value: float | None
    bound: Literal["at most", "at least"]
    threshold: float
    passed: bool
    note: str = ""
    rows: Sequence[str] = ()


class Example(Value):
    """A row that counts against the set."""

    gate: str
    row: str
    text: str
    reason: str


class ClassCount(Value):
    """How many rows of train and test have ``name`` as their ``key``."""

    key: str
    name: str
    rows: int
    share: float


class DatasetReport(Value):
    """What the gates found; shown in the dashboard, and in the card of the set."""

    kind: DatasetKind
    passed: bool
    train_rows: int
    test_rows: int
    turns: int
    context_rows: int
    answer_words_mean: float
    verbatim_answers: float | None
    gates: Sequence[GateResult]
    classes: Sequence[ClassCount] = ()
    examples: Sequence[Example] = ()


def shown(text: str) -> str:
    """One line of a text, cut where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN_CHARS else f"{line[:_SHOWN_CHARS]}…"


def gate(
    name: str,
    value: float | None,
    bound: Literal["at most", "at least"],
    threshold: float,
    *,
    note: str = "",
    examples: Sequence[Example] = (),
) -> GateResult:
    """What was not measured fails nothing."""
    reached = value is None or (value <= threshold if bound == "at most" else value >= threshold)
    return GateResult(
        name=name,
        value=None if value is None else round(value, 4),
        bound=bound,
        threshold=threshold,
        passed=reached,
        note=note,
        rows=tuple(example.row for example in examples if example.gate == name),
    )
