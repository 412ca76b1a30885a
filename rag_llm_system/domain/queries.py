"""What is asked of a store, and what it finds."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from rag_llm_system.domain.documents import Scalar, Value


class Range(Value):
    """A numeric condition: ``gte <= value <= lte``; an end that is not given is open."""

    gte: float | None = Field(None, strict=True)
    lte: float | None = Field(None, strict=True)


Where = Mapping[str, Scalar | Sequence[Scalar] | Range]
"""Conditions on payload fields, all of them required. A scalar means equality, a sequence "any of its
members", a Range a number within. A list in the payload matches when any of its elements does."""


Terms = Mapping[int, float]
"""A text as weighted words, a sparse vector: the number of a word (32 bits, see ``preprocessing/terms.py``) to its
weight, greater than 0."""


class Hit(Value):
    """One found point; ``score`` is a cosine similarity, or the BM25 score of a search for terms; higher is better."""

    id: str
    score: float
    payload: Mapping[str, Any]


class Query(Value):
    """A question and the conditions its sources must meet."""

    text: str
    where: Mapping[str, Any] = Field(default_factory=dict)


class Condition(Value):
    """What a question says about its sources: ``field`` of the payload must meet ``condition`` (see :data:`Where`).

    ``label`` tells it to the reader ("author Zoë Müller", "from 2021 to 2023"), ``evidence`` are the words of the
    question that say so.
    """

    field: str
    condition: Any
    label: str
    evidence: str = ""


class Interpretation(Value):
    """What self-query made of a question: conditions that all must hold, at most one for each field."""

    conditions: tuple[Condition, ...] = ()

    @property
    def where(self) -> dict[str, Any]:
        return {one.field: one.condition for one in self.conditions}


class Stages(Value):
    """Which way each stage of retrieval goes; "off" leaves it out. Every field but ``ranking`` is a stage by itself."""

    self_query: Literal["off", "rules", "llm"] = "rules"
    expansion: Literal["off", "feedback", "llm"] = "off"
    ranking: Literal["dense", "bm25", "rrf", "evidence"] = "evidence"
    reranker: Literal["off", "late-interaction", "cross-encoder"] = "late-interaction"


def matches(where: Where | None, payload: Mapping[str, Any]) -> bool:
    """The reference meaning of :data:`Where`, for stores that filter in Python and for their tests."""
    for field, condition in (where or {}).items():
        found = payload.get(field)
        values = found if isinstance(found, list) else [] if found is None else [found]
        if not any(_meets(value, condition) for value in values):
            return False
    return True


def _meets(value: Any, condition: Any) -> bool:
    if isinstance(condition, Range):
        return (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and (condition.gte is None or value >= condition.gte)
            and (condition.lte is None or value <= condition.lte)
        )
    if isinstance(condition, Sequence) and not isinstance(condition, str):
        return any(_meets(value, member) for member in condition)
    # True == 1 in Python; in a filter a flag is not a number
    return isinstance(value, bool) == isinstance(condition, bool) and bool(value == condition)
