"""Traces of work, as the application sees them."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Literal, Protocol

SpanKind = Literal["general", "tool", "llm"]


class Span(Protocol):
    """One traced piece of work."""

    @property
    def trace_id(self) -> str: ...

    def record(self, **outputs: Any) -> None:
        """Outputs as the trace shows them: redacted, and cut where long."""


class Tracer(Protocol):
    """Traces work as nested spans. It never fails or slows what it traces."""

    def span(
        self,
        name: str,
        *,
        kind: SpanKind = "general",
        inputs: Mapping[str, Any] | None = None,
        caller: Mapping[str, str] | None = None,
    ) -> AbstractContextManager[Span]:
        """``caller``: the headers of a request (see ``headers``); the span continues the trace that they name."""

    def headers(self) -> dict[str, str]:
        """To be sent with a request, so that the receiver's spans continue this trace; empty outside of a span."""

    def score(self, trace_id: str, name: str, value: float, comment: str = "") -> None:
        """What somebody thinks of a trace: feedback."""

    def flush(self) -> None: ...
