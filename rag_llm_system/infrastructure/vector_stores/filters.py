"""Turns the filter language of ``domain.queries.Where`` into an engine's own conditions.

The rules that make an engine agree with ``domain.queries.matches`` are here, once; a dialect only names the
engine's classes.
"""

import math
import re
from collections.abc import Sequence
from typing import Protocol, TypeVar

from rag_llm_system.domain.documents import Scalar
from rag_llm_system.domain.errors import DataError
from rag_llm_system.domain.queries import Range, Where

Condition = TypeVar("Condition")

_EXACT_FLOATS = 2**53  # up to here every integer is a float of the same value
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")


class Dialect(Protocol[Condition]):
    """An engine's conditions. ``key`` is a path in the engine's syntax, already quoted."""

    def texts(self, key: str, values: list[str]) -> Condition: ...

    def flag(self, key: str, value: bool) -> Condition: ...

    def integer(self, key: str, value: int) -> Condition: ...

    def between(self, key: str, gte: float | None, lte: float | None) -> Condition: ...

    def any_of(self, conditions: list[Condition]) -> Condition:
        """At least one; an empty list meets nothing."""

    def all_of(self, conditions: list[Condition]) -> Condition: ...


def translate(where: Where | None, dialect: Dialect[Condition]) -> Condition | None:
    """The engine's condition; None when there is nothing to filter by."""
    if not where:
        return None
    return dialect.all_of(
        [_field(key_path(field), condition, dialect) for field, condition in where.items()]
    )


def check(where: Where | None) -> None:
    """Raises DataError for a condition that no store understands."""
    for field, condition in (where or {}).items():
        key_path(field)
        _alternatives(field, condition)


def key_path(field: str) -> str:
    """A top-level payload key as a Qdrant path: a dot in a key is not a step into a nested object."""
    if _PLAIN_KEY.fullmatch(field):
        return field
    if '"' in field or not field:
        raise DataError(
            f"filter field {field!r}: a field name is not empty and has no double quotes"
        )
    return f'"{field}"'


def _field(
    key: str, condition: Scalar | Sequence[Scalar] | Range, dialect: Dialect[Condition]
) -> Condition:
    alternatives = _alternatives(key, condition)
    texts = [value for value in alternatives if isinstance(value, str)]
    others = [_one(key, value, dialect) for value in alternatives if not isinstance(value, str)]
    wanted = ([dialect.texts(key, texts)] if texts else []) + others
    return wanted[0] if len(wanted) == 1 else dialect.any_of(wanted)


def _one(key: str, value: bool | float | Range, dialect: Dialect[Condition]) -> Condition:
    if isinstance(value, bool):
        return dialect.flag(key, value)
    if isinstance(value, Range):
        return dialect.between(key, value.gte, value.lte)
    if isinstance(value, int) and abs(value) >= _EXACT_FLOATS:
        return dialect.integer(key, value)
    # 5 and 5.0 are the same number; an engine's own equality compares integers only
    return dialect.between(key, value, value)


def _alternatives(
    field: str, condition: Scalar | Sequence[Scalar] | Range
) -> Sequence[Scalar | Range]:
    if isinstance(condition, str) or not isinstance(condition, Sequence):
        condition = [condition]  # type: ignore[list-item]  # a Range may stand among the members
    for value in condition:
        if not isinstance(value, str | int | float | Range):
            raise DataError(
                f"filter field {field!r}: {value!r} is not a text, a number, a flag, a Range or a list of those"
            )
        numbers = (value.gte, value.lte) if isinstance(value, Range) else (value,)
        if any(_is_unusable(number) for number in numbers):
            raise DataError(f"filter field {field!r}: {value!r} is not finite or exceeds 64 bits")
    return condition


def _is_unusable(number: Scalar | None) -> bool:
    if isinstance(number, float):
        return not math.isfinite(number)
    return isinstance(number, int) and not -(2**63) <= number < 2**63
