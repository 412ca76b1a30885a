"""What every vector store keeps: points, their payloads, the collections they are in."""

import math

import pytest

from rag_llm_system.domain.errors import DataError, IncompatibleCollection, UnknownName
from rag_llm_system.domain.ports import CollectionSpec, Record, VectorStore
from rag_llm_system.domain.queries import Range
from tests.contract.vector_stores.cases import (
    DOUBLE_WARNS,
    EAST,
    NAME,
    NORTH,
    SPEC,
    a_record,
    payloads,
    point_id,
    query,
)

pytestmark = DOUBLE_WARNS
WITHOUT_VECTORS = CollectionSpec(keyword_fields=("author_id",))


def test_an_absent_collection_is_empty_to_readers(store: VectorStore) -> None:
    assert store.search(NAME, query(), limit=5) == []
    assert list(store.scan(NAME)) == []
    assert store.count(NAME) == 0
    store.delete(NAME, [point_id(1)])
    store.drop(NAME)


def test_writing_to_an_absent_collection_is_an_error_that_names_it(store: VectorStore) -> None:
    with pytest.raises(UnknownName, match=NAME):
        store.upsert(NAME, [a_record(1)])
    with pytest.raises(UnknownName, match=NAME):
        store.publish(NAME)


def test_upsert_of_the_same_id_replaces_the_whole_point(store: VectorStore) -> None:
    store.ensure(NAME, SPEC)
    assert store.upsert(NAME, [a_record(1, EAST, author_id="a", draft=True)]) == 1
    assert store.upsert(NAME, [a_record(1, NORTH, author_id="b")]) == 1

    assert payloads(store) == [{"author_id": "b"}]
    assert store.count(NAME, where={"author_id": "a"}) == 0
    assert store.count(NAME, where={"draft": True}) == 0
    assert store.search(NAME, query(NORTH), limit=1)[0].score == pytest.approx(1.0, abs=1e-5)


def test_the_last_of_equal_ids_in_one_batch_wins(store: VectorStore) -> None:
    store.ensure(NAME, SPEC)

    written = store.upsert(NAME, [a_record(1, EAST, k=1), a_record(2), a_record(1, NORTH, k=2)])

    assert written == 2
    assert store.count(NAME) == 2
    assert store.search(NAME, query(NORTH), limit=1)[0].payload == {"k": 2}


def test_an_empty_batch_writes_nothing(store: VectorStore) -> None:
    store.ensure(NAME, SPEC)

    assert store.upsert(NAME, []) == 0
    assert store.count(NAME) == 0


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(a_record(1, (1.0, 0.0)), id="too short"),
        pytest.param(a_record(1, ()), id="no vector"),
        pytest.param(a_record(1, (1.0, math.nan, 0.0)), id="NaN in the vector"),
        pytest.param(a_record(1, (1.0, math.inf, 0.0)), id="infinity in the vector"),
        pytest.param(a_record(1, (0.0, 0.0, 0.0)), id="zero vector"),
        pytest.param(a_record(1, x=math.nan), id="NaN in the payload"),
        pytest.param(a_record(1, x=[{"y": math.inf}]), id="infinity deep in the payload"),
        pytest.param(a_record(1, x=b"bytes"), id="bytes in the payload"),
        pytest.param(a_record(1, x=2**64), id="a number over 64 bits"),
        pytest.param(a_record(1, x="\ud800"), id="half a character"),
        pytest.param(a_record(1, _flags={}), id="the reserved key"),
        pytest.param(Record(id="doc-1", vector=EAST, payload={}), id="not a UUID"),
        pytest.param(
            Record(id=point_id(1).upper(), vector=EAST, payload={}), id="UUID in capitals"
        ),
    ],
)
def test_a_bad_record_anywhere_in_a_batch_changes_nothing(store: VectorStore, bad: Record) -> None:
    store.ensure(NAME, SPEC)
    store.upsert(NAME, [a_record(0, k="before")])

    with pytest.raises(DataError, match=bad.id):
        store.upsert(NAME, [a_record(0, k="after"), a_record(2), bad, a_record(3)])

    assert payloads(store) == [{"k": "before"}]


def test_payloads_come_back_with_their_types(store: VectorStore) -> None:
    payload = {
        "text": "naïve 日本語 \n '\"",
        "empty": "",
        "yes": True,
        "no": False,
        "one": 1,
        "one_point_zero": 1.0,
        "big": 2**63 - 1,
        "negative": -(2**63),
        "third": 1 / 3,
        "tiny": 5e-324,
        "nothing": None,
        "tags": ["a", True, 1, 1.5, None, []],
        "nested": {"a": [{"b": False}], "c": {}},
        "a.b": "a dot in the key",
    }
    store.ensure(NAME, SPEC)
    store.upsert(NAME, [Record(id=point_id(1), vector=EAST, payload=payload)])
    store.publish(NAME)

    hit = store.search(NAME, query(), limit=1)[0]

    assert repr(dict(sorted(hit.payload.items()))) == repr(dict(sorted(payload.items())))
    assert payloads(store) == [hit.payload]


def test_a_payload_that_was_handed_out_belongs_to_the_caller(store: VectorStore) -> None:
    store.ensure(NAME, SPEC)
    store.upsert(NAME, [a_record(1, tags=["a"])])

    store.search(NAME, query(), limit=1)[0].payload["tags"].append("b")

    assert payloads(store) == [{"tags": ["a"]}]


def test_deleted_points_are_gone_and_the_others_stay(store: VectorStore) -> None:
    store.ensure(NAME, SPEC)
    store.upsert(NAME, [a_record(n, n=n) for n in range(5)])

    store.delete(NAME, [point_id(1), point_id(3), point_id(99)])
    store.delete(NAME, [])

    assert sorted(payload["n"] for payload in payloads(store)) == [0, 2, 4]
    assert {hit.payload["n"] for hit in store.search(NAME, query(), limit=9)} == {0, 2, 4}
    store.upsert(NAME, [a_record(1, n=1)])
    assert store.count(NAME) == 4


def test_a_dropped_collection_can_be_made_anew_with_another_encoder(store: VectorStore) -> None:
    store.ensure(NAME, SPEC)
    store.upsert(NAME, [a_record(1)])
    store.publish(NAME)

    store.drop(NAME)
    assert store.count(NAME) == 0
    assert NAME not in store.collections()

    other = CollectionSpec(dimension=2, encoder="other")
    store.ensure(NAME, other)
    assert store.collections()[NAME] == other
    assert store.search(NAME, query((1.0, 0.0)), limit=1) == []


def test_ensure_of_what_is_there_keeps_the_points(store: VectorStore) -> None:
    store.ensure(NAME, SPEC)
    store.upsert(NAME, [a_record(1)])

    store.ensure(NAME, SPEC)

    assert store.count(NAME) == 1
    assert store.collections()[NAME] == SPEC


def test_ensure_accepts_further_fields(store: VectorStore) -> None:
    store.ensure(NAME, SPEC)
    store.upsert(NAME, [a_record(1, platform="medium"), a_record(2, platform="github")])
    more = SPEC.model_copy(update={"keyword_fields": ("author_id", "platform")})

    store.ensure(NAME, more)

    assert store.collections()[NAME] == more
    assert store.count(NAME, where={"platform": "github"}) == 1


@pytest.mark.parametrize(
    "other",
    [
        CollectionSpec(dimension=4, encoder="toy"),
        CollectionSpec(dimension=3, encoder="rival"),
        CollectionSpec(),
    ],
)
def test_another_encoder_or_dimension_is_refused_naming_both(
    store: VectorStore, other: CollectionSpec
) -> None:
    store.ensure(NAME, SPEC)
    store.upsert(NAME, [a_record(1)])

    with pytest.raises(IncompatibleCollection, match="toy") as refused:
        store.ensure(NAME, other)

    assert (other.encoder or "no vectors") in str(refused.value)
    assert "poe run-feature-engineering-pipeline" in str(refused.value)
    assert store.collections()[NAME] == SPEC
    assert store.count(NAME) == 1


def test_a_collection_without_vectors_keeps_payloads(store: VectorStore) -> None:
    store.ensure(NAME, WITHOUT_VECTORS)
    store.upsert(NAME, [a_record(n, (), author_id="ab"[n % 2], n=n) for n in range(6)])
    store.publish(NAME)

    assert {p["n"] for p in payloads(store, {"author_id": "b", "n": Range(gte=2)})} == {3, 5}
    assert store.count(NAME, where={"author_id": "a"}) == 3
    store.delete(NAME, [point_id(0)])
    assert store.count(NAME) == 5
    with pytest.raises(DataError, match="no vectors"):
        store.search(NAME, query(), limit=1)
    with pytest.raises(DataError, match="holds 0"):
        store.upsert(NAME, [a_record(7)])


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "-x", "a b", "x" * 129])
def test_a_name_that_is_no_folder_name_is_refused(store: VectorStore, name: str) -> None:
    with pytest.raises(DataError, match="collection name"):
        store.ensure(name, SPEC)


def test_what_meets_a_condition_is_deleted_and_the_others_stay(store: VectorStore) -> None:
    store.ensure(NAME, SPEC)
    store.upsert(NAME, [a_record(n, author_id="ab"[n % 2], year=2000 + n) for n in range(10)])

    store.delete_where(NAME, {"author_id": "a", "year": Range(gte=2004)})

    assert sorted(p["year"] - 2000 for p in payloads(store)) == [0, 1, 2, 3, 5, 7, 9]
    assert store.count(NAME, where={"author_id": "a"}) == 2
    assert len(store.search(NAME, query(), limit=20)) == 7
    store.delete_where(NAME, {"author_id": "nobody"})
    assert store.count(NAME) == 7


def test_deleting_by_no_condition_is_refused(store: VectorStore) -> None:
    store.ensure(NAME, SPEC)
    store.upsert(NAME, [a_record(1)])

    with pytest.raises(DataError, match=NAME):
        store.delete_where(NAME, {})

    assert store.count(NAME) == 1


def test_deleting_by_a_condition_works_without_vectors(store: VectorStore) -> None:
    store.ensure(NAME, WITHOUT_VECTORS)
    store.upsert(NAME, [a_record(n, (), author_id="ab"[n % 2]) for n in range(6)])

    store.delete_where(NAME, {"author_id": ["a", "c"]})

    assert store.count(NAME) == 3


def test_a_vector_of_another_length_is_refused_naming_both(store: VectorStore) -> None:
    store.ensure(NAME, SPEC)

    with pytest.raises(DataError, match=r"has 2 numbers.* holds 3"):
        store.upsert(NAME, [a_record(1, (1.0, 0.0))])
