import gzip
import json
import logging
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from rag_llm_system.infrastructure.opik_utils import read_traces, trace_id_for_run
from rag_llm_system.infrastructure.tracing.complaints import PATIENCE_S, Complaints
from rag_llm_system.infrastructure.tracing.json_lines import JsonLinesTransport, traces_file
from rag_llm_system.infrastructure.tracing.payload import (
    MAX_TEXT_CHARS,
    summarise_error,
    summarise_fields,
    summarise_text,
)

RUN_ID = UUID("9b0a2b1c-5a0e-4f6d-8c3e-1f2a3b4c5d6e")
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=12) | st.dictionaries(st.text(), inner, max_size=30),
    max_leaves=40,
)


def record(kind: str, id: str, **fields: Any) -> dict[str, Any]:
    times = {"start_time": "2026-11-20T12:00:00Z", "last_updated_at": "2026-11-20T12:00:09Z"}
    return {"kind": kind, "id": id, "name": id, "type": "general", **times, **fields}


def write_records(data_dir: Path, *lines: str) -> None:
    path = traces_file(data_dir)
    path.parent.mkdir(parents=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def post(path: Path, kind: str, records: list[dict[str, Any]], *, compressed: bool) -> int:
    body = json.dumps({f"{kind}s": records}).encode()
    headers = {"Content-Encoding": "gzip"} if compressed else {}
    with httpx.Client(transport=JsonLinesTransport(path)) as client:
        answer = client.post(
            f"http://opik.invalid/api/v1/private/{kind}s/batch",
            content=gzip.compress(body) if compressed else body,
            headers=headers,
        )
    return answer.status_code


def test_importing_the_tracing_does_not_import_opik() -> None:
    code = "import sys, rag_llm_system.infrastructure.opik_utils; sys.exit('opik' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_process_derives_the_same_trace_id_of_a_run() -> None:
    naive = NOON.replace(tzinfo=None)
    elsewhere = NOON.astimezone(timezone(timedelta(hours=5)))

    ids = {trace_id_for_run(created, RUN_ID) for created in (NOON, naive, elsewhere)}

    assert ids == {"01a1f8d3-ea00-7f6d-8c3e-1f2a3b4c5d6e"}


def test_a_short_text_is_shown_whole_and_a_long_one_with_its_length() -> None:
    assert summarise_text("a" * MAX_TEXT_CHARS) == "a" * MAX_TEXT_CHARS
    assert summarise_text("a" * 1000) == "a" * MAX_TEXT_CHARS + "... (1000 characters)"


@pytest.mark.parametrize("before", range(1300, 1560, 20))
def test_a_secret_at_the_edge_of_what_is_searched_is_not_shown(before: int) -> None:
    long_secret = "x" * before  # masked, so that what follows moves to the front of what is shown
    text = f'password="{long_secret}" sk-{"c4n4ry" * 40}'
    assert "c4n4ry" not in summarise_text(text)


def test_values_without_a_json_form_become_the_name_of_their_type() -> None:
    shown = summarise_fields({"path": Path("x"), "key": SecretStr("s"), "nan": float("nan")})
    assert shown == {"path": "PosixPath", "key": "SecretStr", "nan": "nan"}


def test_long_and_deep_values_are_summed_up() -> None:
    shown = summarise_fields(
        {
            "vector": list(range(384)),
            "rows": {str(i): i for i in range(99)},
            "deep": {"a": {"b": {"c": [1, 2]}}},
        }
    )

    assert shown["vector"] == [0, 1, 2, 3, 4, 5, 6, 7, "... (384 items)"]
    assert shown["rows"]["..."] == "99 fields"  # type: ignore[index, call-overload]
    assert shown["deep"] == {"a": {"b": {"c": "list of 2"}}}


@settings(max_examples=30)
@given(st.dictionaries(st.text(), json_values, max_size=30))
def test_a_summary_is_always_small_json(fields: dict[str, Any]) -> None:
    assert len(json.dumps(summarise_fields(fields), allow_nan=False)) < 200_000


def test_an_error_keeps_its_frames_but_no_source_line() -> None:
    with pytest.raises(ValueError, match="password") as caught:
        raise ValueError("password=hunter2")

    shown = summarise_error(caught.value)

    assert shown is not None
    assert (shown["exception_type"], shown["message"]) == ("ValueError", "password=***")
    assert "test_an_error_keeps_its_frames" in shown["traceback"]
    assert "hunter2" not in shown["traceback"]


@pytest.mark.parametrize("compressed", [True, False])
def test_records_become_lines_that_only_their_owner_can_read(
    tmp_path: Path, compressed: bool
) -> None:
    path = traces_file(tmp_path)

    assert post(path, "trace", [{"id": "t1"}], compressed=compressed) == 204
    assert post(path, "span", [{"id": "s1", "name": "Übung \ud800"}], compressed=compressed) == 204

    lines = path.read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["kind"] for line in lines] == ["trace", "span"]
    assert "Übung" in lines[1]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_the_file_answers_a_health_check_and_knows_nothing_else(tmp_path: Path) -> None:
    with httpx.Client(transport=JsonLinesTransport(tmp_path / "t.jsonl")) as client:
        assert client.get("http://opik.invalid/api/is-alive/ping").status_code == 200
        assert client.get("http://opik.invalid/api/v1/private/prompts").status_code == 404
    assert not list(tmp_path.iterdir())


def test_no_file_means_no_traces(tmp_path: Path) -> None:
    assert read_traces(tmp_path) == []


def test_the_latest_record_of_an_id_counts_in_whatever_order_they_came(tmp_path: Path) -> None:
    done = record("trace", "t1", end_time="2026-11-20T12:00:10Z")
    started = {**record("trace", "t1"), "last_updated_at": "2026-11-20T12:00:01Z"}
    write_records(tmp_path, json.dumps(done), json.dumps(started))

    [work] = read_traces(tmp_path)

    assert (work.status, work.duration_s) == ("ok", 10.0)


def test_spans_of_a_run_that_died_are_shown_as_unfinished(tmp_path: Path) -> None:
    span = record("span", "s1", trace_id="t1", end_time="2026-11-20T12:00:01Z")
    write_records(tmp_path, json.dumps(span))

    [work] = read_traces(tmp_path)

    assert (work.trace_id, work.name, work.status, work.duration_s) == (
        "t1",
        "",
        "unfinished",
        None,
    )
    assert [span.name for span in work.spans] == ["s1"]


def test_the_newest_traces_come_first_and_no_more_than_asked_for(tmp_path: Path) -> None:
    starts = {f"t{n}": f"2026-11-20T12:00:0{n}Z" for n in range(5)}
    write_records(
        tmp_path, *(json.dumps(record("trace", t, start_time=s)) for t, s in starts.items())
    )

    assert [work.trace_id for work in read_traces(tmp_path, limit=2)] == ["t4", "t3"]


def test_a_torn_line_is_reported_and_hides_no_other(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole = json.dumps(record("trace", "t1"))
    write_records(tmp_path, whole[:40], whole)

    assert [work.trace_id for work in read_traces(tmp_path)] == ["t1"]
    assert "1 unreadable lines" in caplog.text


def test_complaints_become_one_line_without_secrets(caplog: pytest.LogCaptureFixture) -> None:
    complaints = Complaints("http://ada:hunter2@opik:5173/api")
    sdk = logging.LogRecord(
        "opik.sdk", logging.ERROR, "", 1, "first\n  %s", ("api_key=x1y2z3",), None
    )

    complaints.emit(sdk)
    complaints.emit(sdk)
    complaints.warn("no answer")

    [line] = caplog.messages
    assert line.startswith("traces are lost at http://***@opik:5173/api: first api_key=***.")


def test_a_server_that_stops_answering_is_noticed_while_work_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    moments = [0.0]
    request = httpx.Request("GET", "http://opik:5173/api/is-alive/ping")
    complaints = Complaints("http://opik:5173/api", clock=lambda: moments[-1])

    complaints.on_request(request)
    complaints.on_response(httpx.Response(200))
    moments.append(PATIENCE_S)
    complaints.on_request(request)
    assert not caplog.messages

    moments.append(PATIENCE_S + 1)
    complaints.on_request(request)
    complaints.on_request(request)
    assert caplog.messages == [
        "traces are lost at http://opik:5173/api: no answer. The work itself goes on."
    ]
