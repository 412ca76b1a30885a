"""Many threads on one vector store: no errors, and never half a point."""

import math
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest

from rag_llm_system.domain.ports import VectorStore
from rag_llm_system.domain.queries import Hit
from tests.contract.vector_stores.cases import (
    DOUBLE_WARNS,
    NAME,
    SPEC,
    a_record,
    at_angle,
    query,
)

pytestmark = DOUBLE_WARNS
SPEC_WITH_TERMS = SPEC.model_copy(update={"terms": "toy words"})
STILL, MOVING = range(30), range(30, 60)


def at(angle: int, n: int, author: str) -> Any:
    """A point whose payload says where its vector points."""
    point = a_record(n, at_angle(angle), author_id=author, angle=angle, n=n)
    return point.model_copy(update={"terms": {1: 1.0 + angle, 100 + n: 1.0}})


def assert_whole(hits: Iterable[Hit]) -> None:
    for hit in hits:
        assert hit.score == pytest.approx(math.cos(math.radians(hit.payload["angle"])), abs=1e-5)


def reads_are_whole(store: VectorStore, stop: Event) -> int:
    rounds = 0
    while not stop.is_set() or rounds == 0:
        hits = store.search(NAME, query(), limit=60)
        assert_whole(hits)
        (still,) = store.search_batch(NAME, query()[None], limit=60, where={"author_id": "still"})
        assert_whole(still)
        assert [hit.payload["n"] for hit in still] == list(STILL)
        (still,) = store.search_terms(NAME, [{1: 1.0}], limit=60, where={"author_id": "still"})
        assert [hit.payload["n"] for hit in still] == list(reversed(STILL))
        (one,) = store.search_terms(NAME, [{100 + MOVING[0]: 1.0}], limit=60)
        assert len(one) <= 1
        assert {record.payload["n"] for record in store.scan(NAME)} >= set(STILL)
        assert store.count(NAME, where={"author_id": "still"}) == len(STILL)
        rounds += 1
    return rounds


def test_threads_search_while_one_writes(store_for_threads: VectorStore) -> None:
    store = store_for_threads
    stop = Event()
    store.ensure(NAME, SPEC_WITH_TERMS)
    store.upsert(NAME, [at(n, n, "still") for n in STILL])
    store.publish(NAME)

    with ThreadPoolExecutor(4) as threads:
        readers = [threads.submit(reads_are_whole, store, stop) for _ in range(4)]
        try:
            for turn in range(1, 16):
                store.upsert(NAME, [at(90 + turn, n, "moving") for n in MOVING])
                store.delete_where(NAME, {"n": list(MOVING)[turn % 7 :: 7]})
                if turn % 5 == 0:
                    store.publish(NAME)
        finally:
            stop.set()
        assert all(reader.result() > 0 for reader in readers)

    assert {hit.payload["angle"] for hit in store.search(NAME, query(), limit=60)} == {
        *STILL,
        105,
    }


def test_threads_write_side_by_side(store_for_threads: VectorStore) -> None:
    store = store_for_threads
    store.ensure(NAME, SPEC_WITH_TERMS)

    def write(worker: int) -> int:
        mine = range(worker * 40, worker * 40 + 40)
        return sum(store.upsert(NAME, [at(n % 90, n, str(worker))]) for n in mine)

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(write, range(4))) == [40] * 4

    store.publish(NAME)
    assert store.count(NAME) == 160
    assert [store.count(NAME, where={"author_id": str(worker)}) for worker in range(4)] == [40] * 4
