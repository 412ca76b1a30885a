"""Files and folders that are there whole or not at all: made beside their place, then moved into it."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rag_llm_system.domain.errors import ConfigurationError, StorageFull


@contextmanager
def new_folder(place: Path) -> Iterator[Path]:
    """The folder to fill; it becomes ``place`` when nothing was raised.

    Raises ConfigurationError when something is there already, StorageFull when the disk is too small.
    """
    place = place.resolve()
    if place.exists() and not (place.is_dir() and not any(place.iterdir())):
        raise ConfigurationError(f"{place} is there already; name another folder, or remove it")
    unfinished = _beside(place)
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        with _told_when_full(place):
            unfinished.mkdir(parents=True)
            yield unfinished
            if place.exists():
                place.rmdir()
            unfinished.rename(place)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


@contextmanager
def new_file(place: Path) -> Iterator[Path]:
    """The file to write; it replaces ``place`` when nothing was raised. Raises StorageFull."""
    unfinished = _beside(place)
    try:
        with _told_when_full(place):
            place.parent.mkdir(parents=True, exist_ok=True)
            yield unfinished
            unfinished.replace(place)
    finally:
        unfinished.unlink(missing_ok=True)


def _beside(place: Path) -> Path:
    return place.with_name(f".{place.name}.partial")


@contextmanager
def _told_when_full(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise StorageFull(f"{place}: no space is left on the disk; nothing was written") from error
