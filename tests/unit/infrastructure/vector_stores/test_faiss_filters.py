"""Filters by the table of values: SQLite must agree with ``matches`` on every value."""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_llm_system.domain.errors import DataError
from rag_llm_system.domain.ports import CollectionSpec
from rag_llm_system.domain.queries import Range, Where, matches
from rag_llm_system.infrastructure.vector_stores.faiss_filters import (
    field_values,
    indexed_fields,
    selection,
)

FIELDS = {"a", "b.c", "with space"}
BIG = [2**53, 2**53 + 1, 2**63 - 1, -(2**63), float(2**53), float(2**63), 5e-324, -0.0, 1e308]
SCALARS = st.one_of(
    st.sampled_from(["", "a", "A", "é", "e\u0301", "1", "true", "a\x00b", "a\x00", "日本"]),
    st.integers(-2, 2),
    st.sampled_from([-0.5, 0.0, 0.1, 1.0, 1.5]),
    st.booleans(),
    st.sampled_from(BIG),
)
STORABLE = SCALARS.filter(lambda value: not isinstance(value, int) or -(2**63) <= value < 2**63)
NUMBERS = st.none() | st.sampled_from([-1.0, 0.0, 0.1, 1.5, float(2**53), 1e308])
RANGES = st.builds(Range, gte=NUMBERS, lte=NUMBERS)
LISTS = st.lists(STORABLE | st.none(), max_size=4)
VALUES = st.one_of(
    STORABLE, st.none(), LISTS, st.sampled_from([[["a"], {"b": 1}, "a"], {"a": 1}, {}])
)
PAYLOADS = st.dictionaries(st.sampled_from([*sorted(FIELDS), "free"]), VALUES, max_size=4)
CONDITIONS = st.one_of(STORABLE, RANGES, st.lists(STORABLE | RANGES, max_size=4))
WHERES = st.dictionaries(st.sampled_from([*sorted(FIELDS), "free"]), CONDITIONS, min_size=1)


def selected(payloads: Sequence[Mapping[str, Any]], where: Where) -> list[int]:
    """Which of them the table selects, and of these the rest of the condition."""
    db = sqlite3.connect(":memory:")
    db.execute(
        "CREATE TABLE terms (field, value, row, PRIMARY KEY (field, value, row)) WITHOUT ROWID"
    )
    for row, payload in enumerate(payloads):
        stored = [(field, value, row) for field, value in field_values(payload, FIELDS)]
        db.executemany("INSERT INTO terms VALUES (?, ?, ?)", stored)
    chosen = selection(where, FIELDS)
    rows = list(range(len(payloads)))
    if chosen.sql:
        rows = sorted({row for (row,) in db.execute(chosen.sql, chosen.values)})
    db.close()
    return [row for row in rows if matches(chosen.rest, payloads[row])]


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(payloads=st.lists(PAYLOADS, min_size=1, max_size=8), where=WHERES)
def test_the_table_selects_what_matches_says(
    payloads: list[dict[str, Any]], where: dict[str, Any]
) -> None:
    expected = [row for row, payload in enumerate(payloads) if matches(where, payload)]
    assert selected(payloads, where) == expected


def test_more_alternatives_than_sqlite_takes_are_matched_one_by_one() -> None:
    wanted = [f"author {n}" for n in range(40_000)]
    payloads: list[dict[str, Any]] = [
        {"a": "author 39999"},
        {"a": "author 40000"},
        {"a": ["x", "author 0"]},
    ]

    assert selected(payloads, {"a": wanted, "b.c": []}) == []
    assert selected(payloads, {"a": wanted}) == [0, 2]


def test_a_condition_without_a_meaning_is_refused() -> None:
    with pytest.raises(DataError, match="filter field"):
        selection({"a": None}, FIELDS)  # type: ignore[dict-item]


def test_keyword_and_integer_fields_have_values() -> None:
    spec = CollectionSpec(keyword_fields=("author_id",), integer_fields=("year", "author_id"))
    assert indexed_fields(spec) == {"author_id", "year"}
    assert set(
        field_values({"author_id": ["a", "a", None, {}], "year": 1, "free": 2}, {"author_id"})
    ) == {("author_id", "a")}
