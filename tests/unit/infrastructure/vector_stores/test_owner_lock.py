"""The owner lock names its holder and is free again after its release."""

import os
import sys
from pathlib import Path

import pytest

from rag_llm_system.domain.errors import StoreLocked
from rag_llm_system.infrastructure.vector_stores.owner_lock import OwnerLock


def test_a_second_owner_is_refused_with_the_name_of_the_first(tmp_path: Path) -> None:
    first, second = OwnerLock(tmp_path / "writer.lock"), OwnerLock(tmp_path / "writer.lock")
    first.acquire()
    first.acquire()

    with pytest.raises(StoreLocked) as refused:
        second.acquire()

    assert f"process {os.getpid()} on" in str(refused.value)
    assert Path(sys.orig_argv[0]).name in str(refused.value)
    assert str(tmp_path) in str(refused.value)
    assert (first.held, second.held) == (True, False)
    first.release()


def test_a_released_lock_can_be_taken(tmp_path: Path) -> None:
    first, second = OwnerLock(tmp_path / "writer.lock"), OwnerLock(tmp_path / "writer.lock")
    first.acquire()
    first.release()

    second.acquire()

    assert (first.held, second.held) == (False, True)
    second.release()


def test_a_holder_that_has_not_signed_yet_is_another_process(tmp_path: Path) -> None:
    first, second = OwnerLock(tmp_path / "writer.lock"), OwnerLock(tmp_path / "writer.lock")
    first.acquire()
    (tmp_path / "writer.lock").write_text("", encoding="utf-8")

    with pytest.raises(StoreLocked, match="written by another process"):
        second.acquire()
    first.release()
