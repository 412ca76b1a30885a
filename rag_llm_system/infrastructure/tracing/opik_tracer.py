"""Tracing with the Opik SDK: to a server when one is named, else to a file and without any network."""

import atexit
import hashlib
import logging
import os
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from rag_llm_system.domain.ports import Span, SpanKind
from rag_llm_system.infrastructure.loading import uninterrupted
from rag_llm_system.infrastructure.tracing.complaints import Complaints
from rag_llm_system.infrastructure.tracing.headers import read_headers, written_headers
from rag_llm_system.infrastructure.tracing.json_lines import JsonLinesTransport, traces_file
from rag_llm_system.infrastructure.tracing.payload import (
    Json,
    summarise_error,
    summarise_fields,
    summarise_text,
)
from rag_llm_system.infrastructure.tracing.runs import in_utc, new_id

FLUSH_TIMEOUT_S = 1.5
# After a flush that failed: a dead server must not cost every step of a run that long.
FLUSH_TIMEOUT_ONCE_FAILED_S = 0.1

# The SDK takes these from the environment alone: when it is imported, when a client is made, and in its
# background threads. That is why they are set for the process and stay set.
_SDK_ENVIRONMENT = {
    "OPIK_SENTRY_ENABLE": "false",  # errors of ours to a third party: on unless switched off
    "OPIK_ANALYTICS_ENABLE": "false",  # the same for usage
    "OPIK_CONFIG_PATH": os.devnull,  # ~/.opik.config is not among the homes of our settings
    "OPIK_CONSOLE_LOGGING_LEVEL": "CRITICAL",  # Complaints speaks for the SDK
    "OPIK_DEFAULT_FLUSH_TIMEOUT": "1",  # of the SDK's own flush at exit, which else has no end
    "OPIK_BACKGROUND_WORKERS": "1",  # sender threads; one keeps order and wakes up less
}

_CURRENT: ContextVar["_OpikSpan | None"] = ContextVar("current_span", default=None)


class OpikTracer:
    """Traces to Opik. A span costs its caller about 0.3 ms: trace requests, steps and model calls, never chunks.

    Nesting follows the context: it holds across ``await`` and ``asyncio.to_thread``; a thread pool needs
    ``contextvars.copy_context().run``. A forked child has no sender thread and loses its spans: spawn instead.
    """

    def __init__(
        self,
        data_dir: Path,
        project: str,
        url: str = "",
        api_key: str = "",
        workspace: str = "default",
    ) -> None:
        self._project = project
        self._flush_timeout_s = FLUSH_TIMEOUT_S
        self._written_at = time.monotonic()
        if url or api_key:
            self._complaints = Complaints(url or "the Opik cloud")
            self._client = _sdk_client(
                self._complaints,
                project_name=project,
                workspace=workspace,
                host=url or None,
                api_key=api_key or None,
            )
        else:
            path = traces_file(data_dir).absolute()
            # A host of its own per file: the SDK keeps one connection per address.
            host = f"{hashlib.sha256(bytes(path)).hexdigest()[:32]}.invalid"
            self._complaints = Complaints(str(path))
            self._client = _sdk_client(
                self._complaints,
                mounts={f"all://{host}": JsonLinesTransport(path)},
                project_name=project,
                workspace="default",
                host=f"http://{host}/api",
            )
        atexit.register(self.close)

    def span(
        self,
        name: str,
        *,
        kind: SpanKind = "general",
        inputs: Mapping[str, Any] | None = None,
        caller: Mapping[str, str] | None = None,
    ) -> AbstractContextManager[Span]:
        trace_id, parent_id = read_headers(caller or {})
        summary = summarise_fields(inputs)
        return _OpikSpan(
            self, name, kind=kind, trace_id=trace_id, parent_id=parent_id, inputs=summary
        )

    def headers(self) -> dict[str, str]:
        current = _CURRENT.get()
        return written_headers(current.trace_id, current.id) if current else {}

    def score(self, trace_id: str, name: str, value: float, comment: str = "") -> None:
        self._written_at = time.monotonic()
        reason = {"reason": summarise_text(comment)} if comment else {}
        scored = {"id": trace_id, "name": summarise_text(name), "value": value, **reason}
        self._client.log_traces_feedback_scores([scored], project_name=self._project)

    def step_span(
        self,
        name: str,
        *,
        trace_id: str,
        inputs: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> AbstractContextManager[Span]:
        return _OpikSpan(
            self,
            name,
            trace_id=trace_id,
            inputs=summarise_fields(inputs),
            metadata=summarise_fields(metadata),
        )

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
        self._written_at = time.monotonic()
        self._client.trace(
            id=trace_id,
            name=summarise_text(name),
            start_time=in_utc(start),
            end_time=in_utc(end) if end else None,
            output={"status": status},
            metadata=summarise_fields({**(metadata or {}), "status": status, "steps": steps}),
            error_info=summarise_error(error),
            project_name=self._project,
        )

    def flush(self) -> None:
        """Wait until what was traced is delivered, at most ``FLUSH_TIMEOUT_S``; a failure is a warning."""
        self._judge(self._client.flush(timeout=self._flush_timeout_s))

    def close(self) -> None:
        atexit.unregister(self.close)
        result = self._client.end(timeout=self._flush_timeout_s)
        self._judge(result is None or result.success)
        logging.getLogger("opik").removeHandler(self._complaints)

    def _judge(self, drained: bool) -> None:
        # The SDK parks records that it could not send and calls its queue drained, so ask for an answer too.
        ignored = self._complaints.ignored_since(self._written_at)
        if drained and not ignored:
            self._flush_timeout_s = FLUSH_TIMEOUT_S
            return
        self._flush_timeout_s = FLUSH_TIMEOUT_ONCE_FAILED_S
        self._complaints.warn("no answer" if ignored else "not every record was accepted in time")

    def write(self, span: "_OpikSpan", end: datetime, error: BaseException | None) -> None:
        """Hand a finished span to the SDK, and the trace as well when the span opened it.

        Records are written whole and once: updates of the same record may overtake it on their way.
        """
        self._written_at = time.monotonic()
        shared: dict[str, Any] = {
            "name": span.name,
            "start_time": span.start,
            "end_time": end,
            "input": span.inputs,
            "output": span.outputs,
            "metadata": span.metadata,
            "error_info": summarise_error(error),
            "project_name": self._project,
        }
        self._client.span(
            id=span.id,
            trace_id=span.trace_id,
            parent_span_id=span.parent_id,
            type=span.kind,
            **shared,
        )
        if span.opens_trace:
            self._client.trace(id=span.trace_id, **shared)


class _OpikSpan:
    """A span and the ``with`` block it measures."""

    def __init__(
        self,
        tracer: OpikTracer,
        name: str,
        *,
        kind: SpanKind = "general",
        trace_id: str = "",
        parent_id: str = "",
        inputs: dict[str, Json],
        metadata: dict[str, Json] | None = None,
    ) -> None:
        self.name, self.kind = summarise_text(name), kind
        self.inputs, self.metadata = inputs, metadata
        self.outputs: dict[str, Json] = {}
        self.id, self.trace_id = new_id(), trace_id
        self.parent_id: str | None = parent_id or None
        self.opens_trace = False
        self._tracer = tracer

    def record(self, **outputs: Any) -> None:
        self.outputs.update(summarise_fields(outputs))

    def __enter__(self) -> "_OpikSpan":
        self._outer = _CURRENT.get()
        if self.parent_id is None:  # else another process opened the trace, and writes it
            self._join_or_open()
        _CURRENT.set(self)
        self.start = datetime.now(UTC)
        return self

    def _join_or_open(self) -> None:
        if self._outer is not None and self.trace_id in {"", self._outer.trace_id}:
            self.trace_id, self.parent_id = self._outer.trace_id, self._outer.id
        elif not self.trace_id:
            self.trace_id, self.opens_trace = new_id(), True

    def __exit__(
        self,
        _type: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        # A generator that streams an answer may be closed in another context than it was started in: then there
        # is nothing to restore, and resetting by token would raise.
        if _CURRENT.get() is self:
            _CURRENT.set(self._outer)
        self._tracer.write(self, datetime.now(UTC), error)


@uninterrupted()  # the SDK goes on importing while the client is made
def _sdk_client(
    complaints: Complaints,
    *,
    mounts: Mapping[str, JsonLinesTransport] | None = None,
    **address: Any,
) -> Any:
    """A client of the SDK that reports to ``complaints`` and reaches the hosts in ``mounts`` without network."""
    os.environ.update(_SDK_ENVIRONMENT)
    # Here and not at the top: the import takes 1.4 s of CPU and must come after the environment is set.
    import opik
    from opik import hooks

    arguments: dict[str, Any] = {
        "verify": True,  # httpx reads SSL_CERT_FILE itself; the SDK passes it on in a deprecated form
        "mounts": mounts,
        "event_hooks": {"request": [complaints.on_request], "response": [complaints.on_response]},
    }
    # A hook concerns every client that is made after it, so the mounts name hosts that nobody else asks for.
    hooks.add_httpx_client_hook(hooks.HttpxClientHook(None, arguments))
    logger = logging.getLogger("opik")
    logger.setLevel(logging.WARNING)
    logger.addHandler(complaints)
    return opik.Opik(**address)
