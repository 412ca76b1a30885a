"""What Chroma is asked and what is left to Python: decided by the kinds of the values, without an engine."""

from typing import Any

import pytest

from rag_llm_system.domain.ports import CollectionSpec
from rag_llm_system.domain.queries import Range, Where
from rag_llm_system.infrastructure.vector_stores.chroma_filters import Plan, keys_of, plan

SPEC = CollectionSpec(dimension=3, keyword_fields=("tag",), integer_fields=("year",))
A_MEMBER = 'has:["tag", "a"]'
OTHER_TAG, OTHER_YEAR = {"other:tag": "any"}, {"other:year": "any"}


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({}, {}),
        ({"tag": None, "year": []}, {}),
        ({"tag": "", "year": 7}, {"text:tag": "", "number:year": 7.0}),
        ({"tag": ["a", "b"]}, {A_MEMBER: 1, 'has:["tag", "b"]': 1, "other:tag": "list"}),
        ({"tag": ["a", 1]}, OTHER_TAG),
        ({"tag": 1}, OTHER_TAG),
        ({"tag": {"a": 1}}, OTHER_TAG),
        ({"year": 2**53 - 1}, {"number:year": float(2**53 - 1)}),
        ({"year": 2**53}, OTHER_YEAR),
        ({"year": True}, OTHER_YEAR),
        ({"year": [1, 2]}, OTHER_YEAR),
        ({"year": "2001"}, OTHER_YEAR),
        ({"free": "not indexed"}, {}),
    ],
)
def test_values_are_kept_where_chroma_compares_them_as_the_reference_does(
    payload: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert keys_of(payload, SPEC) == expected


def test_chroma_tells_texts_and_python_the_values_of_other_kinds() -> None:
    texts = {"$or": [{"text:tag": {"$in": ["a"]}}, {A_MEMBER: 1}]}

    assert plan({"tag": "a"}, SPEC) == Plan(certain=texts, doubtful=OTHER_TAG)


def test_of_many_texts_the_lists_are_left_to_python() -> None:
    many = sorted(f"t{n}" for n in range(100))

    assert plan({"tag": many}, SPEC) == Plan(
        certain={"text:tag": {"$in": many}}, doubtful={"other:tag": {"$in": ["any", "list"]}}
    )


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (3, {"number:year": {"$in": [3.0]}}),
        ([3, 4.5], {"number:year": {"$in": [3.0, 4.5]}}),
        (Range(lte=5), {"number:year": {"$lte": 5.0}}),
        (Range(gte=1, lte=5), {"$and": [{"number:year": {"$lte": 5.0}}, {"number:year": {"$gte": 1.0}}]}),
        (Range(), {"number:year": {"$gte": -float(2**53)}}),
    ],
)  # fmt: skip
def test_chroma_tells_numbers(condition: Any, expected: dict[str, Any]) -> None:
    assert plan({"year": condition}, SPEC) == Plan(certain=expected, doubtful=OTHER_YEAR)


def test_several_conditions_are_told_together() -> None:
    planned = plan({"year": 3, "tag": [f"t{n}" for n in range(9)]}, SPEC)

    assert planned.certain is not None
    assert [*planned.certain] == ["$and"]
    assert planned.doubtful == {"$or": [OTHER_YEAR, {"other:tag": {"$in": ["any", "list"]}}]}


@pytest.mark.parametrize(
    "where",
    [
        {"free": "a"},
        {"tag": 1},
        {"tag": ["a", 1]},
        {"tag": []},
        {"year": True},
        {"year": 2**53 + 1},
        {"year": Range(gte=2.0**60)},
    ],
)
def test_what_chroma_cannot_tell_is_decided_for_all_points(where: Where) -> None:
    assert plan(where, SPEC) == Plan(certain=None, doubtful=None)


def test_what_chroma_can_tell_narrows_what_python_has_to_decide() -> None:
    assert plan({"year": 3, "free": "a"}, SPEC) == Plan(
        certain=None, doubtful={"$or": [{"number:year": {"$in": [3.0]}}, OTHER_YEAR]}
    )
