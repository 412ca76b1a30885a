"""Filters as questions to the table ``terms``: one row for each value that a point has in an indexed field.

SQLite compares the values as ``domain.queries.matches`` does: texts by their bytes, 5 and 5.0 as one number, integers
of 64 bits exactly, and no text with a number. A flag is no number either, so flags are kept as blobs.
"""

import math
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from rag_llm_system.domain.ports import CollectionSpec
from rag_llm_system.domain.queries import Range, Where
from rag_llm_system.infrastructure.vector_stores.filters import check

Value = str | int | float | bytes

_MAX_VALUES = 30_000  # SQLite takes 32,766 parameters in one statement


@dataclass(frozen=True)
class Selection:
    """Which points meet a condition: those whose rows ``sql`` gives, and of them those that also meet ``rest``."""

    sql: str  # "" where no field of the condition is indexed
    values: tuple[Value, ...]
    rest: Where


def indexed_fields(spec: CollectionSpec) -> set[str]:
    return {*spec.keyword_fields, *spec.integer_fields}


def field_values(payload: Mapping[str, Any], fields: Set[str]) -> Iterator[tuple[str, Value]]:
    """Field and value, each pair once. A list has a value for each of its elements that can be asked for."""
    for field in sorted(fields):
        found = payload.get(field)
        values = found if isinstance(found, list) else [found]
        scalars = [value for value in values if isinstance(value, str | int | float)]
        for value in dict.fromkeys(map(_stored, scalars)):
            yield field, value


def selection(where: Where, fields: Set[str]) -> Selection:
    """Raises DataError for a condition that no store understands."""
    check(where)
    parts: list[str] = []
    values: list[Value] = []
    rest: dict[str, Any] = {}
    for field, condition in where.items():
        alternatives = _alternatives(condition)
        if field not in fields or len(values) + 2 * len(alternatives) > _MAX_VALUES:
            rest[field] = condition
            continue
        ranges = [one for one in alternatives if isinstance(one, Range)]
        equals = [_stored(one) for one in alternatives if not isinstance(one, Range)]
        tests = ["value BETWEEN ? AND ?"] * len(ranges)
        if equals or not ranges:  # even an empty list beside a range keeps SQLite from its index
            tests.append(f"value IN ({', '.join('?' * len(equals))})")
        parts.append(f"SELECT row FROM terms WHERE field = ? AND ({' OR '.join(tests)})")  # noqa: S608 - no value in it
        values += [field, *(end for one in ranges for end in _ends(one)), *equals]
    return Selection(" INTERSECT ".join(parts), tuple(values), rest)


def _ends(wanted: Range) -> tuple[float, float]:
    """Infinity for an open end: texts and flags are beyond it, and a stored number is finite."""
    return (
        -math.inf if wanted.gte is None else wanted.gte,
        math.inf if wanted.lte is None else wanted.lte,
    )


def _alternatives(condition: Any) -> Sequence[Any]:
    if isinstance(condition, Sequence) and not isinstance(condition, str):
        return condition
    return [condition]


def _stored(value: str | float | bool) -> Value:
    return bytes([value]) if isinstance(value, bool) else value
