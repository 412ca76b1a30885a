"""The tracing of pipeline runs: one trace per run, one span per step, also when steps run on other machines."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID, uuid4

from rag_llm_system.domain.ports import Span, Tracer


class RunTracer(Tracer, Protocol):
    """A tracer that also knows runs whose steps may live in different processes."""

    def step_span(
        self,
        name: str,
        *,
        trace_id: str,
        inputs: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> AbstractContextManager[Span]:
        """A span of the trace with that id, which another process may write. Flush before the process ends."""

    def run_record(
        self,
        *,
        trace_id: str,
        name: str,
        start: datetime,
        end: datetime | None,
        status: str,
        steps: Mapping[str, str],
        metadata: Mapping[str, Any] | None = None,
        error: BaseException | str | None = None,
    ) -> None:
        """Write the trace of a run, or write it again: the latest record of an id wins. No ``end``: still running.

        ``steps`` maps a step's name to its status; times without a zone are UTC.
        """

    def close(self) -> None:
        """Deliver what is left, within a bounded time, and stop. Nothing is traced afterwards."""


def trace_id_for_run(created: datetime, run_id: UUID) -> str:
    """The trace id of a pipeline run: every process that executes one of its steps derives the same.

    ``created`` without a zone is UTC, as ZenML stores it; ``run_id`` is a random (version 4) UUID.
    """
    return str(_uuid7(in_utc(created), run_id))


def new_id() -> str:
    """A fresh id of a trace or a span."""
    return str(_uuid7(datetime.now(UTC), uuid4()))


def in_utc(moment: datetime) -> datetime:
    """That moment with a zone; without one it was UTC already."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _uuid7(moment: datetime, random: UUID) -> UUID:
    """Version 7, as Opik demands of ids: 48 bits of milliseconds, then the random bits of ``random``."""
    milliseconds = int(moment.timestamp() * 1000)
    low = random.int & ((1 << 80) - 1) & ~(0xF << 76)
    return UUID(int=(milliseconds << 80) | (0x7 << 76) | low)
