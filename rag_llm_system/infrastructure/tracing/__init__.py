"""Tracing: what ran, for how long and with what result. The table lists the tracers."""

from rag_llm_system.infrastructure.tracing.runs import RunTracer, trace_id_for_run

TRACERS = {
    "off": "rag_llm_system.infrastructure.tracing.off:OffTracer",
    "opik": "rag_llm_system.infrastructure.tracing.opik_tracer:OpikTracer",
}

__all__ = ["TRACERS", "RunTracer", "trace_id_for_run"]
