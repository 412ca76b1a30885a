"""Durable files: one step from old to new, copies that keep holes, digests that see every change."""

from pathlib import Path

import pytest

from rag_llm_system.infrastructure.vector_stores.durable_files import (
    copy_sparse,
    digest_of,
    flush_tree,
    write_durably,
)


def a_sparse_file(path: Path, *, at: int = 1_000_000, size: int = 40_000_000) -> Path:
    with path.open("wb") as file:
        file.write(b"head")
        file.seek(at)
        file.write(b"middle")
        file.truncate(size)
    return path


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    write_durably(tmp_path / "file", b"old")
    write_durably(tmp_path / "file", b"new")

    assert (tmp_path / "file").read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_a_copy_has_the_bytes_the_digest_and_the_holes_of_its_source(tmp_path: Path) -> None:
    source = a_sparse_file(tmp_path / "source")

    digest = copy_sparse(source, tmp_path / "copy")

    assert (tmp_path / "copy").read_bytes() == source.read_bytes()
    assert digest == digest_of(source) == digest_of(tmp_path / "copy")
    assert (tmp_path / "copy").stat().st_blocks * 512 < 1_000_000


@pytest.mark.parametrize("content", [b"", b"x", bytes(65_536), b"x" * 65_536, b"x" * 200_000])
def test_a_copy_of_any_size_is_whole(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "source").write_bytes(content)

    copy_sparse(tmp_path / "source", tmp_path / "copy")

    assert (tmp_path / "copy").read_bytes() == content


def test_zeros_that_were_written_and_zeros_that_never_were_have_one_digest(tmp_path: Path) -> None:
    (tmp_path / "written").write_bytes(bytes(500_000))
    with (tmp_path / "hole").open("wb") as file:
        file.truncate(500_000)

    assert digest_of(tmp_path / "written") == digest_of(tmp_path / "hole")


def test_a_digest_sees_a_changed_byte_and_a_moved_block(tmp_path: Path) -> None:
    files = [
        a_sparse_file(tmp_path / "as it was"),
        a_sparse_file(tmp_path / "moved", at=1_000_001),
        a_sparse_file(tmp_path / "moved by a block", at=1_000_000 + 65_536),
        a_sparse_file(tmp_path / "changed"),
    ]
    with files[-1].open("r+b") as changed:
        changed.seek(30_000_000)
        changed.write(b"\x01")

    assert len({digest_of(file) for file in files}) == len(files)


def test_a_whole_folder_is_flushed_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "one" / "two").mkdir(parents=True)
    a_sparse_file(tmp_path / "one" / "two" / "file")
    (tmp_path / "empty").mkdir()
    before = sorted(tmp_path.rglob("*"))

    flush_tree(tmp_path)

    assert sorted(tmp_path.rglob("*")) == before
