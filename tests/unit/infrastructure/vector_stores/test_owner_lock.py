"""The owner lock names its holder and is free again after its release."""

import fcntl
import json
import os
import socket
import subprocess
import sys
import threading
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


def test_the_children_of_an_owner_that_is_gone_are_waited_for(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    owner = {"pid": gone.pid, "host": socket.gethostname(), "command": "x", "since": "2026-11-21"}
    child = (tmp_path / "writer.lock").open("w", encoding="utf-8")
    child.write(json.dumps(owner))
    child.flush()
    fcntl.flock(child, fcntl.LOCK_EX)
    ending = threading.Timer(0.2, child.close)
    ending.start()

    lock = OwnerLock(tmp_path / "writer.lock")
    lock.acquire()

    assert child.closed
    lock.release()


def test_an_owner_on_another_host_is_taken_at_its_word(tmp_path: Path) -> None:
    first, second = OwnerLock(tmp_path / "writer.lock"), OwnerLock(tmp_path / "writer.lock")
    first.acquire()
    owner = {"pid": 2**22 + 1, "host": "elsewhere", "command": "x", "since": "2026-11-21"}
    (tmp_path / "writer.lock").write_text(json.dumps(owner), encoding="utf-8")

    with pytest.raises(StoreLocked, match="on elsewhere"):
        second.acquire()
    first.release()


def test_a_child_that_has_the_lock_open_keeps_it(tmp_path: Path) -> None:
    first, second = OwnerLock(tmp_path / "writer.lock"), OwnerLock(tmp_path / "writer.lock")
    first.acquire()
    assert first.descriptor is not None
    child = os.dup(first.descriptor)  # as a child process inherits it

    with pytest.raises(StoreLocked):
        second.acquire()

    first.release()
    assert first.descriptor is None
    second.acquire()  # who gives it back, gives it back for its children, too
    second.release()
    os.close(child)
