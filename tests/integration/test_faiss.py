"""FAISS between processes and with a graph: one writer, readers beside it, kills, damage, deletions."""

import os
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from functools import cache
from pathlib import Path
from threading import Event
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import numpy as np
import pytest

from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.errors import IncompatibleCollection, StoreCorrupt, StoreLocked
from rag_llm_system.domain.ports import CollectionSpec, Record
from rag_llm_system.domain.queries import Range, Where, matches
from rag_llm_system.infrastructure.vector_stores.faiss_adapter import FAISSAdapter

KILLS = int(os.environ.get("TEST_KILLS", "4"))  # the closing measurements use 30
NAME = "article_chunks_embedded"
DIMENSION, CLUSTERS = 16, 12
SPEC = CollectionSpec(
    dimension=DIMENSION,
    encoder="toy",
    terms="toy words",
    keyword_fields=("author_id",),
    integer_fields=("n",),
)
GRAPH_ABOVE = 500
BATCH = 40

# What another process does: each program gets the store as `store` and says how far it is on its output.
PRELUDE = """
import sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from test_faiss import BATCH, GRAPH_ABOVE, NAME, SPEC, points, vectors
from rag_llm_system.infrastructure.vector_stores.faiss_adapter import FAISSAdapter
from rag_llm_system.domain.errors import StoreLocked
store = FAISSAdapter(Path({path!r}), exact_below=GRAPH_ABOVE)
def say(text):
    print(text, flush=True)
"""
TRY_TO_WRITE = """
try:
    store.upsert(NAME, points(0, 1))
except StoreLocked as error:
    say(error)
"""
SEARCH_WHEN_ASKED = """
for line in sys.stdin:
    hits = store.search(NAME, vectors(0, 1)[0], limit=2_000)
    say(f"{len(hits)} {hits[0].payload['n']}")
"""
# Every batch is written, written again with another version, and every third one deleted; then all is published.
WRITE_FOREVER = """
store.ensure(NAME, SPEC)
for batch in range(1_000_000):
    start = batch % 40 * BATCH
    store.upsert(NAME, points(start, start + BATCH, version=batch))
    say(f"written {batch}")
    if batch % 3 == 2:
        store.delete(NAME, [one.id for one in points(start, start + BATCH)])
    if batch % 10 == 9:
        store.publish(NAME)
"""

Opener = Callable[[], FAISSAdapter]


@cache
def all_vectors() -> Vectors:
    """Point n lies in cluster n % CLUSTERS."""
    rng = np.random.default_rng(7)
    centres, rows = rng.normal(size=(CLUSTERS, DIMENSION)), rng.normal(size=(8_000, DIMENSION))
    rows += 5 * centres[np.arange(len(rows)) % CLUSTERS]
    unit: Vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


def vectors(start: int, stop: int) -> Vectors:
    return all_vectors()[start:stop]


def payload_of(n: int) -> dict[str, Any]:
    return {"author_id": f"author {n % CLUSTERS}", "n": n, "odd": n % 2 == 1}


def points(start: int, stop: int, **payload: Any) -> list[Record]:
    return [
        Record(
            id=str(uuid5(NAMESPACE_URL, f"point {n}")),
            vector=tuple(vector),
            terms={n % CLUSTERS: 1.0, 1_000 + n: 1.0},
            payload={**payload_of(n), **payload},
        )
        for n, vector in zip(range(start, stop), vectors(start, stop).tolist(), strict=True)
    ]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data dir?" / "faiss"


@pytest.fixture
def opened(path: Path) -> Iterator[Opener]:
    """Opens further stores on the path; a store holds its own locks, as a process does."""
    with ExitStack() as stores:

        def another() -> FAISSAdapter:
            store = FAISSAdapter(path, exact_below=GRAPH_ABOVE)
            stores.callback(store.close)
            return store

        yield another


@contextmanager
def running(path: Path, program: str) -> Iterator[subprocess.Popen[str]]:
    prelude = PRELUDE.format(tests=str(Path(__file__).parent), path=str(path))
    process = subprocess.Popen(
        [sys.executable, "-c", prelude + program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


def answer(process: subprocess.Popen[str]) -> str:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return line(process)


def a_collection(store: FAISSAdapter, size: int) -> None:
    """Published, so with a graph where it has more than GRAPH_ABOVE points."""
    store.ensure(NAME, SPEC)
    for start in range(0, size, 1_000):
        store.upsert(NAME, points(start, min(size, start + 1_000)))
    store.publish(NAME)


def expected(there: list[int], query: Vectors, limit: int, where: Where | None = None) -> set[int]:
    """The nearest of these points, found by comparing all."""
    kept = [n for n in there if matches(where, payload_of(n))]
    scores = all_vectors()[kept] @ query
    return {kept[place] for place in np.argsort(-scores)[:limit]}


def found(store: FAISSAdapter, query: Vectors, limit: int, where: Where | None = None) -> list[int]:
    return [hit.payload["n"] for hit in store.search(NAME, query, limit=limit, where=where)]


def recall(
    store: FAISSAdapter, there: list[int], queries: Vectors, where: Where | None = None
) -> float:
    shares = [
        len(expected(there, query, 10, where) & set(found(store, query, 10, where))) / 10
        for query in queries
    ]
    return float(np.mean(shares))


def files(path: Path) -> dict[Path, tuple[int, int]]:
    return {
        file: (file.stat().st_size, file.stat().st_mtime_ns) for file in sorted(path.rglob("*"))
    }


def test_a_second_writer_is_refused_by_name_while_a_reader_searches(
    path: Path, opened: Opener
) -> None:
    writer = opened()
    a_collection(writer, 10)

    with running(path, TRY_TO_WRITE) as second, running(path, SEARCH_WHEN_ASKED) as reader:
        refusal = line(second)
        assert answer(reader) == "10 0"

    assert f"is being written by process {os.getpid()} on" in refusal
    assert writer.upsert(NAME, points(10, 11)) == 1


def test_another_process_sees_each_write_and_each_graph(path: Path, opened: Opener) -> None:
    writer = opened()
    a_collection(writer, 10)
    with running(path, SEARCH_WHEN_ASKED) as reader:
        assert answer(reader) == "10 0"

        writer.upsert(NAME, points(10, 700))
        assert answer(reader) == "700 0"

        writer.publish(NAME)
        writer.delete(NAME, [points(0, 1)[0].id])
        size, first = answer(reader).split()
        assert (size, int(first) % CLUSTERS) == ("699", 0)

        writer.delete_where(NAME, {"n": Range(gte=100)})
        writer.publish(NAME)
        assert answer(reader).split()[0] == "99"

        writer.drop(NAME)
        a_collection(writer, 3)
        assert answer(reader) == "3 0"


def test_reading_creates_and_changes_no_file(path: Path, opened: Opener) -> None:
    reader = opened()
    assert found(reader, vectors(0, 1)[0], 1) == []
    assert dict(reader.collections()) == {}
    assert not path.exists()

    writer = opened()
    a_collection(writer, 600)
    writer.close()
    before = files(path)
    assert {file.name for file in before} == {NAME, "points.db", "index.faiss", "writer.lock"}

    assert len(found(reader, vectors(0, 1)[0], 5)) == 5
    assert reader.count(NAME, where={"odd": True}) == 300
    reader.ensure(NAME, SPEC)
    reader.publish(NAME)
    with pytest.raises(IncompatibleCollection):
        reader.ensure(NAME, CollectionSpec(dimension=4, encoder="other"))
    assert files(path) == before


def test_a_reader_that_was_there_first_does_not_keep_a_writer_out(opened: Opener) -> None:
    first = opened()
    a_collection(first, 10)
    first.close()
    reader, writer = opened(), opened()
    assert reader.count(NAME) == 10

    writer.upsert(NAME, points(10, 20))

    assert reader.count(NAME) == 20
    writer.close()
    assert opened().count(NAME) == 20


def test_a_kill_leaves_all_of_a_write_or_nothing(path: Path, opened: Opener) -> None:
    moments = random.Random(20261121)  # noqa: S311 - a fixed choice
    for _ in range(KILLS):
        with running(path, WRITE_FOREVER) as process:
            last = [line(process) for _ in range(moments.randint(1, 25))][-1]
            time.sleep(moments.random() / 50)  # anywhere in what comes next
        written = int(last.split()[1])

        store = opened()
        records = list(store.scan(NAME, with_vectors=True))
        batches: dict[int, list[Record]] = {}
        for record in records:
            batches.setdefault(record.payload["n"] // BATCH, []).append(record)
        assert {len(batch) for batch in batches.values()} <= {BATCH}
        assert all(len({one.payload["version"] for one in b}) == 1 for b in batches.values())
        newest = batches.get(written % 40, [])
        assert written % 3 == 2 or newest[0].payload["version"] >= written

        assert_consistent(store, records)
        store.publish(NAME)  # with what the killed one left undone
        assert_consistent(store, records)
        store.close()


def assert_consistent(store: FAISSAdapter, records: list[Record]) -> None:
    """Searches and filters give the stored points and no others."""
    there = {record.payload["n"] for record in records}
    assert set(found(store, vectors(0, 1)[0], 2_000)) == there
    assert store.count(NAME) == len(there)
    for author in range(CLUSTERS):
        mine = {n for n in there if n % CLUSTERS == author}
        where = {"author_id": f"author {author}"}
        assert store.count(NAME, where=where) == len(mine)
        assert set(found(store, vectors(0, 1)[0], 2_000, where)) == mine
        (with_term,) = store.search_terms(NAME, [{author: 1.0}], limit=2_000)
        assert {hit.payload["n"] for hit in with_term} == mine
    stored = np.array([record.vector for record in records], dtype=np.float32)
    written = all_vectors()[[record.payload["n"] for record in records]]
    assert np.abs(stored - written).max() < 1e-6


def test_what_a_killed_making_or_dropping_left_is_removed(path: Path, opened: Opener) -> None:
    (path / ".partial-0123abcd").mkdir(parents=True)
    (path / ".partial-0123abcd" / "points.db").touch()
    assert dict(opened().collections()) == {}

    a_collection(opened(), 10)

    assert list(path.glob(".partial-*")) == []


def test_the_graph_finds_what_comparing_all_finds(opened: Opener) -> None:
    store = opened()
    a_collection(store, 3_000)
    queries, there = vectors(5_000, 5_040), list(range(3_000))

    assert recall(store, there, queries) >= 0.97
    batch = store.search_batch(NAME, queries, limit=10)
    assert [[hit.payload["n"] for hit in hits] for hits in batch] == [
        found(store, query, 10) for query in queries
    ]


@pytest.mark.parametrize(
    ("where", "wanted"),
    [
        pytest.param({"n": Range(gte=2_970)}, 1.0, id="1 %"),
        pytest.param({"author_id": "author 3"}, 1.0, id="a cluster, near few of the questions"),
        pytest.param({"n": Range(lte=2_000)}, 0.99, id="two thirds"),
        pytest.param({"odd": True}, 0.99, id="half of them, by a field without terms"),
        pytest.param(
            {"author_id": [f"author {n}" for n in range(6)]}, 0.99, id="half of the clusters"
        ),
        pytest.param({"n": Range(gte=2_900), "odd": False}, 1.0, id="both kinds of field"),
    ],
)
def test_filtered_searches_give_as_many_as_asked_for_and_the_best(
    opened: Opener, where: Where, wanted: float
) -> None:
    store = opened()
    a_collection(store, 3_000)

    assert recall(store, list(range(3_000)), vectors(5_000, 5_020), where) >= wanted


def test_deleted_and_replaced_points_are_right_at_once(opened: Opener) -> None:
    """A whole cluster goes: in the graph, all that is near its centre is dead."""
    store = opened()
    a_collection(store, 3_000)
    queries = vectors(5_004, 5_005)
    assert {n % CLUSTERS for n in found(store, queries[0], 10)} == {5_004 % CLUSTERS}

    store.delete_where(NAME, {"author_id": f"author {5_004 % CLUSTERS}"})
    there = [n for n in range(3_000) if n % CLUSTERS != 5_004 % CLUSTERS]
    assert recall(store, there, queries) == 1.0

    moved = [one.model_copy(update={"vector": tuple(queries[0].tolist())}) for one in points(1, 4)]
    store.upsert(NAME, moved)
    assert sorted(found(store, queries[0], 3)) == [1, 2, 3]
    store.publish(NAME)
    assert sorted(found(store, queries[0], 3)) == [1, 2, 3]


def test_the_graph_follows_growth_decay_and_shrinking(path: Path, opened: Opener) -> None:
    store, index = opened(), path / NAME / "index.faiss"
    a_collection(store, GRAPH_ABOVE)
    assert not index.exists()

    sizes = []
    for start, stop in [(500, 600), (600, 650), (650, 2_000)]:
        store.upsert(NAME, points(start, stop))
        store.publish(NAME)
        sizes.append(index.stat().st_size)
    assert sizes[0] == sizes[1] < sizes[2]  # a few more are compared one by one

    store.delete_where(NAME, {"n": Range(lte=999)})
    store.publish(NAME)
    assert index.stat().st_size < sizes[2]
    assert recall(store, list(range(1_000, 2_000)), vectors(5_000, 5_010)) >= 0.97

    store.delete_where(NAME, {"n": Range(lte=1_900)})
    store.publish(NAME)
    assert not index.exists()
    assert len(found(store, vectors(0, 1)[0], 100)) == 99


def test_equal_vectors_are_ordered_by_id_in_a_graph_too(opened: Opener) -> None:
    store = opened()
    a_collection(store, 600)
    query = vectors(5_000, 5_001)[0]
    tied = [
        one.model_copy(update={"vector": tuple(query.tolist())}) for one in points(6_000, 6_400)
    ]
    store.upsert(NAME, tied)
    store.publish(NAME)

    hits = store.search(NAME, query, limit=50)

    assert [hit.id for hit in hits] == sorted(one.id for one in tied)[:50]


def remove(index: Path, before: bytes) -> None:
    index.unlink()


def cut(index: Path, before: bytes) -> None:
    index.write_bytes(index.read_bytes()[:1_000])


def flip(index: Path, before: bytes) -> None:
    content = bytearray(index.read_bytes())
    content[len(content) // 2] ^= 1
    index.write_bytes(content)


def bring_back_an_older_one(index: Path, before: bytes) -> None:
    index.write_bytes(before)


@pytest.mark.parametrize("damage", [remove, cut, flip, bring_back_an_older_one])
def test_a_graph_that_is_not_what_was_written_is_not_used_and_made_anew(
    path: Path, opened: Opener, damage: Callable[[Path, bytes], None]
) -> None:
    store, index = opened(), path / NAME / "index.faiss"
    a_collection(store, 600)
    before = index.read_bytes()
    store.upsert(NAME, points(600, 1_000))
    store.publish(NAME)
    store.close()
    damage(index, before)
    queries, there = vectors(5_000, 5_010), list(range(1_000))

    assert recall(opened(), there, queries) == 1.0
    writer = opened()
    writer.publish(NAME)

    assert recall(writer, there, queries) >= 0.97
    content = index.read_bytes()
    writer.publish(NAME)
    assert index.read_bytes() == content
    assert recall(opened(), there, queries) >= 0.97


@pytest.mark.parametrize("content", [b"not a database" * 1_000, b""])
def test_a_damaged_database_is_refused_and_the_way_out_works(
    path: Path, opened: Opener, content: bytes
) -> None:
    store = opened()
    a_collection(store, 100)
    store.close()
    database = path / NAME / "points.db"
    database.write_bytes(content)

    with pytest.raises(StoreCorrupt) as corrupt:
        found(opened(), vectors(0, 1)[0], 1)
    assert f"move the folder {path / NAME} away" in str(corrupt.value)

    (path / NAME).rename(path.parent / "damaged")
    a_collection(opened(), 10)
    assert opened().count(NAME) == 10


def test_a_database_made_before_points_had_terms_is_used_on_without(
    path: Path, opened: Opener
) -> None:
    spec = SPEC.model_copy(update={"terms": ""})
    without = [one.model_copy(update={"terms": {}}) for one in points(0, 20)]
    store = opened()
    store.ensure(NAME, spec)
    store.upsert(NAME, without)
    store.close()
    with closing(sqlite3.connect(path / NAME / "points.db")) as database:
        database.execute("DROP TABLE point_terms")

    store = opened()
    store.upsert(NAME, without[:5])
    store.delete(NAME, [one.id for one in without[3:8]])
    store.delete_where(NAME, {"n": 10})

    assert {record.payload["n"] for record in store.scan(NAME, with_vectors=True)} == {
        *range(3),
        *range(8, 20),
    } - {10}
    assert store.search_terms(NAME, [{1: 1.0}], limit=5) == [[]]
    with pytest.raises(IncompatibleCollection, match="toy words"):
        store.ensure(NAME, SPEC)


def test_terms_that_another_store_writes_are_found_at_once(opened: Opener) -> None:
    writer, reader = opened(), opened()
    a_collection(writer, 60)

    def numbers(term: int) -> list[int]:
        return sorted(
            hit.payload["n"] for hit in reader.search_terms(NAME, [{term: 1.0}], limit=9)[0]
        )

    assert numbers(3) == [3, 15, 27, 39, 51]
    writer.upsert(NAME, points(60, 64))
    writer.delete(NAME, [one.id for one in points(15, 16)])
    writer.upsert(NAME, [one.model_copy(update={"terms": {3: 1.0}}) for one in points(4, 5)])
    assert (numbers(3), numbers(1_015), numbers(1_004)) == ([3, 4, 27, 39, 51, 63], [], [])
    writer.drop(NAME)
    a_collection(writer, 4)
    assert numbers(3) == [3]


def test_a_scan_goes_on_when_its_collection_is_dropped(opened: Opener) -> None:
    writer, reader = opened(), opened()
    a_collection(writer, 1_500)
    scan = reader.scan(NAME)
    first = next(scan)

    writer.drop(NAME)
    a_collection(writer, 3)

    assert len([first, *scan]) == 1_500
    assert reader.count(NAME) == 3


def test_a_field_that_is_indexed_again_finds_what_was_written_meanwhile(opened: Opener) -> None:
    store = opened()
    a_collection(store, 30)
    store.ensure(NAME, SPEC.model_copy(update={"keyword_fields": ()}))
    store.upsert(NAME, points(0, 5, author_id="new"))
    assert store.count(NAME, where={"author_id": "new"}) == 5

    store.ensure(NAME, SPEC)

    assert store.count(NAME, where={"author_id": "new"}) == 5
    assert store.count(NAME, where={"author_id": "author 0"}) == 2


def test_a_writer_in_another_process_is_named(path: Path, opened: Opener) -> None:
    with running(path, WRITE_FOREVER) as other:
        line(other)
        with pytest.raises(StoreLocked, match=f"process {other.pid} on .* -c "):
            opened().upsert(NAME, points(0, 1))


def searched(store: FAISSAdapter, started: Event, stop: Event) -> list[tuple[float, float]]:
    """Searches until told to stop; when each began and ended."""
    query, times = vectors(5_000, 5_001)[0], list[tuple[float, float]]()
    store.search(NAME, query, limit=10)
    started.set()
    while not stop.is_set():
        begin = time.perf_counter()
        assert len(store.search(NAME, query, limit=10)) == 10
        times.append((begin, time.perf_counter()))
    return times


def test_a_reader_is_not_held_up_while_a_graph_is_built(opened: Opener) -> None:
    store, started, stop = opened(), Event(), Event()
    store.ensure(NAME, SPEC)
    rows = np.random.default_rng(1).normal(size=(8_000, DIMENSION)).tolist()
    for start in range(0, len(rows), 2_000):
        batch = [
            Record(id=str(uuid5(NAMESPACE_URL, f"point {n}")), vector=rows[n], payload={"n": n})
            for n in range(start, start + 2_000)
        ]
        store.upsert(NAME, batch)

    with ThreadPoolExecutor(1) as thread:
        reader = thread.submit(searched, store, started, stop)
        assert started.wait(30)
        begin = time.perf_counter()
        try:
            store.publish(NAME)
        finally:
            end = time.perf_counter()
            stop.set()

    # hundreds on a quiet machine; one that is held up is in a single search all the time
    within = [one for one in reader.result() if begin < one[0] and one[1] < end]
    assert len(within) >= 3
