"""Stops asking a server that failed several times in a row, and finds out whether it is back."""

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from rag_llm_system.domain.errors import BackendError, Overloaded

FAILURES = 5
PAUSE_S = 15.0


class CircuitBreaker:
    """``closed``: all questions pass. ``open``: none does. ``half-open``: one does, and decides which it will be.

    One for each adapter; threads and tasks may share it.
    """

    def __init__(
        self,
        server: str,
        *,
        failures: int = FAILURES,
        pause_s: float = PAUSE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._server, self._limit, self._pause_s, self._clock = server, failures, pause_s, clock
        self._failed = 0
        self._pause_ends = 0.0
        self._probing = False
        self._lock = threading.Lock()

    @property
    def state(self) -> Literal["closed", "open", "half-open"]:
        with self._lock:
            if self._failed < self._limit:
                return "closed"
            return "open" if self._clock() < self._pause_ends else "half-open"

    @contextmanager
    def question(self) -> Iterator[Callable[[], None]]:
        """Around one question; what it gives is called when the server began to answer.

        That is enough to let other questions pass again, but only a whole answer ends a row of failures: a server that
        dies in the middle of each answer is no good either. What leaves the block says how it went: a BackendError is
        a failure; a question that was refused or given up says nothing about the server, nor does Overloaded.
        """
        is_probe = self._enter()
        try:
            yield self._answers
        except Overloaded:
            raise
        except BackendError:
            self._fails(is_probe)
            raise
        else:
            self._succeeds()
        finally:
            if is_probe:
                with self._lock:
                    self._probing = False

    def _enter(self) -> bool:
        """Whether the question is the one that finds out. Raises BackendError where it may not be asked."""
        with self._lock:
            if self._failed < self._limit:
                return False
            wait_s = self._pause_ends - self._clock()
            if wait_s > 0 or self._probing:
                when = (
                    f"in {math.ceil(wait_s)} s" if wait_s > 0 else "right now, by another question"
                )
                raise BackendError(
                    f"{self._server} failed {self._failed} times in a row; asked again {when}"
                )
            self._probing = True
            return True

    def _answers(self) -> None:
        with self._lock:
            if self._failed >= self._limit:
                self._failed = self._limit - 1

    def _succeeds(self) -> None:
        with self._lock:
            self._failed = 0

    def _fails(self, is_probe: bool) -> None:
        with self._lock:
            was_closed = self._failed < self._limit
            self._failed += was_closed or is_probe
            # questions that began before it opened and fail after do not make the pause longer
            if self._failed >= self._limit and (was_closed or is_probe):
                self._pause_ends = self._clock() + self._pause_s
