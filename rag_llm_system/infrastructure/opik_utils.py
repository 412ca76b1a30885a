"""Tracing with Opik: the public names of :mod:`rag_llm_system.infrastructure.tracing` in one place."""

from rag_llm_system.infrastructure.tracing import TRACERS
from rag_llm_system.infrastructure.tracing.opik_tracer import OpikTracer
from rag_llm_system.infrastructure.tracing.reader import (
    TracedScore,
    TracedSpan,
    TracedWork,
    read_traces,
)
from rag_llm_system.infrastructure.tracing.runs import RunTracer, trace_id_for_run

__all__ = [
    "TRACERS",
    "OpikTracer",
    "RunTracer",
    "TracedScore",
    "TracedSpan",
    "TracedWork",
    "read_traces",
    "trace_id_for_run",
]
