"""The border to Qdrant Edge and the disk below it: their errors become ours."""

import errno
from pathlib import Path
from types import TracebackType

from rag_llm_system.domain.errors import BackendError, StorageFull, StoreCorrupt, StoreLocked
from rag_llm_system.infrastructure.vector_stores.generations import way_out

_FULL = {errno.ENOSPC, errno.EDQUOT}
_FULL_TEXT = "No space left"
_LOCKED_TEXT = "WouldBlock"


class EdgeErrors:
    """``with EdgeErrors(collection): ...`` translates what the engine and the disk raise inside.

    A class rather than a generator: the engine's panics derive from BaseException, and here nothing has to catch it.
    """

    def __init__(self, collection: Path, *, opening: bool = False) -> None:
        self._collection = collection
        self._opening = opening

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
        # the engine raises plain Exception, and lets Rust panics through as PanicException
        if kind is Exception or kind.__name__ == "PanicException":
            raise self._of_the_engine(error) from error

    def _of_the_disk(self, error: OSError) -> BackendError:
        if error.errno in _FULL:
            return self._full()
        return BackendError(f"{error.filename or self._collection}: {error.strerror or error}")

    def _of_the_engine(self, error: BaseException) -> BackendError:
        text = " ".join(str(error).split())
        if _FULL_TEXT in text:
            return self._full()
        if _LOCKED_TEXT in text:
            return StoreLocked(f"{self._collection} is open in another program; close that first")
        if self._opening or type(error) is not Exception:
            return StoreCorrupt(
                f"{self._collection} cannot be opened by Qdrant Edge ({text}); "
                f"{way_out(self._collection)}"
            )
        return BackendError(f"{self._collection}: Qdrant Edge answered: {text}")

    def _full(self) -> StorageFull:
        return StorageFull(
            f"no space left on the disk of {self._collection}; free some and run again, "
            "what was stored before is kept"
        )
