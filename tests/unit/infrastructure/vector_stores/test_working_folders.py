"""The folders a collection is worked on in: the newest whole one counts, whatever a crash left."""

from pathlib import Path

import pytest

from rag_llm_system.domain.errors import StoreCorrupt
from rag_llm_system.infrastructure.vector_stores.working_folders import (
    complete,
    current,
    make_next,
    remove_old,
)


def a_complete_folder(collection: Path) -> Path:
    complete(make_next(collection))
    return current(collection)


def test_there_is_none_before_the_first_is_complete(tmp_path: Path) -> None:
    make_next(tmp_path)

    with pytest.raises(StoreCorrupt, match="no working shard"):
        current(tmp_path)


def test_the_newest_complete_folder_counts(tmp_path: Path) -> None:
    folders = [a_complete_folder(tmp_path) for _ in range(11)]
    make_next(tmp_path)

    assert len(set(folders)) == 11
    assert current(tmp_path) == folders[-1]


def test_the_one_that_was_made_before_they_had_numbers_is_the_oldest(tmp_path: Path) -> None:
    (tmp_path / "shard").mkdir()
    assert current(tmp_path) == tmp_path / "shard"

    newer = a_complete_folder(tmp_path)

    assert current(tmp_path) == newer


def test_an_incomplete_folder_of_a_crash_is_made_anew(tmp_path: Path) -> None:
    (make_next(tmp_path) / "left over").touch()

    assert list(make_next(tmp_path).iterdir()) == []


def test_all_but_the_current_one_are_removed(tmp_path: Path) -> None:
    (tmp_path / "shard").mkdir()
    a_complete_folder(tmp_path)
    newest = a_complete_folder(tmp_path)
    make_next(tmp_path)
    (tmp_path / "published").mkdir()

    remove_old(tmp_path)

    assert set(tmp_path.iterdir()) == {newest, tmp_path / "published"}
