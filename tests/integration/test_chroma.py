"""Chroma beyond the contract: killed writers, one process at a time, damage, a full disk, filters over many points."""

import errno
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import numpy as np
import pytest

from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.errors import BackendError, StorageFull, StoreCorrupt, StoreLocked
from rag_llm_system.domain.ports import CollectionSpec, Record
from rag_llm_system.domain.queries import Range, Where, matches
from rag_llm_system.infrastructure.vector_stores import chroma_collection
from rag_llm_system.infrastructure.vector_stores.chroma_adapter import ChromaAdapter
from rag_llm_system.infrastructure.vector_stores.chroma_filters import Native
from rag_llm_system.infrastructure.vector_stores.chroma_metadata import keys_of_point
from rag_llm_system.infrastructure.vector_stores.points import Point

NAME = "article_chunks_embedded"
SPEC = CollectionSpec(
    dimension=16, encoder="toy", keyword_fields=("author_id", "tags"), integer_fields=("year",)
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "chroma"


@pytest.fixture
def store(folder: Path) -> Iterator[ChromaAdapter]:
    opened = ChromaAdapter(path=folder)
    yield opened
    opened.close()


def point_id(n: int) -> str:
    return str(uuid5(NAMESPACE_URL, f"point {n}"))


def rows(count: int, seed: int = 0) -> Vectors:
    drawn = np.random.default_rng(seed).normal(size=(count, 16))
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)


def records(count: int) -> list[Record]:
    """Every kind of value in every field, most of them what the field is meant for."""
    odd = {"author_id": 5, "tags": ["t1", 2], "year": [2001, 2**60]}
    return [
        Record(
            id=point_id(n),
            vector=tuple(vector),
            payload={
                "author_id": f"a{n % 100}",
                "tags": ["t1", f"t{n % 7}"],
                "year": 2000 + n % 20,
                "n": n,
                **(odd if n % 50 == 0 else {}),
            },
        )
        for n, vector in enumerate(rows(count).tolist())
    ]


def best_of(points: list[Record], question: Vectors, where: Where) -> list[str]:
    met = [point for point in points if matches(where, point.payload)]
    scores = {point.id: float(np.dot(point.vector, question)) for point in met}
    return sorted(scores, key=lambda one: -scores[one])[:10]


@pytest.mark.parametrize("gathered", [0, 2_000], ids=["by the graph", "one by one"])
@pytest.mark.parametrize(
    "where",
    [
        {"author_id": "a7"},
        {"author_id": [f"a{n}" for n in range(30)]},
        {"tags": "t1"},
        {"tags": [f"t{n}" for n in range(20)]},
        {"year": Range(gte=2001, lte=2003)},
        {"year": 2**60},
        {"author_id": "a3", "year": [2003, 2004]},
        {"n": Range(lte=900), "tags": ["t2", "t3"]},
        {"author_id": 5},
    ],
    ids=str,
)
def test_filtered_searches_find_the_best_of_what_meets_the_filter(
    store: ChromaAdapter, monkeypatch: pytest.MonkeyPatch, gathered: int, where: Where
) -> None:
    monkeypatch.setattr(chroma_collection, "_GATHERED_POINTS", gathered)
    points = records(1_500)
    store.ensure(NAME, SPEC)
    store.upsert(NAME, points)

    questions = rows(10, seed=1)
    found = store.search_batch(NAME, questions, limit=10, where=where)

    wanted = [best_of(points, question, where) for question in questions]
    hits = sum(
        len({hit.id for hit in mine} & set(theirs))
        for mine, theirs in zip(found, wanted, strict=True)
    )
    assert hits >= 0.99 * sum(len(one) for one in wanted)
    assert [len(one) for one in found] == [len(one) for one in wanted]


def test_fields_that_are_added_later_and_taken_away_again_filter_right(
    store: ChromaAdapter,
) -> None:
    plain = CollectionSpec(dimension=16, encoder="toy")
    points = records(1_200)
    store.ensure(NAME, plain)
    store.upsert(NAME, points)

    store.ensure(NAME, SPEC)
    assert store.count(NAME, where={"author_id": "a7"}) == 12
    store.ensure(NAME, plain)
    moved = [
        one.model_copy(update={"payload": {"author_id": "b"}}) for one in points if one.payload["n"] == 7
    ]  # fmt: skip
    store.upsert(NAME, moved)
    store.ensure(NAME, SPEC)

    assert store.count(NAME, where={"author_id": "a7"}) == 11
    assert store.count(NAME, where={"author_id": "b"}) == 1


WRITER = """
import sys
from pathlib import Path
from tests.integration.test_chroma import NAME, SPEC, ChromaAdapter, records
store, points = ChromaAdapter(path=Path(sys.argv[1])), records(3_000)
store.ensure(NAME, SPEC)
print("ready", flush=True)
turn = 0
while True:
    turn += 1
    for start in range(0, len(points), 300):
        store.upsert(NAME, [one.model_copy(update={"payload": {**one.payload, "turn": turn}})
                            for one in points[start:start + 300]])
        print(turn, start + 300, flush=True)
"""


@pytest.mark.parametrize("after", [1, 4, 13])
def test_a_killed_writer_loses_nothing_that_it_was_told_is_stored(folder: Path, after: int) -> None:
    """Killed in the middle of the upsert after so many: old points being replaced never vanish."""
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder)],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout is not None
    with writer:
        lines = [writer.stdout.readline() for _ in range(after + 1)]
        writer.send_signal(signal.SIGKILL)
    turn, written = map(int, lines[-1].split())

    store = ChromaAdapter(path=folder)
    kept = {one.id: one for one in store.scan(NAME, with_vectors=True)}
    hits = {hit.id for hit in store.search(NAME, rows(1)[0], limit=20)}
    store.close()

    for n, point in enumerate(records(3_000)[: 3_000 if turn > 1 else written]):
        assert kept[point.id].payload["turn"] >= (turn if n < written else turn - 1)
        assert kept[point.id].vector == pytest.approx(point.vector, abs=1e-6)
    assert len(hits) == 20
    assert point_id(0) in hits


@pytest.mark.parametrize("cut", ["index_metadata.pickle", "header.bin", "data_level0.bin"])
def test_a_graph_that_a_killed_writer_left_cut_off_is_built_again(
    folder: Path, store: ChromaAdapter, cut: str
) -> None:
    """Chroma writes it in place; one that is cut off is unreadable, or crashes the process."""
    points = records(1_200)
    store.ensure(NAME, SPEC)
    store.upsert(NAME, points)
    store.delete(NAME, [point.id for point in points[1_100:]])
    killed = shutil.copytree(folder, folder.with_name("killed"))
    (graph,) = killed.glob(f"*/{cut}")
    os.truncate(graph, graph.stat().st_size // 2)

    restored = ChromaAdapter(path=killed)

    assert restored.count(NAME) == 1_100
    for point in points[:1_100:100]:
        question = np.array(point.vector, dtype=np.float32)
        assert restored.search(NAME, question, limit=1)[0].id == point.id
    restored.publish(NAME)
    assert list(killed.glob(".writing.*")) == []
    restored.close()


def test_building_again_that_breaks_off_is_begun_again(
    folder: Path, store: ChromaAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.ensure(NAME, SPEC)
    store.upsert(NAME, records(1_200))
    restored = ChromaAdapter(path=shutil.copytree(folder, folder.with_name("killed")))

    def full(self: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(chroma_collection.ChromaCollection, "build_graph", full)
        with pytest.raises(StorageFull):
            restored.count(NAME)
    restored.close()

    hits = restored.search(NAME, rows(1)[0], limit=1_200)
    assert len(hits) == 1_200
    restored.close()


def test_what_was_published_is_not_built_again(folder: Path, store: ChromaAdapter) -> None:
    store.ensure(NAME, SPEC)
    store.upsert(NAME, records(1_200))
    assert list(folder.glob(".writing.*"))

    store.publish(NAME)

    assert not list(folder.glob(".writing.*"))


def test_a_second_opener_is_refused_and_told_who_has_it(folder: Path, store: ChromaAdapter) -> None:
    store.claim()
    other = ChromaAdapter(path=folder)

    with pytest.raises(StoreLocked, match=rf"process {os.getpid()} .*for searching too"):
        other.search(NAME, rows(1)[0], limit=1)

    store.close()
    assert other.count(NAME) == 0
    other.close()


def test_it_can_be_opened_again_and_again_in_one_process(folder: Path) -> None:
    for n in range(4):
        store = ChromaAdapter(path=folder)
        store.ensure(NAME, SPEC)
        store.upsert(NAME, records(n + 1)[n:])
        assert store.count(NAME) == n + 1
        store.close()
        store.close()


def test_nothing_of_a_dropped_collection_is_found_in_its_successor(store: ChromaAdapter) -> None:
    """Lists in Chroma's metadata would be: it leaves them behind and gives their numbers to new points."""
    store.ensure(NAME, SPEC)
    store.upsert(NAME, records(100))
    store.drop(NAME)
    store.ensure(NAME, SPEC)
    plain = [Record(id=one.id, vector=one.vector, payload={"n": 1}) for one in records(100)]
    store.upsert(NAME, plain)

    assert store.count(NAME, where={"tags": "t1"}) == 0
    assert store.count(NAME, where={"author_id": "a7"}) == 0


def test_terms_are_right_after_a_write_that_broke_off(
    store: ChromaAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their index is in memory: half a write must not leave it behind what is stored."""
    with_terms = [one.model_copy(update={"terms": {7: 1.0}}) for one in records(6)]
    store.ensure(NAME, SPEC.model_copy(update={"terms": "toy words"}))
    store.upsert(NAME, with_terms[:1])

    def found() -> set[str]:
        return {hit.id for hit in store.search_terms(NAME, [{7: 1.0}], limit=9)[0]}

    def failing(point: Point) -> Native:
        if point.id == point_id(4):
            raise OSError(errno.ENOSPC, "No space left")
        return keys_of_point(point)

    assert found() == {point_id(0)}
    monkeypatch.setattr(chroma_collection, "_BATCH_POINTS", 2)
    monkeypatch.setattr(chroma_collection, "keys_of_point", failing)
    with pytest.raises(StorageFull):
        store.upsert(NAME, with_terms[1:])

    assert found() == {record.id for record in store.scan(NAME)} == set(map(point_id, range(3)))


def test_dropping_frees_the_disk(folder: Path, store: ChromaAdapter) -> None:
    store.ensure(NAME, SPEC)
    store.upsert(NAME, records(1_500))
    assert list(folder.glob("*/data_level0.bin"))

    store.drop(NAME)

    assert not list(folder.glob("*/data_level0.bin"))


def test_a_damaged_database_is_named_with_the_way_out(folder: Path, store: ChromaAdapter) -> None:
    store.ensure(NAME, SPEC)
    store.close()
    with (folder / "chroma.sqlite3").open("r+b") as file:
        file.write(b"garbage " * 4_000)

    with pytest.raises(StoreCorrupt, match="move it away and run `poe"):
        store.count(NAME)


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "chroma").write_text("not a folder", encoding="utf-8")

    with pytest.raises(BackendError, match=str(tmp_path)):
        ChromaAdapter(path=tmp_path / "chroma").count(NAME)


def test_nothing_is_asked_of_the_network(
    store: ChromaAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> None:
        pytest.fail("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setenv("CHROMA_SERVER_HOST", "chroma.invalid")
    monkeypatch.setenv("CHROMA_API_IMPL", "chromadb.api.fastapi.FastAPI")

    store.ensure(NAME, SPEC)
    store.upsert(NAME, records(10))

    assert len(store.search(NAME, rows(1)[0], limit=3)) == 3


def test_a_copy_of_a_closed_folder_is_a_backup(folder: Path, store: ChromaAdapter) -> None:
    store.ensure(NAME, SPEC)
    store.upsert(NAME, records(20))
    store.publish(NAME)
    store.close()

    copy = shutil.copytree(folder, folder.with_name("copy"))

    other = ChromaAdapter(path=copy)
    assert other.count(NAME) == 20
    assert other.search(NAME, rows(1)[0], limit=1)[0].id == point_id(0)
    other.close()
