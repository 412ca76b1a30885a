"""Second names of collections: in every call, switched in one step, under readers that never stop."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from rag_llm_system.domain.errors import DataError, UnknownName
from rag_llm_system.domain.ports import VectorStore
from rag_llm_system.domain.queries import Range
from tests.contract.vector_stores.cases import (
    DOUBLE_WARNS,
    EAST,
    NAME,
    NORTH,
    OTHER,
    PREFIX,
    SPEC,
    a_record,
    payloads,
    point_id,
    query,
)

pytestmark = DOUBLE_WARNS
LIVE, LIVE_POSTS = PREFIX + "live", PREFIX + "live_posts"


def a_collection(store: VectorStore, name: str, *, points: int = 1) -> None:
    """Points that say which collection they are in."""
    store.ensure(name, SPEC)
    store.upsert(name, [a_record(n, home=name) for n in range(points)])
    store.publish(name)


def test_an_alias_stands_for_its_collection_in_every_call(store: VectorStore) -> None:
    a_collection(store, NAME)
    store.point_aliases({LIVE: NAME})

    store.ensure(LIVE, SPEC.model_copy(update={"keyword_fields": ("author_id", "kind")}))
    assert store.upsert(LIVE, [a_record(n, NORTH, kind="new", n=n) for n in range(1, 6)]) == 5
    store.delete(LIVE, [point_id(1)])
    store.delete_where(LIVE, {"n": Range(gte=5)})
    store.publish(LIVE)

    assert store.count(LIVE) == store.count(NAME) == 4
    assert store.count(LIVE, where={"kind": "new"}) == 3
    assert store.search(LIVE, query(), limit=1) == store.search(NAME, query(), limit=1)
    both = store.search_batch(LIVE, query(EAST, NORTH), limit=2)
    assert both == store.search_batch(NAME, query(EAST, NORTH), limit=2)
    assert list(store.scan(LIVE)) == list(store.scan(NAME))
    assert store.collections()[NAME].keyword_fields == ("author_id", "kind")


def test_collections_and_aliases_are_listed_apart(store: VectorStore) -> None:
    a_collection(store, NAME)
    store.point_aliases({LIVE: NAME, LIVE_POSTS: NAME})

    assert [name for name in store.collections() if name.startswith(PREFIX)] == [NAME]
    assert {a: c for a, c in store.aliases().items() if a.startswith(PREFIX)} == {
        LIVE: NAME,
        LIVE_POSTS: NAME,
    }


def test_an_alias_is_pointed_elsewhere_and_taken_away(store: VectorStore) -> None:
    a_collection(store, NAME)
    a_collection(store, OTHER, points=2)
    store.point_aliases({LIVE: NAME})
    assert payloads(store, name=LIVE) == [{"home": NAME}]

    store.point_aliases({LIVE: OTHER})
    assert payloads(store, name=LIVE) == [{"home": OTHER}] * 2

    store.point_aliases({LIVE: None, LIVE_POSTS: None})
    assert store.search(LIVE, query(), limit=1) == []
    assert store.count(LIVE) == 0
    assert LIVE not in store.aliases()
    assert store.count(NAME) == 1
    with pytest.raises(UnknownName, match=LIVE):
        store.upsert(LIVE, [a_record(1)])


def test_pointing_to_what_is_not_there_changes_nothing(store: VectorStore) -> None:
    a_collection(store, NAME)
    a_collection(store, OTHER)
    store.point_aliases({LIVE: NAME})

    with pytest.raises(UnknownName, match="contract_nowhere"):
        store.point_aliases({LIVE: OTHER, LIVE_POSTS: "contract_nowhere"})

    assert store.aliases()[LIVE] == NAME
    assert LIVE_POSTS not in store.aliases()


def test_an_alias_is_no_target_of_an_alias(store: VectorStore) -> None:
    a_collection(store, NAME)
    store.point_aliases({LIVE: NAME})

    with pytest.raises(UnknownName, match=LIVE):
        store.point_aliases({LIVE_POSTS: LIVE})


def test_an_alias_is_not_named_as_a_collection(store: VectorStore) -> None:
    a_collection(store, NAME)
    a_collection(store, OTHER)

    with pytest.raises(DataError, match=NAME):
        store.point_aliases({NAME: OTHER})

    assert payloads(store) == [{"home": NAME}]


def test_a_collection_in_use_under_an_alias_is_not_dropped(store: VectorStore) -> None:
    a_collection(store, NAME)
    store.point_aliases({LIVE: NAME})

    with pytest.raises(DataError, match=LIVE):
        store.drop(NAME)
    store.drop(LIVE)  # not a collection's own name
    assert payloads(store, name=LIVE) == [{"home": NAME}]

    store.point_aliases({LIVE: None})
    store.drop(NAME)
    assert NAME not in store.collections()


def answers_are_whole(store: VectorStore, stop: Event) -> int:
    """Reads until told to stop; how often. Every answer must be complete and from one collection."""
    reads: list[Callable[[], list[object]]] = [
        lambda: [hit.payload["home"] for hit in store.search(LIVE, query(), limit=20)],
        lambda: [record.payload["home"] for record in store.scan(LIVE_POSTS)],
        lambda: [
            hit.payload["home"]
            for hits in store.search_batch(LIVE_POSTS, query(EAST, NORTH), limit=10)
            for hit in hits
        ],
    ]
    rounds = 0
    while not stop.is_set() or rounds == 0:
        for read in reads:
            homes = read()
            assert len(homes) == 20
            assert len(set(homes)) == 1
        assert store.count(LIVE) == 20
        aliases = store.aliases()
        assert aliases[LIVE] == aliases[LIVE_POSTS]  # switched in one step
        rounds += 1
    return rounds


def test_readers_meet_the_old_or_the_new_collection_while_aliases_are_switched(
    store_for_threads: VectorStore,
) -> None:
    store, stop = store_for_threads, Event()
    a_collection(store, PREFIX + "0", points=20)
    store.point_aliases({LIVE: PREFIX + "0", LIVE_POSTS: PREFIX + "0"})

    with ThreadPoolExecutor(3) as threads:
        readers = [threads.submit(answers_are_whole, store, stop) for _ in range(3)]
        try:
            for generation in range(1, 9):
                new = f"{PREFIX}{generation}"
                a_collection(store, new, points=20)
                store.point_aliases({LIVE: new, LIVE_POSTS: new})
                store.drop(f"{PREFIX}{generation - 1}")
        finally:
            stop.set()
        assert all(reader.result() > 0 for reader in readers)
