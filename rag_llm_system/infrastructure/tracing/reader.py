"""Reads the local file of traces back, for people."""

import json
import logging
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from rag_llm_system.domain.documents import Value
from rag_llm_system.infrastructure.tracing.json_lines import traces_file

LOGGER = logging.getLogger(__name__)


class TracedSpan(Value):
    """One span; ``parent_id`` is empty for those right below the trace. No ``error``: it went well."""

    id: str
    parent_id: str
    name: str
    kind: str
    start: datetime
    duration_s: float
    error: str = ""


class TracedScore(Value):
    """Feedback: what somebody thinks of a trace, between 0 and 1."""

    name: str
    value: float
    comment: str = ""


class TracedWork(Value):
    """One trace with its spans, earliest first.

    ``status`` is ok, error, running, or for the run of a pipeline what the pipeline said. Spans whose trace was
    never written come as a trace without a name, with the status unfinished.
    """

    trace_id: str
    name: str
    start: datetime
    duration_s: float | None
    status: str
    spans: tuple[TracedSpan, ...] = ()
    scores: tuple[TracedScore, ...] = ()


def read_traces(data_dir: Path, limit: int = 20) -> list[TracedWork]:
    """The latest ``limit`` traces, newest first; none where nothing was traced yet.

    A record may be written more than once: the latest of an id counts.
    """
    latest: dict[str, dict[str, dict[str, Any]]] = {"trace": {}, "span": {}}
    scores: dict[str, dict[str, TracedScore]] = {}
    for record in _records(traces_file(data_dir)):
        if record["kind"] == "score":
            scores.setdefault(record["id"], {})[record["name"]] = _score(record)
            continue
        known = latest[record["kind"]].get(record["id"])
        if known is None or _updated(record) >= _updated(known):
            latest[record["kind"]][record["id"]] = record
    spans: dict[str, list[TracedSpan]] = {}
    for record in latest["span"].values():
        spans.setdefault(record["trace_id"], []).append(_span(record))
    works = [
        _work(trace_id, latest["trace"].get(trace_id), spans.get(trace_id, []))
        for trace_id in latest["trace"].keys() | spans.keys()
    ]
    works = [
        work.model_copy(update={"scores": tuple(scores.get(work.trace_id, {}).values())})
        for work in works
    ]
    return sorted(works, key=lambda work: (work.start, work.trace_id), reverse=True)[:limit]


def _records(path: Path) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    torn = 0
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            try:
                yield json.loads(line)
            except json.JSONDecodeError:  # the disk was full, or the process died in a write
                torn += 1
    if torn:
        LOGGER.warning("%s: %d unreadable lines were left out", path, torn)


def _work(trace_id: str, trace: Mapping[str, Any] | None, spans: list[TracedSpan]) -> TracedWork:
    ordered = tuple(sorted(spans, key=lambda span: (span.start, span.id)))
    if trace is None:
        return TracedWork(
            trace_id=trace_id,
            name="",
            start=ordered[0].start,
            duration_s=None,
            status="unfinished",
            spans=ordered,
        )
    return TracedWork(
        trace_id=trace_id,
        name=trace["name"],
        start=_time(trace["start_time"]),
        duration_s=_duration_s(trace) if trace.get("end_time") else None,
        status=_status(trace),
        spans=ordered,
    )


def _span(record: Mapping[str, Any]) -> TracedSpan:
    failure = record.get("error_info")
    return TracedSpan(
        id=record["id"],
        parent_id=record.get("parent_span_id") or "",
        name=record["name"],
        kind=record["type"],
        start=_time(record["start_time"]),
        duration_s=_duration_s(record),
        error=f"{failure['exception_type']}: {failure['message']}" if failure else "",
    )


def _score(record: Mapping[str, Any]) -> TracedScore:
    """The latest of a name counts, as on the server."""
    return TracedScore(
        name=record["name"], value=record["value"], comment=record.get("reason") or ""
    )


def _status(trace: Mapping[str, Any]) -> str:
    said = (trace.get("metadata") or {}).get("status")
    if said:
        return str(said)
    if trace.get("error_info"):
        return "error"
    return "ok" if trace.get("end_time") else "running"


def _duration_s(record: Mapping[str, Any]) -> float:
    return (_time(record["end_time"]) - _time(record["start_time"])).total_seconds()


def _updated(record: Mapping[str, Any]) -> datetime:
    return _time(record["last_updated_at"])


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
