"""Opens what a server needs in the background, so that it answers from its first second."""

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, Literal, TypeVar

from rag_llm_system.domain.errors import BackendError, RagSystemError
from rag_llm_system.infrastructure.serving.errors import said

T = TypeVar("T")

LoadingStatus = Literal["loading", "ready", "failed"]

_logger = logging.getLogger(__name__)


class Loading(Generic[T]):
    """``opener`` runs at once, in a thread of its own that does not keep the process alive.

    ``what`` is opened, for people: "the model".
    """

    def __init__(self, opener: Callable[[], T], *, what: str = "the system") -> None:
        self._opener = opener
        self._what = what
        self._lock = threading.Lock()
        self._closer: Callable[[T], object] | None = None
        self._opened: Future[T] = Future()
        self._opened.set_running_or_notify_cancel()  # else one waiter that is cancelled cancels it
        threading.Thread(target=self._open, name=f"opening {what}", daemon=True).start()

    @property
    def status(self) -> LoadingStatus:
        if not self._opened.done():
            return "loading"
        return "ready" if self._opened.exception() is None else "failed"

    @property
    def error(self) -> str:
        """Why it failed: one line, redacted. What we did not foresee is named by its type; the log has the rest."""
        error = self._opened.exception() if self._opened.done() else None
        return said(error) if isinstance(error, Exception) else ""

    @property
    def ready_value(self) -> T | None:
        return self._opened.result() if self.status == "ready" else None

    async def value(self) -> T:
        """Waits until it is there; raises the reason when it could not be opened."""
        return await asyncio.wrap_future(self._opened)

    async def close(self, closer: Callable[[T], object]) -> None:
        """``closer`` gets what was opened, in a thread; what is still being opened gets it when it is there.

        A thread cannot be interrupted, and a model may load for minutes: nobody waits for that here.
        """
        with self._lock:
            if not self._opened.done():
                self._closer = closer
                return
        if self.status == "ready":
            await asyncio.to_thread(closer, self._opened.result())

    def _open(self) -> None:
        try:
            value = self._opener()
        except RagSystemError as error:
            self._opened.set_exception(error)
        except BaseException as error:  # a SystemExit too: whoever waits must hear of every end
            _logger.exception("%s could not be loaded", self._what)
            reason = f"{self._what} could not be loaded ({type(error).__name__}); the server's log has more"
            self._opened.set_exception(BackendError(reason))
        else:
            with self._lock:
                self._opened.set_result(value)
            if self._closer:
                self._closer(value)
