"""One decorator: a ZenML step that is also one span of the run's trace, with its duration as metadata."""

import functools
import inspect
import time
from collections.abc import Callable
from typing import Any

from zenml import get_step_context, log_metadata, step

from rag_llm_system.domain.documents import Value
from rag_llm_system.infrastructure.tracing.runs import trace_id_for_run
from steps import materializers  # noqa: F401 - importing it registers how our types are stored
from steps.records import RecordsFile
from steps.session import current_system


def traced_step(function: Callable[..., Any]) -> Any:
    """``@step`` plus a span. Steps read stores that ZenML's cache cannot see, so they are never cached:
    what has not changed is found out from the stores themselves."""

    @functools.wraps(function)
    def traced(*args: Any, **kwargs: Any) -> Any:
        context = get_step_context()
        run, step_run = context.pipeline_run, context.step_run
        trace_id = trace_id_for_run(run.created, run.id)
        arguments = inspect.signature(function).bind(*args, **kwargs).arguments
        started = time.perf_counter()
        with current_system().tracer.step_span(
            step_run.name,
            trace_id=trace_id,
            inputs={k: _shown(v) for k, v in arguments.items()},
            metadata={"zenml": {"run_id": str(run.id), "run": run.name, "step": step_run.name}},
        ) as span:
            result = function(*args, **kwargs)
            outputs = result if isinstance(result, tuple) else (result,)
            span.record(**{f"output_{i}": _shown(v) for i, v in enumerate(outputs)})
        seconds = round(time.perf_counter() - started, 3)
        log_metadata({"seconds": seconds, "opik_trace_id": trace_id})
        return result

    return step(enable_cache=False)(traced)


def _shown(value: Any) -> Any:
    """What a trace needs to know of a value: never a corpus."""
    if isinstance(value, RecordsFile):
        return {"kind": value.kind, "rows": value.rows, "sha256": value.digest[:12]}
    if isinstance(value, Value):
        return value.model_dump(mode="json")
    return value
