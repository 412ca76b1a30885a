"""The index of terms in memory: after any writes it finds what counting everything anew finds."""

import math
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_llm_system.domain.queries import Terms
from rag_llm_system.infrastructure.vector_stores.term_index import (
    TermIndex,
    packed,
    settled,
    unpacked,
)

NUMBERS = st.sampled_from([0, 1, 2, 3, 2**31, 2**32 - 1])
WEIGHTS = st.sampled_from([0.25, 0.5, 1.0, 3.0])  # exact in 32 bits
TEXTS = st.dictionaries(NUMBERS, WEIGHTS, max_size=5)
KEYS = st.sampled_from("abcdefghij")
WRITES = st.lists(
    st.dictionaries(KEYS, TEXTS, max_size=6) | st.sets(KEYS, max_size=4), max_size=12
)  # points to put, or keys to remove


def brute_force(points: Mapping[str, Terms], query: Terms) -> dict[str, float]:
    scores: dict[str, float] = {}
    for number, weight in query.items():
        having = [key for key, terms in points.items() if number in terms]
        idf = math.log(1 + (len(points) - len(having) + 0.5) / (len(having) + 0.5))
        for key in having:
            scores[key] = scores.get(key, 0.0) + weight * points[key][number] * idf
    return scores


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(writes=WRITES, query=TEXTS, count=st.integers(1, 5), among=st.none() | st.sets(KEYS))
def test_it_finds_what_counting_anew_finds(
    writes: list[dict[str, dict[int, float]] | set[str]],
    query: dict[int, float],
    count: int,
    among: set[str] | None,
) -> None:
    index: TermIndex[str] = TermIndex()
    points: dict[str, Terms] = {}
    for write in writes:
        if isinstance(write, dict):
            index.put({key: packed(terms) for key, terms in write.items()})
            points |= write
        else:
            index.remove(write)
            points = {key: terms for key, terms in points.items() if key not in write}
    points = {key: terms for key, terms in points.items() if terms}

    found = index.best(query, count, among)

    scores = brute_force(points, query)
    allowed = {key: scores[key] for key in scores if among is None or key in among}
    assert index.keys() == points.keys()
    assert len(index) == len(points)
    assert len(found) >= min(count, len(allowed))
    assert [score for _, score in found] == sorted((s for _, s in found), reverse=True)
    assert dict(found) == pytest.approx({key: allowed[key] for key, _ in found})
    assert all(
        score <= found[-1][1] + 1e-9 for key, score in allowed.items() if key not in dict(found)
    )


def test_all_that_tie_with_the_last_are_found() -> None:
    index: TermIndex[int] = TermIndex()
    index.put({n: packed({1: 1.0, 2: 0.1}) for n in range(7)})
    index.put({7: packed({1: 0.5}), 8: packed({1: 9.0})})

    assert [key for key, _ in index.best({1: 1.0, 2: 1.0}, 2)] == [8, *range(7)]


def test_equal_points_score_the_same_whenever_they_were_put() -> None:
    index: TermIndex[str] = TermIndex()
    terms = packed({number: 0.1 * (number + 1) for number in range(9)})
    for n in range(40):
        index.put({f"{n:02}": terms, f"other {n}": packed({n: 1.0})})

    found = index.best({8: 0.3, 1: 0.7, 4: 1.1}, 40)

    assert len({score for key, score in found if not key.startswith("other")}) == 1


def test_what_is_settled_is_ordered_by_score_and_key() -> None:
    assert settled([("c", 2.0), ("b", 1.0), ("a", 1.0), ("d", 1.0)], 3) == [
        ("c", 2.0),
        ("a", 1.0),
        ("b", 1.0),
    ]


def test_terms_are_packed_and_unpacked() -> None:
    assert unpacked(packed({0: 0.5, 2**32 - 1: 3.0})) == {0: 0.5, 2**32 - 1: 3.0}
    assert len(packed({0: 0.5, 7: 3.0})) == 16
    assert unpacked(packed({})) == {}
