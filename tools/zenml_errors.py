"""ZenML's failures as errors of ours: a damaged or full store, an interrupted run."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DatabaseError
from zenml.exceptions import RunInterruptedException

from rag_llm_system.domain.errors import BackendError, StorageFull, StoreCorrupt

_DAMAGED = ("not a database", "malformed", "no such table", "disk I/O error")
_FULL = ("disk is full", "No space left")


@contextmanager
def zenml_errors(folder: Path) -> Iterator[None]:
    """``folder`` is where this clone's runs are kept; a store of your own is named by its error alone."""
    try:
        yield
    except RunInterruptedException as error:
        raise KeyboardInterrupt from error
    except DatabaseError as error:
        said = str(error.orig).splitlines()[0]
        if any(text in said for text in _FULL):
            raise _full(folder) from error
        if any(text in said for text in _DAMAGED):
            raise StoreCorrupt(
                f"ZenML's store {folder} is damaged ({said}); move that folder away: "
                "the history of runs starts anew, documents and vectors stay"
            ) from error
        raise BackendError(f"ZenML's store {folder} failed ({said}); run again") from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise _full(folder) from error
        raise


def _full(folder: Path) -> StorageFull:
    return StorageFull(
        f"the disk of {folder} is full; free some space and run again, what was stored is kept"
    )
