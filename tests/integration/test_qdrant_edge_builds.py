"""Qdrant Edge builds its graph in a process of its own: readers go on, and any death leaves a whole generation."""

import math
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import numpy as np
import psutil
import pytest

from rag_llm_system.domain.errors import BackendError, StoreCorrupt
from rag_llm_system.infrastructure.vector_stores.edge_shard import Shard
from rag_llm_system.infrastructure.vector_stores.qdrant_edge_adapter import QdrantEdgeAdapter
from tests.integration.edge_stores import (
    EAST,
    NAME,
    WIDE,
    Opener,
    a_published_collection,
    eventually,
    kill,
    line,
    numbers,
    records,
    running,
    stores_on,
    wide_records,
    wide_vectors,
)

# Publishes 50 points, then 50 more, and stops behind one of the calls that the second publication makes.
STOP_AT = """
from rag_llm_system.infrastructure.vector_stores import edge_writer, generations, working_folders
from rag_llm_system.infrastructure.vector_stores.edge_shard import Shard
a_published_collection(store, 50)
store.upsert(NAME, records(50, 100))
original = {point}
def stop(*args, **kwargs):
    result = original(*args, **kwargs)
    say("stopped")
    sys.stdin.read()
    return result
{point} = stop
store.publish(NAME)
"""
PUBLISH = """
say("publishing")
store.publish(NAME)
say("published")
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "qdrant"


@pytest.fixture
def opened(path: Path) -> Iterator[Opener]:
    with stores_on(path) as another:
        yield another


@pytest.fixture(scope="module")
def unpublished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store whose collection is too large for exact search, and not published."""
    path = tmp_path_factory.mktemp("wide") / "qdrant"
    store = QdrantEdgeAdapter(path)
    store.ensure(NAME, WIDE)
    store.upsert(NAME, wide_records(wide_vectors()))
    store.close()
    return path


def engines(of: int | None = None) -> list[psutil.Process]:
    return [
        child
        for child in psutil.Process(of).children(recursive=True)
        if any("edge_worker" in argument for argument in child.cmdline())
    ]


def builders() -> list[psutil.Process]:
    """Engines that work on what is to become the next working shard."""
    return [engine for engine in engines() if engine.cwd().endswith(".partial")]


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Event, Event]]:
    """Every build says that it has begun, and goes on when it may."""
    begun, may_go_on, build = Event(), Event(), Shard.optimize

    def held_build(shard: Shard) -> None:
        begun.set()
        assert may_go_on.wait(60)
        build(shard)

    monkeypatch.setattr(Shard, "optimize", held_build)
    yield begun, may_go_on
    may_go_on.set()


def test_readers_are_answered_and_writers_wait_while_a_publication_is_built(
    opened: Opener, held: tuple[Event, Event]
) -> None:
    begun, may_go_on = held
    writer, reader = opened(), opened()
    may_go_on.set()
    a_published_collection(writer)
    assert numbers(reader) == set(range(10))
    writer.upsert(NAME, records(10, 20))
    begun.clear()
    may_go_on.clear()

    with ThreadPoolExecutor(2) as threads:
        publishing = threads.submit(writer.publish, NAME)
        assert begun.wait(60)
        waiting = threads.submit(writer.upsert, NAME, records(20, 30))
        for _ in range(20):
            assert numbers(writer) == set(range(20))
            assert len(writer.search(NAME, EAST, limit=100)) == 20
            assert numbers(reader) == set(range(10))
        assert not publishing.done()
        assert not waiting.done()
        may_go_on.set()
        publishing.result()
        assert waiting.result() == 10

    assert numbers(writer) == set(range(30))
    eventually(lambda: numbers(reader) == set(range(20)))


def test_a_graph_is_built_once_while_searches_go_on_and_finds_what_is_near(
    unpublished: Path, path: Path, opened: Opener
) -> None:
    shutil.copytree(unpublished, path)
    vectors, rng = wide_vectors(), np.random.default_rng(8)
    writer, reader = opened(), opened()
    writer.claim()
    with ThreadPoolExecutor(1) as threads:
        publishing = threads.submit(writer.publish, NAME)
        answers = 0
        while not publishing.done():
            assert writer.search(NAME, vectors[answers % 500], limit=1)
            answers += 1
        publishing.result()
    assert answers > 20

    for n in range(0, 500, 50):
        near = vectors[n] + 0.1 * rng.normal(size=16_000).astype(np.float32)
        assert reader.search(NAME, near, limit=1)[0].payload["n"] == n
        filtered = reader.search(NAME, near, limit=5, where={"author_id": "ada"})
        assert (len(filtered), filtered[0].payload["n"]) == (5, n)

    graphs = {file.stat().st_ino for file in path.rglob("links_compressed.bin")}
    writer.upsert(NAME, wide_records(vectors[:5]))
    writer.publish(NAME)
    assert len(graphs) == 1
    assert {file.stat().st_ino for file in path.rglob("links_compressed.bin")} == graphs

    # what the writer goes on with shares files with what it published, and leaves them as they are
    writer.delete(NAME, [record.id for record in records(100, 200)])
    writer.close()
    assert numbers(opened()) == set(range(500))


def test_terms_beside_a_graph_weigh_as_the_points_are_now(
    unpublished: Path, path: Path, opened: Opener
) -> None:
    """The engine's own count would go on with what was deleted, and the index is shared with what readers have."""
    shutil.copytree(unpublished, path)
    writer = opened()
    writer.claim()
    writer.publish(NAME)
    (built,) = {file.stat().st_ino for file in path.rglob("inverted_index.dat")}

    def found(store: QdrantEdgeAdapter) -> tuple[int, float]:
        ((first, *others),) = store.search_terms(NAME, [{7: 1.0}], limit=500, fields=())
        return 1 + len(others), first.score

    def weighing(points: int, having: int) -> tuple[int, float]:
        idf = math.log(1 + (points - having + 0.5) / (having + 0.5))
        return having, pytest.approx(idf, rel=1e-5)

    assert found(writer) == weighing(500, 50)
    writer.delete(NAME, [record.id for record in records(0, 20)])
    writer.upsert(
        NAME, [one.model_copy(update={"terms": {}}) for one in wide_records(wide_vectors(30))[20:]]
    )
    assert found(writer) == weighing(470, 47)
    writer.publish(NAME)
    assert {file.stat().st_ino for file in path.rglob("inverted_index.dat")} == {built}
    writer.delete(NAME, [record.id for record in records(30, 60)])
    writer.close()
    assert found(opened()) == weighing(470, 47)


@pytest.mark.parametrize(
    "point",
    [
        "working_folders.make_next",
        "edge_writer.snapshot",
        "Shard.load",
        "Shard.optimize",
        "edge_writer.flush_tree",
        "Shard.flush",
        "working_folders.complete",
        "working_folders.remove_old",
        "generations._take_over",
        "generations.flush_folder",
        "generations.write_durably",
        "generations.publish",
    ],
)
def test_a_kill_at_any_point_of_a_publication_leaves_a_whole_generation_and_the_work(
    path: Path, opened: Opener, point: str
) -> None:
    with running(path, STOP_AT.format(point=point)) as process:
        assert line(process) == "stopped"
        kill(process)

    published = numbers(opened())
    assert published in (set(range(50)), set(range(100)))
    writer = opened()
    writer.claim()
    assert numbers(writer) == set(range(100))
    writer.publish(NAME)
    assert numbers(opened()) == set(range(100))
    assert len(list((path / NAME).glob("shard*"))) == 1
    assert not list(path.rglob("*.partial"))


def test_kills_at_random_moments_of_a_build_leave_all_or_nothing(
    unpublished: Path, path: Path, opened: Opener
) -> None:
    shutil.copytree(unpublished, path)
    moments = np.random.default_rng(5)
    for _ in range(8):
        with running(path, PUBLISH) as process:
            assert line(process) == "publishing"
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(moments.uniform(0, 3))
            kill(process)
        assert opened().count(NAME) in {0, 500}

    writer = opened()
    writer.publish(NAME)
    assert opened().count(NAME) == writer.count(NAME) == 500


def test_a_builder_that_is_killed_is_an_error_and_the_next_publication_works(
    opened: Opener, held: tuple[Event, Event]
) -> None:
    begun, may_go_on = held
    may_go_on.set()
    writer = opened()
    a_published_collection(writer)
    writer.upsert(NAME, records(10, 20))
    begun.clear()
    may_go_on.clear()

    with ThreadPoolExecutor(1) as threads:
        publishing = threads.submit(writer.publish, NAME)
        assert begun.wait(60)
        for builder in builders():
            builder.kill()
        may_go_on.set()
        with pytest.raises(BackendError, match="SIGKILL") as failed:
            publishing.result()

    assert not isinstance(failed.value, StoreCorrupt)
    assert numbers(opened()) == set(range(10))
    assert numbers(writer) == set(range(20))
    writer.publish(NAME)
    assert numbers(opened()) == set(range(20))


def test_an_engine_that_dies_is_started_again_with_all_that_was_acknowledged(
    opened: Opener,
) -> None:
    writer = opened()
    a_published_collection(writer)
    writer.upsert(NAME, records(10, 20))
    for engine in engines():
        engine.kill()
        engine.wait()

    assert numbers(writer) == set(range(20))
    assert writer.upsert(NAME, records(20, 21)) == 1
    reader = opened()
    assert reader.count(NAME) == 10


def test_engines_end_with_their_store_and_with_their_process(
    unpublished: Path, path: Path, opened: Opener
) -> None:
    shutil.copytree(unpublished, path)
    before = len(engines())
    reader = QdrantEdgeAdapter(path)
    with running(path, PUBLISH) as process:
        assert line(process) == "publishing"
        eventually(lambda: len(engines(process.pid)) == 2)  # one answers, one builds
        theirs = engines(process.pid)
        kill(process)
    eventually(lambda: not any(engine.is_running() for engine in theirs))

    a_published_collection(opened_again := QdrantEdgeAdapter(path.parent / "other"))
    assert len(engines()) > before
    opened_again.close()
    reader.close()
    eventually(lambda: len(engines()) == before)
