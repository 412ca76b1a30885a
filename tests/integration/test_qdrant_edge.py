"""Qdrant Edge between processes: one writer, readers beside it, kills, damage, full disks."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag_llm_system.domain.errors import (
    DataError,
    IncompatibleCollection,
    StorageFull,
    StoreCorrupt,
    StoreLocked,
)
from rag_llm_system.domain.ports import CollectionSpec, Record
from rag_llm_system.infrastructure.vector_stores.qdrant_edge_adapter import QdrantEdgeAdapter
from tests.integration.edge_stores import (
    EAST,
    NAME,
    SPEC,
    Opener,
    a_published_collection,
    eventually,
    kill,
    line,
    numbers,
    records,
    running,
    stores_on,
)

TRY_TO_WRITE = """
try:
    store.upsert(NAME, records(0, 1))
except StoreLocked as error:
    say(error)
"""
SEARCH_AND_STAY = """
say(len(store.search(NAME, EAST, limit=100)))
sys.stdin.read()
"""
UPSERT_FOREVER = """
store.ensure(NAME, SPEC)
for batch in range(1_000_000):
    store.upsert(NAME, records(batch * 50, batch * 50 + 50))
    say(batch)
"""
PUBLISH_FOREVER = """
store.ensure(NAME, SPEC)
for batch in range(1_000_000):
    store.upsert(NAME, records(batch * 50, batch * 50 + 50))
    say(f"publishing {batch}")
    store.publish(NAME)
    say(f"published {batch}")
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data dir" / "qdrant"


@pytest.fixture
def opened(path: Path) -> Iterator[Opener]:
    with stores_on(path) as another:
        yield another


def published_files(path: Path) -> list[Path]:
    return [file for file in (path / NAME / "published").rglob("*") if file.is_file()]


def reader_folders(path: Path) -> list[Path]:
    return [folder for folder in (path / ".readers").iterdir() if folder.is_dir()]


def test_a_second_writer_is_refused_by_name_while_a_reader_searches(
    path: Path, opened: Opener
) -> None:
    writer = opened()
    a_published_collection(writer)

    with running(path, TRY_TO_WRITE) as second, running(path, SEARCH_AND_STAY) as reader:
        refusal = line(second)
        assert line(reader) == "10"

    assert f"is being written by process {os.getpid()} on" in refusal
    assert "pytest" in refusal
    assert writer.upsert(NAME, records(10, 11)) == 1


def test_the_holder_of_another_process_is_named(path: Path, opened: Opener) -> None:
    with running(path, UPSERT_FOREVER) as other:
        line(other)
        with pytest.raises(StoreLocked, match=f"process {other.pid} on .* -c "):
            opened().upsert(NAME, records(0, 1))


def test_readers_see_what_was_published_last_and_nothing_else(opened: Opener) -> None:
    writer, reader = opened(), opened()
    writer.ensure(NAME, SPEC)
    writer.upsert(NAME, records(0, 10))
    assert (reader.count(NAME), dict(reader.collections())) == (0, {})

    writer.publish(NAME)
    assert dict(reader.collections()) == {NAME: SPEC}
    assert len(reader.search(NAME, EAST, limit=100, where={"author_id": "ada"})) == 10

    writer.upsert(NAME, records(10, 20))
    writer.delete(NAME, [records(0, 1)[0].id])
    assert numbers(reader) == set(range(10))
    assert numbers(writer) == set(range(1, 20))

    writer.publish(NAME)
    eventually(lambda: numbers(reader) == set(range(1, 20)))

    writer.drop(NAME)
    assert (reader.count(NAME), dict(reader.collections())) == (0, {})


def test_a_scan_ends_on_the_generation_on_which_it_began(opened: Opener) -> None:
    writer, reader = opened(), opened()
    a_published_collection(writer, size=1_200)
    scan = reader.scan(NAME)
    first = next(scan)

    for _ in range(3):
        writer.delete(NAME, [record.id for record in records(0, 1_200)])
        writer.publish(NAME)
        eventually(lambda: reader.count(NAME) == 0)

    assert len([first, *scan]) == 1_200


def test_unpublished_work_waits_for_the_next_writer(opened: Opener) -> None:
    first = opened()
    a_published_collection(first)
    first.upsert(NAME, records(10, 20))
    first.close()

    assert opened().count(NAME) == 10
    second = opened()
    second.publish(NAME)
    assert second.count(NAME) == 20
    assert opened().count(NAME) == 20


def test_a_reader_that_writes_becomes_the_writer(path: Path, opened: Opener) -> None:
    first = opened()
    a_published_collection(first)
    first.close()
    store = opened()
    assert store.count(NAME) == 10

    store.upsert(NAME, records(10, 11))

    assert store.count(NAME) == 11
    assert reader_folders(path) == []


def test_asking_for_a_collection_that_is_there_does_not_take_the_lock(opened: Opener) -> None:
    writer, reader = opened(), opened()
    a_published_collection(writer)

    reader.ensure(NAME, SPEC)
    with pytest.raises(IncompatibleCollection):
        reader.ensure(NAME, CollectionSpec(dimension=4, encoder="other"))

    assert writer.upsert(NAME, records(0, 1)) == 1


def test_further_fields_reach_the_readers_with_the_next_publication(opened: Opener) -> None:
    writer = opened()
    a_published_collection(writer)
    more = SPEC.model_copy(update={"keyword_fields": ("author_id", "platform")})

    writer.ensure(NAME, more)
    assert opened().collections()[NAME] == SPEC
    writer.publish(NAME)

    assert opened().collections()[NAME] == more


def test_a_collection_whose_working_shard_is_gone_says_so_and_is_still_read(
    path: Path, opened: Opener
) -> None:
    writer = opened()
    a_published_collection(writer)
    writer.close()
    for folder in (path / NAME).glob("shard-*"):
        shutil.rmtree(folder)

    with pytest.raises(StoreCorrupt, match="no working shard; move the folder"):
        opened().upsert(NAME, records(0, 1))
    assert opened().count(NAME) == 10


def test_everything_acknowledged_before_a_kill_is_there_afterwards(
    path: Path, opened: Opener
) -> None:
    with running(path, UPSERT_FOREVER) as process:
        acknowledged = [int(line(process)) for _ in range(8)]
        kill(process)

    store = opened()
    store.ensure(NAME, SPEC)
    store.upsert(NAME, [])  # become the writer

    assert numbers(store) >= set(range((acknowledged[-1] + 1) * 50))
    hits = store.search(NAME, EAST, limit=3)
    assert [hit.payload["n"] for hit in hits] == [0, 1, 2]
    assert [hit.score for hit in hits] == pytest.approx([1.0, 1.0, 1.0], abs=1e-4)


@pytest.mark.parametrize("publications", [0, 1, 3])
def test_a_kill_while_publishing_leaves_the_last_generation_and_the_work(
    path: Path, opened: Opener, publications: int
) -> None:
    with running(path, PUBLISH_FOREVER) as process:
        while line(process) != f"publishing {publications}":
            pass
        kill(process)

    published = opened().count(NAME)
    assert published in {publications * 50, (publications + 1) * 50}
    writer = opened()
    writer.publish(NAME)
    assert writer.count(NAME) >= (publications + 1) * 50
    assert opened().count(NAME) == writer.count(NAME)


def test_a_kill_while_a_collection_is_made_leaves_none(path: Path, opened: Opener) -> None:
    (path / NAME / "shard" / "segments").mkdir(parents=True)  # spec.json would be written last

    store = opened()
    assert store.count(NAME) == 0
    a_published_collection(store)

    assert numbers(store) == set(range(10))


def test_what_a_killed_drop_left_is_removed_by_the_next_writer(path: Path, opened: Opener) -> None:
    (path / ".dropped-0123abcd" / "shard").mkdir(parents=True)

    a_published_collection(opened())

    assert list(path.glob(".dropped-*")) == []


def test_a_damaged_published_file_is_refused_and_the_way_out_works(
    path: Path, opened: Opener
) -> None:
    writer = opened()
    a_published_collection(writer)
    writer.close()
    vectors = next(file for file in published_files(path) if file.suffix == ".mmap")
    with vectors.open("r+b") as file:
        file.write(b"\x00\x00\x80\x7f")

    for _ in range(2):
        with pytest.raises(StoreCorrupt) as corrupt:
            opened().search(NAME, EAST, limit=1)
        assert str(vectors) in str(corrupt.value)
        assert f"move the folder {path / NAME} away" in str(corrupt.value)

    (path / NAME).rename(path.parent / "damaged")
    a_published_collection(opened())
    assert opened().count(NAME) == 10


def test_a_working_shard_that_cannot_be_opened_is_corrupt(path: Path, opened: Opener) -> None:
    writer = opened()
    a_published_collection(writer)
    writer.close()
    for file in (path / NAME).glob("shard-*/segments/*/segment.json"):
        file.write_text("{", encoding="utf-8")

    with pytest.raises(StoreCorrupt, match="poe run-feature-engineering-pipeline"):
        opened().upsert(NAME, records(0, 1))
    assert opened().count(NAME) == 10


def test_a_damaged_spec_is_corrupt(path: Path, opened: Opener) -> None:
    writer = opened()
    a_published_collection(writer)
    (path / NAME / "spec.json").write_text("{}}", encoding="utf-8")

    with pytest.raises(StoreCorrupt, match=r"spec\.json is damaged"):
        opened().ensure(NAME, SPEC)


def test_readers_leave_the_published_files_as_they_are_and_clean_up(
    path: Path, opened: Opener
) -> None:
    writer = opened()
    a_published_collection(writer)
    before = {file: file.read_bytes() for file in published_files(path)}

    readers = [opened(), opened()]
    for reader in readers:
        assert reader.count(NAME) == 10
    assert len(reader_folders(path)) == 2
    for reader in readers:
        reader.close()

    assert reader_folders(path) == []
    assert {file: file.read_bytes() for file in published_files(path)} == before


def test_the_next_reader_removes_what_a_killed_one_left_and_spares_the_living(
    path: Path, opened: Opener
) -> None:
    a_published_collection(opened())
    with running(path, SEARCH_AND_STAY) as dead, running(path, SEARCH_AND_STAY) as alive:
        assert (line(dead), line(alive)) == ("10", "10")
        kill(dead)
        reader = opened()
        assert reader.count(NAME) == 10

        pids = {int(folder.name.partition("-")[0]) for folder in reader_folders(path)}
        assert pids == {alive.pid, os.getpid()}


def test_a_full_disk_is_noticed_before_the_engine_meets_it(path: Path) -> None:
    store = QdrantEdgeAdapter(path, reserve_bytes=2**62)

    with pytest.raises(StorageFull, match="free some"):
        store.ensure(NAME, SPEC)
    store.close()


def test_a_bad_record_leaves_a_collection_that_still_publishes(opened: Opener) -> None:
    writer = opened()
    a_published_collection(writer)
    with pytest.raises(DataError):
        writer.upsert(NAME, [*records(10, 12), Record(id="x", vector=(1.0, 0.0, 0.0), payload={})])

    writer.publish(NAME)

    assert opened().count(NAME) == 10
