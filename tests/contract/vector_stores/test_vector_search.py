"""How every vector store searches: cosine similarities, exact order, one question or many."""

import math
from uuid import NAMESPACE_URL, uuid5

import numpy as np
import pytest

from rag_llm_system.domain.chunks import Chunk
from rag_llm_system.domain.errors import DataError
from rag_llm_system.domain.ports import Record, VectorStore
from rag_llm_system.domain.queries import Range, Where
from tests.contract.vector_stores.cases import (
    DOUBLE_WARNS,
    EAST,
    NAME,
    NORTH,
    SPEC,
    a_record,
    at_angle,
    point_id,
    query,
    random_rows,
)

pytestmark = DOUBLE_WARNS


def test_search_gives_cosine_similarities_best_first(store: VectorStore) -> None:
    store.ensure(NAME, SPEC)
    # vectors of other lengths than 1: only the direction counts
    angles = {n: 10.0 * n for n in range(9)}
    store.upsert(
        NAME, [a_record(n, tuple((n + 1) * x for x in at_angle(a)), n=n) for n, a in angles.items()]
    )

    hits = store.search(NAME, 5 * query(), limit=4)

    assert [hit.payload["n"] for hit in hits] == [0, 1, 2, 3]
    assert [hit.id for hit in hits] == [point_id(n) for n in range(4)]
    assert [hit.score for hit in hits] == pytest.approx(
        [math.cos(math.radians(angles[n])) for n in range(4)], abs=1e-5
    )


def test_opposite_vectors_score_minus_one(store: VectorStore) -> None:
    store.ensure(NAME, SPEC)
    store.upsert(NAME, [a_record(1, (-1.0, 0.0, 0.0))])

    assert store.search(NAME, query(), limit=1)[0].score == pytest.approx(-1.0, abs=1e-5)


def test_equal_scores_are_ordered_by_id_also_where_the_limit_cuts_them(store: VectorStore) -> None:
    store.ensure(NAME, SPEC)
    tied = sorted(point_id(n) for n in range(40))
    store.upsert(NAME, [a_record(n) for n in range(40)])
    store.upsert(NAME, [a_record(n, NORTH) for n in range(100, 120)])

    assert [hit.id for hit in store.search(NAME, query(), limit=3)] == tied[:3]
    assert [hit.id for hit in store.search(NAME, query(), limit=40)] == tied


def test_a_limit_over_the_size_of_the_collection_gives_all_of_it(store: VectorStore) -> None:
    store.ensure(NAME, SPEC)
    store.upsert(NAME, [a_record(n) for n in range(3)])

    assert len(store.search(NAME, query(), limit=1_000)) == 3


@pytest.mark.parametrize(
    ("vector", "limit"),
    [
        ((1.0, 0.0), 5),
        ((0.0, 0.0, 0.0), 5),
        ((1.0, math.nan, 0.0), 5),
        (EAST, 0),
    ],
)
def test_a_search_that_cannot_be_meant_is_an_error(
    store: VectorStore, vector: tuple[float, ...], limit: int
) -> None:
    store.ensure(NAME, SPEC)
    store.upsert(NAME, [a_record(1)])

    with pytest.raises(DataError, match=NAME):
        store.search(NAME, query(vector), limit=limit)


def test_the_same_text_in_two_documents_is_two_points(store: VectorStore) -> None:
    """An id derived from the text alone would hide it from one of the authors."""

    def a_chunk(author: str) -> Chunk:
        return Chunk(
            document_id=str(uuid5(NAMESPACE_URL, author)),
            category="articles",
            platform="medium",
            link=f"https://example.org/{author}",
            author_id=author,
            author_full_name=author,
            ordinal=0,
            total_chunks=1,
            start=0,
            end=9,
            content="same text",
            fingerprint="",
        )

    chunks = [a_chunk("ada"), a_chunk("bob")]
    store.ensure(NAME, SPEC)
    store.upsert(NAME, [Record(id=c.id, vector=EAST, payload=c.payload()) for c in chunks])

    assert store.count(NAME) == 2
    for chunk in chunks:
        hits = store.search(NAME, query(), limit=5, where={"author_id": chunk.author_id})
        assert [(hit.id, hit.payload) for hit in hits] == [(chunk.id, chunk.payload())]


@pytest.mark.parametrize(
    "where", [None, {"author_id": "a"}, {"year": Range(gte=2003, lte=2005)}, {"author_id": "z"}]
)
def test_a_batch_gives_what_its_rows_give_one_by_one(
    store: VectorStore, where: Where | None
) -> None:
    store.ensure(NAME, SPEC)
    store.upsert(
        NAME,
        [a_record(n, at_angle(7 * n), author_id="ab"[n % 2], year=2000 + n) for n in range(12)],
    )
    questions = query(EAST, NORTH, at_angle(33), EAST)

    found = store.search_batch(NAME, questions, limit=4, where=where)

    one_by_one = [store.search(NAME, row, limit=4, where=where) for row in questions]
    assert [[hit.id for hit in hits] for hits in found] == [
        [hit.id for hit in hits] for hits in one_by_one
    ]
    for hits, expected in zip(found, one_by_one, strict=True):
        assert [hit.payload for hit in hits] == [hit.payload for hit in expected]
        assert [hit.score for hit in hits] == pytest.approx([h.score for h in expected], abs=1e-6)


def test_equal_scores_are_ordered_by_id_in_a_batch_too(store: VectorStore) -> None:
    store.ensure(NAME, SPEC)
    tied = sorted(point_id(n) for n in range(40))
    store.upsert(NAME, [a_record(n) for n in range(40)])
    store.upsert(NAME, [a_record(n, NORTH) for n in range(100, 103)])

    east, north = store.search_batch(NAME, query(EAST, NORTH), limit=5)

    assert [hit.id for hit in east] == tied[:5]
    assert [hit.id for hit in north[:3]] == sorted(point_id(n) for n in range(100, 103))
    assert [hit.id for hit in north[3:]] == tied[:2]


def test_a_batch_on_an_absent_collection_finds_nothing_for_each_row(store: VectorStore) -> None:
    assert store.search_batch(NAME, query(EAST, NORTH), limit=5) == [[], []]


def test_an_empty_batch_has_no_answers(store: VectorStore) -> None:
    store.ensure(NAME, SPEC)
    store.upsert(NAME, [a_record(1)])

    assert store.search_batch(NAME, np.empty((0, 3), dtype=np.float32), limit=5) == []


@pytest.mark.parametrize(
    ("vectors", "limit"),
    [
        (query(EAST), 5),
        (query((1.0, 0.0), (0.0, 1.0)), 5),
        (query(EAST, (0.0, 0.0, 0.0)), 5),
        (query(EAST, (1.0, math.nan, 0.0)), 5),
        (query(EAST, NORTH), 0),
    ],
)
def test_a_batch_that_cannot_be_meant_is_an_error(
    store: VectorStore, vectors: np.ndarray, limit: int
) -> None:
    store.ensure(NAME, SPEC)
    store.upsert(NAME, [a_record(1)])

    with pytest.raises(DataError, match=NAME):
        store.search_batch(NAME, vectors, limit=limit)


def test_a_question_of_another_length_is_refused_naming_both(store: VectorStore) -> None:
    store.ensure(NAME, SPEC)

    with pytest.raises(DataError, match=r"\(2,\), not \(3,\)"):
        store.search(NAME, query((1.0, 0.0)), limit=1)


def test_a_filter_that_keeps_one_percent_finds_the_ten_best_of_it(store: VectorStore) -> None:
    rows, questions = random_rows(2_000, 32, seed=1), random_rows(5, 32, seed=2)
    rare = set(range(0, 2_000, 100))
    store.ensure(NAME, SPEC.model_copy(update={"dimension": 32}))
    store.upsert(
        NAME,
        [
            a_record(n, tuple(row), author_id="rare" if n in rare else "common", n=n)
            for n, row in enumerate(rows.tolist())
        ],
    )
    store.publish(NAME)

    found = store.search_batch(NAME, questions, limit=10, where={"author_id": "rare"})
    everywhere = store.search_batch(NAME, questions, limit=10)

    for question, filtered, unfiltered in zip(questions, found, everywhere, strict=True):
        ranked = np.argsort(-(rows @ question)).tolist()
        assert [hit.payload["n"] for hit in filtered] == [n for n in ranked if n in rare][:10]
        assert [hit.payload["n"] for hit in unfiltered] == ranked[:10]
