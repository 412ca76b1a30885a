"""How every vector store is read from one end to the other, and on from where it was left."""

import numpy as np
import pytest

from rag_llm_system.domain.ports import CollectionSpec, VectorStore
from tests.contract.vector_stores.cases import (
    DOUBLE_WARNS,
    NAME,
    SPEC,
    a_record,
    point_id,
    random_rows,
)

pytestmark = DOUBLE_WARNS


def test_scan_gives_every_point_once_ordered_by_id_over_many_pages(store: VectorStore) -> None:
    store.ensure(NAME, SPEC)
    ids = [point_id(n) for n in range(1_300)]
    store.upsert(NAME, [a_record(n) for n in range(1_300)])

    scanned = list(store.scan(NAME))

    assert [record.id for record in scanned] == sorted(ids)
    assert {record.vector for record in scanned} == {()}
    assert store.count(NAME) == 1_300


def test_a_scan_goes_on_after_any_id(store: VectorStore) -> None:
    store.ensure(NAME, SPEC)
    ids = sorted(point_id(n) for n in range(20))
    store.upsert(NAME, [a_record(n, author_id="ab"[n % 2]) for n in range(20)])
    absent = point_id(99)

    assert [one.id for one in store.scan(NAME, after=ids[6])] == ids[7:]
    assert [one.id for one in store.scan(NAME, after=absent)] == [i for i in ids if i > absent]
    assert list(store.scan(NAME, after=ids[-1])) == []
    wanted = {"author_id": "a"}
    assert [one.id for one in store.scan(NAME, where=wanted, after=ids[6])] == [
        one.id for one in store.scan(NAME, where=wanted) if one.id > ids[6]
    ]


def test_a_scan_in_pieces_gives_every_point_once(store: VectorStore) -> None:
    store.ensure(NAME, SPEC)
    store.upsert(NAME, [a_record(n, n=n) for n in range(1_100)])

    seen: list[str] = []
    for piece in (1, 7, 511, 512, 1_000):
        reading = store.scan(NAME, after=seen[-1] if seen else "")
        seen += [one.id for one, _ in zip(reading, range(piece), strict=False)]

    assert seen == sorted(point_id(n) for n in range(1_100))


def test_a_scan_gives_the_fields_asked_for(store: VectorStore) -> None:
    payload = {"author_id": "ada", "a.b": 1, "a": {"b": 2}, "flag": True, "n": 3}
    store.ensure(NAME, SPEC)
    store.upsert(NAME, [a_record(1, **payload)])

    def scanned(*fields: str) -> object:
        return next(iter(store.scan(NAME, fields=fields))).payload

    assert scanned() == {}
    assert scanned("n") == {"n": 3}
    assert scanned("flag", "author_id", "absent") == {"author_id": "ada", "flag": True}
    assert scanned("a.b") == {"a.b": 1}
    assert scanned("a") == {"a": {"b": 2}}
    assert next(iter(store.scan(NAME))).payload == payload


def test_a_scan_gives_vectors_of_length_one(store: VectorStore) -> None:
    rows = random_rows(700, 24, seed=3)
    store.ensure(NAME, SPEC.model_copy(update={"dimension": 24}))
    store.upsert(
        NAME, [a_record(n, tuple(row), n=n) for n, row in enumerate((rows[:600]).tolist())]
    )
    store.upsert(
        NAME, [a_record(n, tuple(row), n=n) for n, row in enumerate((9 * rows).tolist()) if n > 599]
    )
    store.publish(NAME)

    scanned = list(store.scan(NAME, with_vectors=True, fields=["n"]))

    assert len(scanned) == 700
    stored = np.array([one.vector for one in scanned])
    written = rows[[one.payload["n"] for one in scanned]]
    assert np.abs(stored - written).max() < 1e-6


def test_points_without_vectors_are_scanned_with_empty_ones(store: VectorStore) -> None:
    store.ensure(NAME, CollectionSpec())
    store.upsert(NAME, [a_record(1, (), n=1)])

    assert list(store.scan(NAME, with_vectors=True)) == [a_record(1, (), n=1)]


def test_what_was_scanned_can_be_written_elsewhere(store: VectorStore) -> None:
    store.ensure(NAME, SPEC)
    store.upsert(NAME, [a_record(n, (1.0, n, 2.0), n=n, ok=n % 2 == 0) for n in range(9)])
    scanned = list(store.scan(NAME, with_vectors=True))

    store.drop(NAME)
    store.ensure(NAME, SPEC)
    store.upsert(NAME, scanned)

    again = list(store.scan(NAME, with_vectors=True))
    assert [(one.id, one.payload) for one in again] == [(one.id, one.payload) for one in scanned]
    for one, other in zip(again, scanned, strict=True):
        assert one.vector == pytest.approx(other.vector, abs=1e-6)
