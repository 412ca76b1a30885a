"""The border to Qdrant Edge and the disk below it: their errors become ours."""

import errno
import signal
from pathlib import Path
from types import TracebackType

from rag_llm_system.domain.errors import BackendError, StorageFull, StoreCorrupt, StoreLocked
from rag_llm_system.infrastructure.vector_stores.edge_process import EngineFailed
from rag_llm_system.infrastructure.vector_stores.generations import way_out

_FULL = {errno.ENOSPC, errno.EDQUOT}
_FULL_TEXT = "No space left"
_ENDED_FROM_OUTSIDE = {signal.SIGKILL, signal.SIGTERM}
_LOCKED_TEXT = "WouldBlock"


class EdgeErrors:
    """``with EdgeErrors(collection): ...`` translates what the engine and the disk raise inside."""

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
        if isinstance(error, EngineFailed):
            raise self._of_the_engine(error) from error

    def _of_the_disk(self, error: OSError) -> BackendError:
        if error.errno in _FULL:
            return self._full()
        return BackendError(f"{error.filename or self._collection}: {error.strerror or error}")

    def _of_the_engine(self, error: EngineFailed) -> BackendError:
        text = str(error)
        # a write into a mapped file that the disk has no room for ends the process with SIGBUS
        if _FULL_TEXT in text or error.ended_by == signal.SIGBUS:
            return self._full()
        if _LOCKED_TEXT in text:
            return StoreLocked(f"{self._collection} is open in another program; close that first")
        if error.ended_by in _ENDED_FROM_OUTSIDE:
            return BackendError(
                f"{self._collection}: the engine did not finish ({text}, as the system does when memory runs out); "
                "run again, what was stored before is kept"
            )
        if self._opening or error.fatal:
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
