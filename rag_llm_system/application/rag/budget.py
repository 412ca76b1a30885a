"""What a request may cost, in time and in tokens, and what the stages of an answer are known to take."""

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rag_llm_system.domain.errors import DeadlineExceeded

SKIPPED_FIRST = ("expansion", "reranking")
"""The stages that an answer can do without, in the order in which they are left out: the one that gains least first."""

_NEWEST = 0.3
"""The weight of the latest measurement: after a change of load, three of them count for two thirds."""

_NO_TIME = "no time was left for it"
_NO_TOKENS = "max_tokens leaves no room for it"

_FADED = 0.9
"""What remains of an estimate when its stage was left out: one that was slow once is tried again."""


@dataclass(frozen=True, slots=True)
class Budget:
    """``deadline`` is a time of ``clock``; ``seconds`` says from how long ago, for messages.

    ``reserved_s`` and ``reserved_tokens`` are what comes behind retrieval: retrieval leaves them alone. ``max_tokens``
    bounds all that models read and write for a request, None for no bound.
    """

    deadline: float = math.inf
    seconds: float = math.inf
    max_tokens: int | None = None
    reserved_s: float = 0.0
    reserved_tokens: int = 0
    clock: Callable[[], float] = time.monotonic

    @classmethod
    def of(
        cls,
        seconds: float | None,
        max_tokens: int | None = None,
        *,
        reserved_s: float = 0.0,
        reserved_tokens: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> "Budget":
        """``seconds`` from now on; None for as long as it takes."""
        limit = math.inf if seconds is None else seconds
        return cls(clock() + limit, limit, max_tokens, reserved_s, reserved_tokens, clock)

    @property
    def left_s(self) -> float:
        return self.deadline - self.clock()

    def has_time_for(self, seconds: float) -> bool:
        """Beside what is reserved."""
        return self.left_s - self.reserved_s >= seconds

    def has_tokens_for(self, tokens: int) -> bool:
        return self.max_tokens is None or self.max_tokens - self.reserved_tokens >= tokens

    def check(self, stage: str) -> None:
        """Raises DeadlineExceeded when no time is left for ``stage``."""
        if self.left_s <= 0:
            raise self.exceeded(stage)

    def exceeded(self, stage: str) -> DeadlineExceeded:
        return DeadlineExceeded(
            f"no answer within {self.seconds:g} s (the time was over at: {stage});"
            " raise deadline_s of the request, or RAG_DEADLINE_S"
        )


UNLIMITED = Budget()


class Estimates:
    """Moving means of the seconds that stages take; threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seconds: dict[str, float] = {}

    def add(self, stage: str, seconds: float) -> None:
        with self._lock:
            known = self._seconds.get(stage, seconds)
            self._seconds[stage] = known + _NEWEST * (seconds - known)

    def of(self, *stages: str) -> float:
        """Of all together. What never ran is taken for free: it is measured when it runs."""
        with self._lock:
            return sum(self._seconds.get(stage, 0.0) for stage in stages)

    def fade(self, stage: str) -> None:
        with self._lock:
            if stage in self._seconds:
                self._seconds[stage] *= _FADED


@dataclass(frozen=True)
class Run:
    """One retrieval: what it may cost, what its stages took, and why others were left out."""

    budget: Budget
    estimates: Estimates
    timings: dict[str, float] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Its seconds; those of a stage that runs twice are added. Raises DeadlineExceeded before it begins."""
        self.budget.check(name)
        started = time.perf_counter()
        yield
        seconds = time.perf_counter() - started
        self.estimates.add(name, seconds)
        self.timings[name] = self.timings.get(name, 0.0) + seconds

    def has_room_for(self, stage: str, *measured: str, tokens: int = 0) -> bool:
        """``measured``: what has to be done from ``stage`` on, itself first, as :meth:`stage` names it.

        A stage that was left out once stays out for this run.
        """
        if not self.budget.has_tokens_for(tokens):
            self.left_out.setdefault(stage, _NO_TOKENS)
        elif not self.budget.has_time_for(self.estimates.of(*measured)):
            self.left_out.setdefault(stage, _NO_TIME)
            self.estimates.fade(measured[0])
        return stage not in self.left_out

    @property
    def skipped(self) -> tuple[str, ...]:
        return tuple(stage for stage in SKIPPED_FIRST if stage in self.left_out)

    def notes(self) -> list[str]:
        """For the reader, a line for each stage that was left out."""
        return [f"without {stage}: {self.left_out[stage]}" for stage in self.skipped]
