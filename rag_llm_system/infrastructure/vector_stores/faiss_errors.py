"""The border to FAISS, SQLite and the disk below them: their errors become ours."""

import errno
import sqlite3
from pathlib import Path
from types import TracebackType

from rag_llm_system.domain.errors import (
    BackendError,
    StorageFull,
    StoreCorrupt,
    StoreLocked,
)
from rag_llm_system.infrastructure.vector_stores.generations import way_out

_FULL = {errno.ENOSPC, errno.EDQUOT}
_FULL_TEXT = "No space left"
_FAISS_TEXT = "Error in "  # what the engine's own errors begin with; they are plain RuntimeErrors
_ABSENT_TEXT = "no such table"
_PRIMARY_CODE = 0xFF  # the rest of an extended SQLite code says where it happened


class FAISSErrors:
    """``with FAISSErrors(collection): ...`` translates what the libraries and the disk raise inside."""

    def __init__(self, collection: Path) -> None:
        self._collection = collection

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        ours = self._translated(error)
        if ours is not None:
            raise ours from error

    def _translated(self, error: BaseException | None) -> BackendError | None:
        if isinstance(error, sqlite3.Error):
            return self._of_sqlite(error)
        if isinstance(error, OSError):
            return self._of_the_disk(error)
        if type(error) is RuntimeError and str(error).startswith(_FAISS_TEXT):
            return self._of_faiss(error)
        return None

    def _of_sqlite(self, error: sqlite3.Error) -> BackendError:
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & _PRIMARY_CODE
        if code == sqlite3.SQLITE_FULL:
            return self._full()
        if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            return StoreLocked(
                f"{self._collection} is in use by another program ({error}); close that and run again"
            )
        if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB} or _ABSENT_TEXT in str(error):
            return StoreCorrupt(
                f"{self._collection} is damaged ({error}); {way_out(self._collection)}"
            )
        return BackendError(f"{self._collection}: SQLite answered: {error}")

    def _of_the_disk(self, error: OSError) -> BackendError:
        if error.errno in _FULL:
            return self._full()
        return BackendError(f"{error.filename or self._collection}: {error.strerror or error}")

    def _of_faiss(self, error: RuntimeError) -> BackendError:
        text = " ".join(str(error).split())
        if _FULL_TEXT in text:
            return self._full()
        return BackendError(f"{self._collection}: FAISS answered: {text}")

    def _full(self) -> StorageFull:
        return StorageFull(
            f"no space left on the disk of {self._collection}; free some and run again, "
            "what was stored before is kept"
        )
