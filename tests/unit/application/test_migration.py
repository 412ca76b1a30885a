"""A migration leaves the target as the source is, whatever was there before and wherever an earlier run died."""

import math
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_llm_system.application.migration import CollectionReport, chosen_points, migrate
from rag_llm_system.domain.errors import (
    ConfigurationError,
    DataError,
    IncompatibleCollection,
    UnknownName,
)
from rag_llm_system.domain.ports import CollectionSpec, Record, VectorStore
from rag_llm_system.domain.queries import Terms
from rag_llm_system.infrastructure.vector_stores.memory import MemoryVectorStore

CHUNKS, ALIAS, CLEANED = "article_chunks__1a2b3c4d", "article_chunks", "cleaned_articles"
SPEC = CollectionSpec(dimension=2, encoder="toy@1", keyword_fields=("author_id",))
NO_VECTORS = CollectionSpec(keyword_fields=("author_id",))


def point_id(n: int) -> str:
    return str(uuid5(NAMESPACE_URL, f"point {n}"))


def a_record(n: int, *, degrees: float = 30.0, **payload: Any) -> Record:
    angle = math.radians(degrees)
    return Record(
        id=point_id(n), vector=(math.cos(angle), math.sin(angle)), payload={"n": n, **payload}
    )


def a_store(*records: Record, name: str = CHUNKS, spec: CollectionSpec = SPEC) -> MemoryVectorStore:
    store = MemoryVectorStore()
    store.ensure(name, spec)
    store.upsert(name, records)
    return store


def points(store: VectorStore, name: str = CHUNKS) -> list[Record]:
    return list(store.scan(name, with_vectors=True))


class Dying(MemoryVectorStore):
    """Ends with an error at its n-th write, as if killed there."""

    def __init__(self) -> None:
        super().__init__()
        self.writes_left = math.inf

    def upsert(self, name: str, records: Sequence[Record]) -> int:
        self.writes_left -= 1
        if self.writes_left < 0:
            raise KeyboardInterrupt
        return super().upsert(name, records)


def test_everything_travels_points_vectors_payloads_specs_and_aliases() -> None:
    source, target = a_store(a_record(1, tags=["a", "b"]), a_record(2)), MemoryVectorStore()
    source.ensure(CLEANED, NO_VECTORS)
    source.upsert(CLEANED, [Record(id=point_id(9), payload={"content": "text", "draft": True})])
    source.point_aliases({ALIAS: CHUNKS})

    report = migrate(source, target)

    assert points(target) == points(source)
    assert points(target, CLEANED) == points(source, CLEANED)
    assert target.collections() == source.collections()
    assert target.aliases() == report.aliases == {ALIAS: CHUNKS}
    assert [(one.name, one.points, one.written) for one in report.collections] == [
        (CHUNKS, 2, 2),
        (CLEANED, 1, 1),
    ]


def test_only_what_differs_is_written_and_what_is_extra_is_removed() -> None:
    source = a_store(*(a_record(n) for n in range(6)))
    equal, edited, turned = a_record(0), a_record(1, title="old"), a_record(2, degrees=31)
    target = a_store(equal, edited, turned, a_record(100), a_record(101))

    report = migrate(source, target)

    assert points(target) == points(source)
    assert report.collections == [
        CollectionReport(name=CHUNKS, points=6, written=5, unchanged=1, removed=2)
    ]


def test_a_payload_that_only_python_calls_equal_is_written() -> None:
    source, target = a_store(a_record(1, flag=True)), a_store(a_record(1, flag=1))

    migrate(source, target)

    assert points(target)[0].payload["flag"] is True


def test_terms_travel_and_what_differs_in_them_is_written() -> None:
    spec = SPEC.model_copy(update={"terms": "toy words"})

    def with_terms(*terms: Terms) -> MemoryVectorStore:
        records = [a_record(n).model_copy(update={"terms": t}) for n, t in enumerate(terms)]
        return a_store(*records, spec=spec)

    source = with_terms({1: 0.1, 2: 3.0}, {1: 1.0}, {1: 1.0}, {5: 1.0}, {})
    target = with_terms({1: 0.1, 2: 3.0}, {1: 1.1}, {2: 1.0}, {}, {5: 1.0})

    (report,) = migrate(source, target).collections

    assert points(target) == points(source)
    assert (report.written, report.unchanged) == (4, 1)
    ((hit,),) = target.search_terms(CHUNKS, [{5: 1.0}], limit=9)
    assert hit.payload == {"n": 3}


def test_a_second_migration_writes_nothing() -> None:
    source, target = a_store(*(a_record(n) for n in range(5))), Dying()
    migrate(source, target)
    target.writes_left = 0

    (report,) = migrate(source, target).collections

    assert (report.points, report.written, report.unchanged, report.removed) == (5, 0, 5, 0)


@pytest.mark.parametrize("writes", range(5))
def test_a_migration_killed_at_any_write_is_completed_by_the_next(writes: int) -> None:
    source, target = a_store(*(a_record(n) for n in range(10))), Dying()
    source.point_aliases({ALIAS: CHUNKS})
    target.writes_left = writes
    with pytest.raises(KeyboardInterrupt):
        migrate(source, target, batch=2)
    assert target.aliases() == {}
    target.writes_left = math.inf

    (report,) = migrate(source, target, batch=2).collections

    assert points(target) == points(source)
    assert target.aliases() == {ALIAS: CHUNKS}
    assert (report.written, report.unchanged) == (10 - 2 * writes, 2 * writes)


@given(
    ours=st.dictionaries(st.integers(0, 30), st.sampled_from("ab")),
    theirs=st.dictionaries(st.integers(0, 30), st.sampled_from("ab")),
    batch=st.integers(1, 7),
)
def test_the_target_becomes_the_source_whatever_was_there(
    ours: dict[int, str], theirs: dict[int, str], batch: int
) -> None:
    source = a_store(*(a_record(n, text=text) for n, text in ours.items()))
    target = a_store(*(a_record(n, text=text) for n, text in theirs.items()))
    told: list[int] = []

    (report,) = migrate(source, target, batch=batch, on_points=told.append).collections

    assert points(target) == points(source)
    assert report.unchanged == len(ours.items() & theirs.items())
    assert report.removed == len(theirs.keys() - ours.keys())
    assert sum(told) == 2 * len(ours)
    assert max(told) <= batch


def test_chosen_collections_travel_alone_with_their_aliases() -> None:
    source, target = a_store(a_record(1)), a_store(a_record(7), name="other")
    source.ensure(CLEANED, NO_VECTORS)
    source.point_aliases({ALIAS: CHUNKS, "texts": CLEANED})

    migrate(source, target, names=[ALIAS])

    assert sorted(target.collections()) == [CHUNKS, "other"]
    assert target.aliases() == {ALIAS: CHUNKS}
    assert target.count("other") == 1
    assert (chosen_points(source), chosen_points(source, [CLEANED])) == (1, 0)


def test_an_empty_collection_travels_too() -> None:
    target = MemoryVectorStore()
    migrate(a_store(), target)
    assert target.collections() == {CHUNKS: SPEC}


def test_a_source_that_changes_under_way_is_noticed_and_no_alias_moves() -> None:
    class Growing(MemoryVectorStore):
        def scan(self, name: str, **options: Any) -> Iterator[Record]:
            yield from super().scan(name, **options)
            super().upsert(name, [a_record(77)])

    source, target = Growing(), MemoryVectorStore()
    source.ensure(CHUNKS, SPEC)
    source.upsert(CHUNKS, [a_record(1)])
    source.point_aliases({ALIAS: CHUNKS})

    with pytest.raises(DataError, match=r"1 points of 2 differ after the copy.*run it again"):
        migrate(source, target)
    assert target.aliases() == {}


def test_a_store_is_not_migrated_to_itself() -> None:
    store = a_store(a_record(1))
    with pytest.raises(ConfigurationError, match="source and target are the same"):
        migrate(store, store)


def test_an_empty_store_is_nothing_to_migrate() -> None:
    with pytest.raises(ConfigurationError, match="nothing to migrate"):
        migrate(MemoryVectorStore(), MemoryVectorStore())


def test_an_absent_collection_is_named_with_those_that_there_are() -> None:
    source = a_store(a_record(1))
    source.point_aliases({ALIAS: CHUNKS})
    with pytest.raises(UnknownName, match=rf"unknown collection 'posts'; known: {ALIAS}, {CHUNKS}"):
        migrate(source, MemoryVectorStore(), names=["posts"])


@pytest.mark.parametrize(
    ("spec", "made_with"),
    [
        (SPEC.model_copy(update={"encoder": "toy@2"}), r"toy@2 \(2 dimensions\)"),
        (SPEC.model_copy(update={"terms": "words"}), r"toy@1 \(2 dimensions, words\)"),
        (NO_VECTORS, "no vectors"),
    ],
)
def test_another_encoders_collection_is_refused_before_anything_is_written(
    spec: CollectionSpec, made_with: str
) -> None:
    source, target = a_store(a_record(1)), MemoryVectorStore()
    source.ensure("another", SPEC)
    target.ensure(CHUNKS, spec)

    with pytest.raises(IncompatibleCollection, match=rf"{made_with}, not toy@1 \(2 dimensions\)"):
        migrate(source, target)
    assert sorted(target.collections()) == [CHUNKS]


def test_a_collection_whose_name_is_an_alias_there_would_overwrite_another() -> None:
    target = a_store(a_record(5), name="other")
    target.point_aliases({CHUNKS: "other"})
    with pytest.raises(
        ConfigurationError, match=f"{CHUNKS!r} is an alias of 'other' in the target"
    ):
        migrate(a_store(a_record(1)), target)
    assert [record.payload["n"] for record in target.scan("other")] == [5]


def test_an_alias_whose_name_is_a_collection_there_is_refused() -> None:
    source = a_store(a_record(1))
    source.point_aliases({ALIAS: CHUNKS})
    with pytest.raises(ConfigurationError, match=f"alias {ALIAS!r} is a collection in the target"):
        migrate(source, a_store(name=ALIAS))
