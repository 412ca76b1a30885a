"""Files of a shard that never change again: which they are, and that copies share them and no others."""

from pathlib import Path

import pytest

from rag_llm_system.infrastructure.vector_stores.edge_files import is_final, snapshot

FILES = {
    "segments/full/id_tracker.i2e": "ids",
    "segments/full/id_tracker.deleted": "deleted",
    "segments/full/vector_storage-dense/matrix.dat": "vectors",
    "segments/full/vector_index-terms/inverted_index.dat": "who has which term",
    "segments/full/payload_storage/page_0.dat": "payloads",
    "segments/full/payload_storage/tracker.dat": "where they are",
    "segments/filling/mutable_id_tracker.mappings": "ids",
    "segments/filling/payload_storage/page_0.dat": "payloads",
    "wal/closed-7": "full log",
    "wal/open-8": "log",
    "edge_config.json": "{}",
}
FINAL = {
    "segments/full/id_tracker.i2e",
    "segments/full/vector_storage-dense/matrix.dat",
    "segments/full/vector_index-terms/inverted_index.dat",
    "segments/full/payload_storage/page_0.dat",
    "wal/closed-7",
}


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    for name, content in FILES.items():
        file = tmp_path / "shard" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
    return tmp_path / "shard"


@pytest.mark.parametrize("name", FILES)
def test_only_what_the_engine_never_writes_again_is_final(shard: Path, name: str) -> None:
    assert is_final(shard, shard / name) == (name in FINAL)


def test_a_snapshot_has_all_that_counts_and_shares_final_files_only(
    shard: Path, tmp_path: Path
) -> None:
    (tmp_path / "copy").mkdir()
    (shard / "wal" / "tmp-open-9").touch()

    snapshot(shard, tmp_path / "copy")

    for name, content in FILES.items():
        assert (tmp_path / "copy" / name).read_text(encoding="utf-8") == content
        assert (tmp_path / "copy" / name).samefile(shard / name) == (name in FINAL)
    assert not (tmp_path / "copy" / "wal" / "tmp-open-9").exists()
