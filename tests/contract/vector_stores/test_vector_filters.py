"""Filters, which must mean in every vector store what ``domain.queries.matches`` says."""

import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag_llm_system.domain.errors import DataError
from rag_llm_system.domain.ports import VectorStore
from rag_llm_system.domain.queries import Range, matches
from tests.contract.vector_stores.cases import (
    DOUBLE_WARNS,
    NAME,
    SPEC,
    a_record,
    at_angle,
    payloads,
    point_id,
    query,
)

pytestmark = DOUBLE_WARNS


def test_a_selective_filter_still_gives_as_many_hits_as_asked_for(store: VectorStore) -> None:
    """Filtering what an unfiltered search found would leave nothing here."""
    store.ensure(NAME, SPEC)
    store.upsert(NAME, [a_record(n, at_angle(n / 10), author_id="common") for n in range(600)])
    store.upsert(NAME, [a_record(n, at_angle(170), author_id="rare") for n in range(600, 610)])

    hits = store.search(NAME, query(), limit=10, where={"author_id": "rare"})

    assert [hit.payload["author_id"] for hit in hits] == ["rare"] * 10


SCALARS = st.one_of(
    st.sampled_from(["a", "b", "", "1", "true", "True"]),
    st.integers(-1, 3),
    st.sampled_from([-0.5, 0.0, 1.0, 1.5, 2.0]),
    st.booleans(),
    st.sampled_from([2**53 + 1, 2**53 + 2]),
)
RANGES = st.builds(
    Range,
    gte=st.none() | st.sampled_from([-1.0, 0.0, 1.0, 1.5]),
    lte=st.none() | st.sampled_from([0.0, 1.0, 1.5, 3.0]),
)
# "author_id" and "year" have an index in SPEC, the others none; values are of any kind in all of them
FIELDS = st.sampled_from(["author_id", "year", "free", "a.b", "with space"])
VALUES = st.one_of(SCALARS, st.none(), st.lists(SCALARS, max_size=3), st.just([["a"], {"b": 1}]))
PAYLOADS = st.dictionaries(FIELDS, VALUES, max_size=4)
CONDITIONS = st.one_of(SCALARS, RANGES, st.lists(SCALARS, max_size=3))
WHERES = st.dictionaries(FIELDS, CONDITIONS, min_size=1, max_size=2)


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # every example writes all points
)
@given(
    data=st.lists(PAYLOADS, min_size=8, max_size=8), wheres=st.lists(WHERES, min_size=5, max_size=5)
)
def test_filters_mean_what_the_reference_says(
    store: VectorStore, data: list[dict[str, Any]], wheres: list[dict[str, Any]]
) -> None:
    store.ensure(NAME, SPEC)
    store.upsert(NAME, [a_record(n, at_angle(20 * n), **payload) for n, payload in enumerate(data)])

    for where in wheres:
        expected = [point_id(n) for n, payload in enumerate(data) if matches(where, payload)]
        assert [hit.id for hit in store.search(NAME, query(), limit=8, where=where)] == expected
        assert [record.id for record in store.scan(NAME, where=where)] == sorted(expected)
        assert store.count(NAME, where=where) == len(expected)


@pytest.mark.parametrize(
    "where",
    [
        {"a": None},
        {"a": {"b": 1}},
        {"a": math.nan},
        {"a": Range(gte=math.inf)},
        {'a"b': 1},
        {"": 1},
    ],
)
def test_a_condition_without_a_meaning_is_an_error(
    store: VectorStore, where: dict[str, Any]
) -> None:
    store.ensure(NAME, SPEC)
    store.upsert(NAME, [a_record(1)])

    with pytest.raises(DataError, match="filter field"):
        store.count(NAME, where=where)


def test_authors_platforms_and_ranges_are_combined(store: VectorStore) -> None:
    spec = SPEC.model_copy(update={"keyword_fields": ("author_id", "platform")})
    store.ensure(NAME, spec)
    store.upsert(
        NAME,
        [
            a_record(n, author_id="ab"[n % 2], platform="xyz"[n % 3], year=2000 + n, rating=n / 4)
            for n in range(24)
        ],
    )

    def years(**where: Any) -> list[int]:
        return sorted(payload["year"] - 2000 for payload in payloads(store, where))

    assert years(author_id="a", platform="x") == [0, 6, 12, 18]
    assert years(platform=["x", "z"], year=Range(gte=2020)) == [20, 21, 23]
    assert years(author_id="b", rating=Range(gte=1.25, lte=2.75)) == [5, 7, 9, 11]
    assert years(year=Range(lte=2001)) == [0, 1]
    assert years(author_id="a", year=2001) == []
