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
        self, name: str, *, kind: SpanKind = "general", inputs: Mapping[str, Any] | None = None
    ) -> AbstractContextManager[Span]: ...

    def flush(self) -> None: ...
