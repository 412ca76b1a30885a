"""The border to Chroma: what it, the SQLite below it and the disk raise becomes one of our errors."""

import errno
import sqlite3
from pathlib import Path
from types import TracebackType

from chromadb.errors import ChromaError

from rag_llm_system.domain.errors import BackendError, StorageFull, StoreCorrupt

_FULL_TEXTS = ("No space left", "database or disk is full")
_DAMAGED_TEXTS = (
    "file is not a database",
    "database disk image is malformed",
    "hnsw",
    "migration",
)


class ChromaErrors:
    """``with ChromaErrors(folder): ...`` translates what is raised inside.

    A class rather than a generator: Rust panics derive from BaseException, and here nothing has to catch it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None or error is None:
            return
        if isinstance(error, OSError):
            raise self._of_the_disk(error) from error
        if isinstance(error, ChromaError | sqlite3.Error) or kind.__name__ == "PanicException":
            raise self._of_the_engine(error) from error

    def _of_the_disk(self, error: OSError) -> BackendError:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            return self._full()
        return BackendError(f"{error.filename or self._folder}: {error.strerror or error}")

    def _of_the_engine(self, error: BaseException) -> BackendError:
        text = " ".join(str(error).split())
        if any(sign in text for sign in _FULL_TEXTS):
            return self._full()
        if not isinstance(error, Exception) or any(sign in text for sign in _DAMAGED_TEXTS):
            return StoreCorrupt(
                f"{self._folder} cannot be read by Chroma ({text}); move it away and run "
                "`poe run-feature-engineering-pipeline`"
            )
        return BackendError(f"{self._folder}: Chroma answered: {text}")

    def _full(self) -> StorageFull:
        return StorageFull(
            f"no space left on the disk of {self._folder}; free some and run again, "
            "what was stored before is kept"
        )
