"""A reader's private folder of hard links, and the removal of those that dead readers left behind."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4


class ReaderFolder:
    """``<readers>/<process id>-<random>``, locked as long as its process lives.

    An engine that opens a copy adds a write-ahead log to it; the links keep the published files apart from that.
    """

    def __init__(self, readers: Path) -> None:
        self._readers = readers
        self._folder: Path | None = None
        self._lock = -1

    def new(self, label: str) -> Path:
        """A new, empty folder below this reader's own."""
        if self._folder is None:
            self._folder = self._claim()
        folder = self._folder / f"{label}-{uuid4().hex[:8]}"
        folder.mkdir()
        return folder

    def close(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder)
            os.close(self._lock)
            self._folder = None

    def _claim(self) -> Path:
        self._readers.mkdir(parents=True, exist_ok=True)
        folder = self._readers / f"{os.getpid()}-{uuid4().hex[:8]}"
        with _gate(self._readers):  # nobody takes a folder for a leftover before it is locked
            _remove_leftovers(self._readers)
            folder.mkdir()
            self._lock = os.open(folder, os.O_RDONLY)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return folder


@contextmanager
def _gate(readers: Path) -> Iterator[None]:
    with (readers / "gate.lock").open("a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _remove_leftovers(readers: Path) -> None:
    for folder in readers.iterdir():
        if folder.is_dir() and _is_left_over(folder):
            shutil.rmtree(folder)


def _is_left_over(folder: Path) -> bool:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        return True
    finally:
        os.close(descriptor)
