"""How every vector store searches for terms: BM25 over the whole collection, exact order, one question or many."""

import json
import math
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from rag_llm_system.domain.errors import DataError, IncompatibleCollection
from rag_llm_system.domain.ports import CollectionSpec, Record, VectorStore
from rag_llm_system.domain.queries import Hit, Range, Terms, Where, matches
from tests.contract.vector_stores.cases import (
    DOUBLE_WARNS,
    EAST,
    NAME,
    READ_ELSEWHERE,
    SPEC,
    WITH_LIVE_IDF,
    a_record,
    open_backend,
    point_id,
)
from tests.contract.vector_stores.conftest import Reopen, opened

pytestmark = DOUBLE_WARNS
WORDS = SPEC.model_copy(update={"terms": "toy words", "keyword_fields": ("author_id", "chunk_id")})
ROOT = Path(__file__).parents[3]
LARGEST = 2**32 - 1
HUNDRED_CHUNKS = [f"chunk {n}" for n in range(0, 500, 5)]
CONDITIONS: list[Where] = [
    {"author_id": "rare"},
    {"author_id": ["rare", "nobody"], "n": Range(gte=300)},
    {"odd": True},  # no index has it
    {"author_id": "common", "odd": False},
    {"chunk_id": HUNDRED_CHUNKS},
    {"chunk_id": HUNDRED_CHUNKS, "window": 0},
    {"author_id": "nobody"},
]

# What another process finds while this one has the store open.
READER = """
import json, sys
from pathlib import Path
from tests.contract.vector_stores.cases import NAME, open_backend
store = open_backend(sys.argv[1], Path(sys.argv[2]))
(hits,) = store.search_terms(NAME, [{1: 1.0}], limit=5)
print(json.dumps([[hit.payload["n"], hit.score] for hit in hits]))
store.close()
"""


def a_text(n: int, terms: Terms, **payload: object) -> Record:
    """A point about whose vector nobody asks."""
    return a_record(n, EAST, n=n, **payload).model_copy(update={"terms": terms})


def numbers(hits: Sequence[Hit]) -> list[int]:
    return [hit.payload["n"] for hit in hits]


def idf(points: int, having: int) -> float:
    return math.log(1 + (points - having + 0.5) / (having + 0.5))


@pytest.fixture(params=WITH_LIVE_IDF)
def live(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VectorStore]:
    with opened(request.param, tmp_path) as one:
        yield one


def test_points_score_by_bm25(store: VectorStore) -> None:
    store.ensure(NAME, WORDS)
    store.upsert(
        NAME,
        [
            a_text(1, {10: 1.5, 20: 1.0}),
            a_text(2, {10: 0.5, LARGEST: 2.0}),
            a_text(3, {10: 1.0}),
            a_text(4, {0: 1.0}),
            a_text(5, {}),  # counts nowhere: it has no terms
        ],
    )

    ((first, second, third),) = store.search_terms(NAME, [{10: 1.0, LARGEST: 2.0, 7: 9.0}], limit=9)

    assert numbers([first, second, third]) == [2, 1, 3]
    assert first.score == pytest.approx(0.5 * idf(4, 3) + 2.0 * 2.0 * idf(4, 1), rel=1e-5)
    assert second.score == pytest.approx(1.5 * idf(4, 3), rel=1e-5)
    assert third.score == pytest.approx(idf(4, 3), rel=1e-5)
    assert numbers(store.search_terms(NAME, [{0: 0.1}], limit=9)[0]) == [4]


def test_equal_scores_are_ordered_by_id_also_where_the_limit_cuts_them(store: VectorStore) -> None:
    store.ensure(NAME, WORDS)
    tied = sorted(range(40), key=point_id)
    store.upsert(NAME, [a_text(n, {1: 1.5, 2: 0.3, 3: 0.7}) for n in range(40)])
    store.upsert(NAME, [a_text(n, {1: 9.0, 9: 1.0}) for n in range(100, 103)])

    three, many = store.search_terms(NAME, [{1: 1.0, 2: 2.0, 9: 1.0}, {3: 1.0}], limit=5)

    assert numbers(three) == [*sorted((100, 101, 102), key=point_id), *tied[:2]]
    assert numbers(many) == tied[:5]


def test_each_query_of_a_batch_has_its_own_answer(store: VectorStore) -> None:
    store.ensure(NAME, WORDS)
    store.upsert(NAME, [a_text(n, {n: 1.0, 50: float(n + 1)}) for n in range(4)])

    found = store.search_terms(
        NAME, [{2: 1.0}, {}, {50: 1.0}, {77: 1.0}, {3: 1.0, 0: 2.0}], limit=3
    )

    assert [numbers(hits) for hits in found] == [[2], [], [3, 2, 1], [], [0, 3]]
    assert store.search_terms(NAME, [], limit=3) == []


@pytest.mark.parametrize("n_queries", [0, 2])
def test_where_there_are_no_terms_nothing_is_found(store: VectorStore, n_queries: int) -> None:
    queries = [{1: 1.0}] * n_queries
    assert store.search_terms(NAME, queries, limit=5) == [[]] * n_queries  # nor a collection

    store.ensure(NAME, SPEC)
    store.upsert(NAME, [a_record(1)])

    assert store.search_terms(NAME, queries, limit=5) == [[]] * n_queries


def test_a_collection_may_hold_terms_and_no_vectors(store: VectorStore) -> None:
    spec = CollectionSpec(terms="toy words")
    store.ensure(NAME, spec)
    records = [Record(id=point_id(n), terms={n: 1.0, 9: 2.0}, payload={"n": n}) for n in range(3)]
    store.upsert(NAME, records)
    store.publish(NAME)

    assert numbers(store.search_terms(NAME, [{1: 1.0}], limit=5)[0]) == [1]
    assert list(store.scan(NAME, with_vectors=True)) == sorted(records, key=lambda one: one.id)
    assert store.collections()[NAME] == spec


def test_a_filter_keeps_the_best_that_meet_it_and_the_weights_of_all(store: VectorStore) -> None:
    random = np.random.default_rng(5)
    records = [
        a_text(
            n,
            {int(term): float(random.random() + 0.1) for term in random.integers(0, 40, 6)},
            author_id="rare" if n % 50 == 0 else "common",
            chunk_id=f"chunk {n}",
            odd=n % 2 == 1,
            window=0,
        )
        for n in range(500)
    ]
    store.ensure(NAME, WORDS)
    store.upsert(NAME, records)
    store.publish(NAME)
    queries: list[Terms] = [{1: 1.0, 2: 1.0, 3: 0.5}, {30: 1.0}]
    everything = store.search_terms(NAME, queries, limit=1_000)

    for where in CONDITIONS:
        found = store.search_terms(NAME, queries, limit=20, where=where)

        kept = {one.id for one in records if matches(where, one.payload)}
        for hits, ranked in zip(found, everything, strict=True):
            expected = [hit for hit in ranked if hit.id in kept][:20]
            assert [hit.id for hit in hits] == [hit.id for hit in expected], where
            scores = [hit.score for hit in expected]
            assert [hit.score for hit in hits] == pytest.approx(scores, rel=1e-5)


def test_what_is_deleted_or_replaced_weighs_no_more(live: VectorStore) -> None:
    live.ensure(NAME, WORDS)
    live.upsert(NAME, [a_text(n, {1: 1.0, 2: 1.0}) for n in range(10)])
    live.upsert(NAME, [a_text(n, {2: 1.0}) for n in range(10, 30)])

    def score() -> float:
        hits = live.search_terms(NAME, [{1: 1.0}], limit=1, where={"n": 9})
        return hits[0][0].score

    assert score() == pytest.approx(idf(30, 10), rel=1e-5)
    live.delete(NAME, [point_id(n) for n in (0, 1, 10)])
    assert score() == pytest.approx(idf(27, 8), rel=1e-5)
    live.upsert(
        NAME, [a_text(2, {5: 1.0}), a_text(3, {}), a_text(11, {1: 3.0}), a_text(40, {1: 1})]
    )
    assert score() == pytest.approx(idf(27, 8), rel=1e-5)
    live.delete_where(NAME, {"n": Range(gte=4, lte=8)})
    assert score() == pytest.approx(idf(22, 3), rel=1e-5)
    live.publish(NAME)
    assert score() == pytest.approx(idf(22, 3), rel=1e-5)
    assert numbers(live.search_terms(NAME, [{1: 1.0}], limit=9)[0])[0] == 11
    live.drop(NAME)
    live.ensure(NAME, WORDS)
    live.upsert(NAME, [a_text(9, {1: 1.0})])
    assert score() == pytest.approx(idf(1, 1), rel=1e-5)


@pytest.mark.parametrize(
    "terms",
    [
        pytest.param({-1: 1.0}, id="a number below 0"),
        pytest.param({2**32: 1.0}, id="a number over 32 bits"),
        pytest.param({1: 0.0}, id="no weight"),
        pytest.param({1: -1.0}, id="a weight below 0"),
        pytest.param({1: math.nan}, id="not a number"),
        pytest.param({1: math.inf}, id="infinity"),
        pytest.param({1: 1e39}, id="infinity in 32 bits"),
        pytest.param({1: 1e-46}, id="nothing in 32 bits"),
    ],
)
def test_terms_that_cannot_be_meant_are_refused_and_nothing_is_written(
    store: VectorStore, terms: Terms
) -> None:
    store.ensure(NAME, WORDS)
    store.upsert(NAME, [a_text(0, {1: 1.0})])

    with pytest.raises(DataError, match=point_id(2)):
        store.upsert(NAME, [a_text(0, {2: 1.0}), a_text(1, {1: 1.0}), a_text(2, {7: 1.0, **terms})])
    with pytest.raises(DataError, match=NAME):
        store.search_terms(NAME, [{1: 1.0}, terms], limit=5)

    assert numbers(store.search_terms(NAME, [{1: 1.0}], limit=5)[0]) == [0]


def test_a_search_without_a_limit_is_refused(store: VectorStore) -> None:
    store.ensure(NAME, WORDS)

    with pytest.raises(DataError, match=NAME):
        store.search_terms(NAME, [{1: 1.0}], limit=0)


def test_terms_for_a_collection_without_them_are_refused(store: VectorStore) -> None:
    store.ensure(NAME, SPEC)

    with pytest.raises(DataError, match=point_id(2)):
        store.upsert(NAME, [a_record(1), a_text(2, {1: 1.0})])

    assert store.count(NAME) == 0


@pytest.mark.parametrize("terms", ["", "other words"])
def test_terms_of_another_kind_are_refused(store: VectorStore, terms: str) -> None:
    store.ensure(NAME, WORDS)

    with pytest.raises(IncompatibleCollection, match="toy words"):
        store.ensure(NAME, WORDS.model_copy(update={"terms": terms}))

    assert store.collections()[NAME] == WORDS


def test_further_fields_leave_the_terms_alone(store: VectorStore) -> None:
    store.ensure(NAME, WORDS)
    store.upsert(NAME, [a_text(n, {n: 1.0, 9: 1.0}, platform="ab"[n % 2]) for n in range(4)])
    store.search_terms(NAME, [{1: 1.0}], limit=5)

    store.ensure(NAME, WORDS.model_copy(update={"keyword_fields": ("platform",)}))

    assert set(
        numbers(store.search_terms(NAME, [{9: 1.0}], limit=5, where={"platform": "b"})[0])
    ) == {
        1,
        3,
    }


def test_hits_have_the_fields_asked_for(store: VectorStore) -> None:
    payload = {"author_id": "ada", "a.b": 1, "a": {"b": 2}, "flag": True, "content": "x" * 999}
    store.ensure(NAME, WORDS)
    store.upsert(NAME, [a_text(1, {1: 1.0}, **payload)])
    question = np.array([EAST], dtype=np.float32)

    def searched(*fields: str) -> list[object]:
        found = [
            store.search(NAME, question[0], limit=3, fields=fields),
            store.search_batch(NAME, question, limit=3, fields=fields)[0],
            store.search(NAME, question[0], limit=3, fields=fields, where={"author_id": "ada"}),
            store.search_terms(NAME, [{1: 1.0}], limit=3, fields=fields)[0],
            store.search_terms(
                NAME, [{1: 1.0}], limit=3, fields=fields, where={"author_id": "ada"}
            )[0],
        ]
        return [dict(hits[0].payload) for hits in found]

    assert searched() == [{}] * 5
    assert searched("flag", "absent", "author_id") == [{"flag": True, "author_id": "ada"}] * 5
    assert searched("a.b") == [{"a.b": 1}] * 5
    assert searched("a") == [{"a": {"b": 2}}] * 5
    (hit,) = store.search_terms(NAME, [{1: 1.0}], limit=1)[0]
    assert hit.payload == {"n": 1, **payload}


def test_scans_give_terms_with_the_vectors_and_what_is_scanned_can_be_written(
    store: VectorStore,
) -> None:
    terms = {0: 0.1, 7: 2.5, LARGEST: 1 / 3}
    store.ensure(NAME, WORDS)
    store.upsert(NAME, [a_text(1, dict(reversed(terms.items()))), a_text(2, {})])

    scanned = {record.payload["n"]: record for record in store.scan(NAME, with_vectors=True)}

    assert scanned[1].terms == {n: float(np.float32(weight)) for n, weight in terms.items()}
    assert scanned[2].terms == {}
    assert [one.terms for one in store.scan(NAME)] == [{}, {}]
    store.drop(NAME)
    store.ensure(NAME, WORDS)
    store.upsert(NAME, list(scanned.values()))
    again = {record.payload["n"]: record for record in store.scan(NAME, with_vectors=True)}
    assert again == scanned


def test_random_collections_are_searched_as_in_memory(live: VectorStore, tmp_path: Path) -> None:
    """Written in many batches, partly replaced and deleted, searched in between."""
    random, reference = np.random.default_rng(11), open_backend("memory", tmp_path)

    def some_terms(count: int) -> Terms:
        found = np.minimum(random.zipf(1.3, size=count), 500) * 8_000_000
        return {int(term): float(random.random() + 0.05) for term in found}

    for store in (live, reference):
        store.ensure(NAME, WORDS)
    for batch in range(6):
        records = [
            a_text(int(n), some_terms(int(random.integers(0, 12))), author_id="abc"[n % 3])
            for n in random.choice(300, size=80, replace=False)
        ]
        queries: list[Terms] = [some_terms(4) for _ in range(5)]
        for store in (live, reference):
            store.upsert(NAME, records)
            store.delete(NAME, [record.id for record in records[: 5 * batch]])
        for where in (None, {"author_id": ["a", "c"]}):
            found = live.search_terms(NAME, queries, limit=25, where=where)
            expected = reference.search_terms(NAME, queries, limit=25, where=where)
            assert [[hit.id for hit in hits] for hits in found] == [
                [hit.id for hit in hits] for hits in expected
            ]
            for hits, wanted in zip(found, expected, strict=True):
                scores = [hit.score for hit in wanted]
                assert [hit.score for hit in hits] == pytest.approx(scores, rel=1e-5)


def test_terms_outlive_the_process(reopen: Reopen) -> None:
    store = reopen()
    store.ensure(NAME, WORDS)
    store.upsert(NAME, [a_text(n, {1: 1.0, 2: n + 1.0}) for n in range(10)])
    store.publish(NAME)
    store.delete(NAME, [point_id(9)])
    store.upsert(NAME, [a_text(20, {3: 1.0}), a_text(8, {3: 2.0}), a_text(0, {})])
    store.publish(NAME)
    queries: list[Terms] = [{2: 1.0}, {3: 1.0}]

    for _ in range(2):
        store = reopen()

        assert store.collections()[NAME] == WORDS
        twos, threes = store.search_terms(NAME, queries, limit=3)
        assert (numbers(twos), numbers(threes)) == ([7, 6, 5], [8, 20])
        assert twos[0].score == pytest.approx(8 * idf(9, 7), rel=1e-5)

    store.upsert(NAME, [a_text(30, {3: 3.0})])
    assert numbers(store.search_terms(NAME, [{3: 1.0}], limit=3)[0]) == [30, 8, 20]


@pytest.mark.parametrize("backend", READ_ELSEWHERE)
def test_another_process_finds_what_was_published(backend: str, tmp_path: Path) -> None:
    store = open_backend(backend, tmp_path / "store")
    store.ensure(NAME, WORDS)
    store.upsert(NAME, [a_text(n, {1: n + 1.0} if n else {}) for n in range(4)])
    store.delete(NAME, [point_id(3)])
    store.publish(NAME)

    other = subprocess.run(
        [sys.executable, "-c", READER, backend, str(tmp_path / "store")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )

    found = json.loads(other.stdout)
    store.close()
    assert found == [[2, pytest.approx(3 * idf(2, 2))], [1, pytest.approx(2 * idf(2, 2))]]
