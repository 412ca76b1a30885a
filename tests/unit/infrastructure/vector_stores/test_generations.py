"""Published generations: what is kept, what is checked, what a crash leaves behind."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from rag_llm_system.domain.errors import StoreCorrupt
from rag_llm_system.domain.ports import CollectionSpec
from rag_llm_system.infrastructure.vector_stores.generations import (
    PUBLISHED,
    Generation,
    current,
    link_files,
    pointer_state,
    publish,
)

SPEC = CollectionSpec(dimension=3, encoder="toy")


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    """Files as an engine has them; the generations of this module know no engine."""
    folder = tmp_path / "a collection" / "shard"
    (folder / "segments" / "one segment").mkdir(parents=True)
    (folder / "wal").mkdir()
    (folder / "edge_config.json").write_text("{}", encoding="utf-8")
    (folder / "wal" / "open-1").write_bytes(b"not published")
    write(folder, "1")
    return folder


@pytest.fixture
def published(shard: Path) -> Path:
    return shard.parent / PUBLISHED


def write(shard: Path, text: str) -> None:
    (shard / "segments" / "one segment" / "data").write_text(text, encoding="utf-8")


def a_full_segment(shard: Path, vectors: str) -> Path:
    """One that takes no more points; the file of its vectors."""
    segment = shard / "segments" / "full segment"
    (segment / "vector_storage-dense").mkdir(parents=True)
    (segment / "id_tracker.deleted").write_text("deleted", encoding="utf-8")
    file = segment / "vector_storage-dense" / "matrix.dat"
    file.write_text(vectors, encoding="utf-8")
    return file


def read(folder: Path) -> str:
    return (folder / "segments" / "one segment" / "data").read_text(encoding="utf-8")


def publish_text(shard: Path, published: Path, text: str) -> Generation:
    write(shard, text)
    return publish(shard, published, SPEC)


def names(published: Path) -> set[str]:
    return {path.name for path in published.iterdir()}


def test_nothing_is_current_before_the_first_publication(published: Path) -> None:
    assert current(published) is None
    assert pointer_state(published) is None


def test_a_generation_is_a_copy_of_its_own(shard: Path, published: Path, tmp_path: Path) -> None:
    generation = publish(shard, published, SPEC)
    write(shard, "changed afterwards")

    link_files(published, generation, tmp_path / "reader")

    assert current(published) == generation
    assert generation.spec == SPEC
    assert read(tmp_path / "reader") == "1"
    assert not (tmp_path / "reader" / "wal").exists()


def test_files_that_never_change_again_are_shared_by_all_generations(
    shard: Path, published: Path, tmp_path: Path
) -> None:
    vectors = a_full_segment(shard, "vectors")

    for generation in (publish(shard, published, SPEC), publish(shard, published, SPEC)):
        link_files(published, generation, tmp_path / generation.name)
        ours = tmp_path / generation.name / vectors.relative_to(shard)
        assert ours.samefile(vectors)
        deleted = ours.parent.parent / "id_tracker.deleted"
        assert deleted.read_text(encoding="utf-8") == "deleted"
        assert deleted.stat().st_nlink == 1


def test_damage_to_a_shared_file_is_not_published_as_if_it_were_right(
    shard: Path, published: Path, tmp_path: Path
) -> None:
    vectors = a_full_segment(shard, "vectors")
    publish(shard, published, SPEC)
    vectors.write_text("damaged", encoding="utf-8")

    damaged = publish(shard, published, SPEC)

    with pytest.raises(StoreCorrupt, match=r"matrix\.dat is not what was published"):
        link_files(published, damaged, tmp_path / "reader")


@pytest.mark.parametrize("name", ["CURRENT.json", "MANIFEST.json"])
def test_publishing_replaces_a_damaged_generation(
    shard: Path, published: Path, tmp_path: Path, name: str
) -> None:
    a_full_segment(shard, "vectors")
    publish(shard, published, SPEC)
    next(published.rglob(name)).write_text("{", encoding="utf-8")

    link_files(published, publish(shard, published, SPEC), tmp_path / "reader")

    assert read(tmp_path / "reader") == "1"


def test_a_reader_on_another_file_system_gets_copies(shard: Path, published: Path) -> None:
    other = Path("/dev/shm")  # noqa: S108 - the file system that every Linux has beside the one of /tmp
    if not other.is_dir() or other.stat().st_dev == shard.stat().st_dev:
        pytest.skip("there is no second file system to link to")
    generation = publish(shard, published, SPEC)

    with TemporaryDirectory(dir=other) as reader:
        link_files(published, generation, Path(reader))
        assert read(Path(reader)) == "1"


def test_the_newest_two_are_kept(shard: Path, published: Path) -> None:
    generations = [publish_text(shard, published, text) for text in "1234"]

    assert names(published) == {"CURRENT.json", generations[2].name, generations[3].name}
    assert current(published) == generations[3]


def test_every_publication_changes_the_pointer(shard: Path, published: Path) -> None:
    states = set()
    for _ in range(3):
        publish(shard, published, SPEC)
        states.add(pointer_state(published))

    assert len(states) == 3


def test_what_a_killed_publication_left_is_removed_by_the_next(
    shard: Path, published: Path
) -> None:
    first = publish(shard, published, SPEC)
    (published / "000002-0123abcd.partial" / "segments").mkdir(parents=True)
    (published / ".CURRENT.json.new").write_text("half", encoding="utf-8")

    second = publish(shard, published, SPEC)

    assert names(published) == {"CURRENT.json", first.name, second.name}


def test_a_failed_publication_leaves_the_current_one_and_no_copy(
    shard: Path, published: Path
) -> None:
    first = publish(shard, published, SPEC)
    (shard / "edge_config.json").unlink()  # the last file to be copied

    with pytest.raises(FileNotFoundError):
        publish(shard, published, SPEC)

    assert current(published) == first
    assert names(published) == {"CURRENT.json", first.name}


@pytest.mark.parametrize("damage", [b"2", b"", b"1 and more"])
def test_a_damaged_file_is_named_with_the_way_out(
    shard: Path, published: Path, tmp_path: Path, damage: bytes
) -> None:
    generation = publish(shard, published, SPEC)
    data = published / generation.name / "segments" / "one segment" / "data"
    data.write_bytes(damage)

    with pytest.raises(StoreCorrupt) as corrupt:
        link_files(published, generation, tmp_path / "reader")

    assert str(data) in str(corrupt.value)
    assert f"move the folder {shard.parent} away" in str(corrupt.value)
    assert "poe run-feature-engineering-pipeline" in str(corrupt.value)


@pytest.mark.parametrize("file", ["MANIFEST.json", "edge_config.json"])
def test_a_missing_file_is_named(shard: Path, published: Path, tmp_path: Path, file: str) -> None:
    generation = publish(shard, published, SPEC)
    (published / generation.name / file).unlink()

    with pytest.raises(StoreCorrupt, match=f"{file} is missing"):
        link_files(published, generation, tmp_path / "reader")


def test_a_damaged_manifest_is_not_believed(shard: Path, published: Path, tmp_path: Path) -> None:
    generation = publish(shard, published, SPEC)
    manifest = published / generation.name / "MANIFEST.json"
    manifest.write_text('{"files": {}}', encoding="utf-8")

    with pytest.raises(StoreCorrupt, match=r"MANIFEST\.json is not what was published"):
        link_files(published, generation, tmp_path / "reader")


def test_a_damaged_pointer_is_named(shard: Path, published: Path) -> None:
    publish(shard, published, SPEC)
    (published / "CURRENT.json").write_text("{", encoding="utf-8")

    with pytest.raises(StoreCorrupt, match=r"CURRENT\.json is not what was published"):
        current(published)


def test_a_generation_that_was_replaced_and_removed_is_no_damage(
    shard: Path, published: Path, tmp_path: Path
) -> None:
    slow = publish(shard, published, SPEC)
    for _ in range(2):
        publish(shard, published, SPEC)

    with pytest.raises(FileNotFoundError):
        link_files(published, slow, tmp_path / "reader")
