"""What every vector store must do, run on each of them."""

import math
import os
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from qdrant_client import QdrantClient

from rag_llm_system.domain.chunks import Chunk, Vectors
from rag_llm_system.domain.errors import DataError, IncompatibleCollection, UnknownName
from rag_llm_system.domain.ports import CollectionSpec, Record, VectorStore
from rag_llm_system.domain.queries import Range, Where, matches
from rag_llm_system.infrastructure.loading import load
from rag_llm_system.infrastructure.vector_stores import VECTOR_STORES

NAME = "article_chunks_embedded"
SPEC = CollectionSpec(
    dimension=3, encoder="toy", keyword_fields=("author_id",), integer_fields=("year",)
)
WITHOUT_VECTORS = CollectionSpec(keyword_fields=("author_id",))
EAST, NORTH = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)

# the server's double says what it does not imitate
pytestmark = [
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect in the local Qdrant"),
    pytest.mark.filterwarnings("ignore:Local mode performs exact:UserWarning"),
]


def open_server(cls: Callable[..., VectorStore]) -> VectorStore:
    url = os.environ.get("TEST_QDRANT_URL")
    return cls(url=url) if url else cls(client=QdrantClient(":memory:"))


@pytest.fixture(params=sorted(VECTOR_STORES))
def store(request: pytest.FixtureRequest) -> Iterator[VectorStore]:
    """Each backend of the table; the server is a real one where TEST_QDRANT_URL names it, else its client's double."""
    cls = load("vector store", request.param, VECTOR_STORES)
    openers: dict[str, Callable[[], VectorStore]] = {
        "memory": cls,
        "qdrant-edge": lambda: cls(path=request.getfixturevalue("tmp_path") / "qdrant"),
        "qdrant-server": lambda: open_server(cls),
    }
    opened = openers[request.param]()
    yield opened
    opened.drop(NAME)
    opened.close()


def point_id(n: int) -> str:
    return str(uuid5(NAMESPACE_URL, f"point {n}"))


def at_angle(degrees: float) -> tuple[float, float, float]:
    """A vector whose cosine to EAST is that of the angle."""
    return math.cos(math.radians(degrees)), math.sin(math.radians(degrees)), 0.0


def a_record(n: int, vector: tuple[float, ...] = EAST, /, **payload: Any) -> Record:
    return Record(id=point_id(n), vector=vector, payload=payload)


def query(vector: tuple[float, ...] = EAST) -> Vectors:
    return np.array(vector, dtype=np.float32)


def payloads(store: VectorStore, where: Where | None = None) -> list[Mapping[str, Any]]:
    return [record.payload for record in store.scan(NAME, where=where)]


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


def test_a_selective_filter_still_gives_as_many_hits_as_asked_for(store: VectorStore) -> None:
    """Filtering what an unfiltered search found would leave nothing here."""
    store.ensure(NAME, SPEC)
    store.upsert(NAME, [a_record(n, at_angle(n / 10), author_id="common") for n in range(600)])
    store.upsert(NAME, [a_record(n, at_angle(170), author_id="rare") for n in range(600, 610)])

    hits = store.search(NAME, query(), limit=10, where={"author_id": "rare"})

    assert [hit.payload["author_id"] for hit in hits] == ["rare"] * 10


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


def test_scan_gives_every_point_once_ordered_by_id_over_many_pages(store: VectorStore) -> None:
    store.ensure(NAME, SPEC)
    ids = [point_id(n) for n in range(1_300)]
    store.upsert(NAME, [a_record(n) for n in range(1_300)])

    scanned = list(store.scan(NAME))

    assert [record.id for record in scanned] == sorted(ids)
    assert {record.vector for record in scanned} == {()}
    assert store.count(NAME) == 1_300


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


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "-x", "a b", "x" * 129])
def test_a_name_that_is_no_folder_name_is_refused(store: VectorStore, name: str) -> None:
    with pytest.raises(DataError, match="collection name"):
        store.ensure(name, SPEC)
