"""The tracer for ``TRACING=off``: the same methods, and nothing happens."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from rag_llm_system.domain.ports import Span


class OffTracer:
    """Traces nothing; its spans have no id."""

    def span(self, _name: str, **_described: Any) -> AbstractContextManager[Span]:
        return _nothing()

    def step_span(self, _name: str, **_described: Any) -> AbstractContextManager[Span]:
        return _nothing()

    def headers(self) -> dict[str, str]:
        return {}

    def score(self, _trace_id: str, _name: str, _value: float, _comment: str = "") -> None:
        pass

    def run_record(self, **_described: Any) -> None:
        pass

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass


class _OffSpan:
    trace_id = ""

    def record(self, **_outputs: Any) -> None:
        pass


@contextmanager
def _nothing() -> Iterator[Span]:
    yield _OffSpan()
