"""Traces on the terminal: newest first, spans below their parents, failures named."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from tools.traces import main


@pytest.fixture
def traces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    return tmp_path / "traces" / "traces.jsonl"


def record(kind: str, number: int, name: str, second: int, **more: Any) -> dict[str, Any]:
    return {
        "kind": kind,
        "id": f"id-{number}",
        "name": name,
        "start_time": f"2026-11-20T12:00:{second:02}Z",
        "end_time": f"2026-11-20T12:00:{second + 2:02}Z",
        "last_updated_at": "2026-11-20T12:01:00Z",
        **more,
    }


def a_question(number: int, second: int) -> Iterator[dict[str, Any]]:
    about: dict[str, Any] = {"trace_id": f"id-{number}", "type": "general"}
    retrieve, search = number * 10, number * 10 + 1
    yield record("span", search, "search", second + 1, parent_span_id=f"id-{retrieve}", **about)
    yield record("span", retrieve, "retrieve", second, **about)
    yield record("trace", number, f"question {number}", second)


def shown(traces: Path, records: Iterator[dict[str, Any]], *options: str) -> Result:
    traces.parent.mkdir()
    traces.write_text("".join(f"{json.dumps(r)}\n" for r in records), encoding="utf-8")
    return CliRunner().invoke(main, options)


def test_spans_stand_below_their_parents(traces: Path) -> None:
    ran = shown(traces, a_question(1, 5))
    assert ran.exit_code == 0
    assert ran.stdout.splitlines() == [
        "2026-11-20 12:00:05  question 1 (ok, 2.00 s)  id-1",
        "  retrieve  2.00 s",
        "    search  2.00 s",
    ]


def test_the_newest_come_first_and_only_as_many_as_asked_for(traces: Path) -> None:
    records = (r for n in (1, 2, 3) for r in a_question(n, n))
    ran = shown(traces, records, "--limit", "2")
    assert [line.split()[3] for line in ran.stdout.splitlines() if "question" in line] == ["3", "2"]


def test_a_failed_span_says_why(traces: Path) -> None:
    info = {"exception_type": "CrawlError", "message": "gone\nlong ago", "traceback": ""}
    span = record("span", 2, "crawl", 2, trace_id="id-1", type="general", error_info=info)
    ran = shown(traces, iter([record("trace", 1, "run", 1), span]))
    assert "  crawl  2.00 s  failed: " in ran.stdout
    assert "gone" in ran.stdout
    assert "long ago" not in ran.stdout


def test_without_traces_it_says_how_to_get_some(traces: Path) -> None:
    ran = CliRunner().invoke(main, [])
    assert (ran.exit_code, ran.stdout) == (
        0,
        "no traces yet; run a pipeline or ask a question first\n",
    )
