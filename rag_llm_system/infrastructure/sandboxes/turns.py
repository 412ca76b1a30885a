"""Takes turns: threads share a number of things, first come, first served."""

import threading
from collections import deque
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class Closed(Exception):
    """Nothing is given out any more."""


class Turns(Generic[T]):
    """Gives the thing that was in use last to whoever has waited longest."""

    def __init__(self, things: list[T]) -> None:
        self._lock = threading.Lock()
        self._free = things
        self._waiting: deque[Future[T]] = deque()
        self._closed = False

    def take(self) -> T:
        """Wait for a thing; ``give_back`` must follow. Raises Closed, also while waiting."""
        with self._lock:
            if self._closed:
                raise Closed
            if self._free:
                return self._free.pop()
            turn: Future[T] = Future()
            self._waiting.append(turn)
        try:
            return turn.result()
        except BaseException:  # such as Ctrl-C while waiting: the turn must not be lost
            if not turn.cancel() and turn.exception() is None:
                self.give_back(turn.result())
            raise

    @property
    def waiting(self) -> int:
        """How many threads wait."""
        return len(self._waiting)

    def give_back(self, thing: T) -> bool:
        """False when closed: it is for the caller to dispose of."""
        with self._lock:
            if self._closed:
                return False
            while self._waiting:
                turn = self._waiting.popleft()
                if turn.set_running_or_notify_cancel():
                    turn.set_result(thing)
                    return True
            self._free.append(thing)
            return True

    def close(self) -> list[T]:
        """What is free now; whoever waits gets Closed."""
        with self._lock:
            self._closed = True
            free, self._free = self._free, []
            waiting = [t for t in self._waiting if t.set_running_or_notify_cancel()]
            self._waiting.clear()
        for turn in waiting:
            turn.set_exception(Closed())
        return free
