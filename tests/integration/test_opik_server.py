"""The Opik SDK with a server that answers, refuses, is silent or is not there; and with none at all."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rag_llm_system.infrastructure.opik_utils import OpikTracer, read_traces
from tests.opik_receiver import opik_receiver

# Prints the time when its work is done, so that the wait at exit can be told from the import of the SDK.
WORK = """
import sys, time
from pathlib import Path
from rag_llm_system.infrastructure.opik_utils import OpikTracer
tracer = OpikTracer(Path(sys.argv[1]), "twin", *sys.argv[2:])
for n in range(50):
    with tracer.span("rag", inputs={"n": n}), tracer.span("retrieve"):
        pass
print(time.time(), flush=True)
"""

# Before anything else is imported; urllib3 binds a socket to see whether there is IPv6, and sends nothing.
NO_NETWORK = """
import os, sys
def guard(event, _arguments):
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo"}:
        os._exit(70)
sys.addaudithook(guard)
"""

# A loaded machine needs several times the 1 to 3 s that were measured on an idle one.
GENEROUS_S = 20.0


def run_isolated(code: str, home: Path, *arguments: str) -> tuple[float, str]:
    """Run ``code`` in a process with its own home and temporary folder; seconds from its work to its end, stderr."""
    scratch = home.with_name("scratch")
    scratch.mkdir()
    home.mkdir()
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(scratch)}
    child = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=environment,
        cwd=scratch,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    ended = time.time()
    assert child.returncode == 0, child.stderr
    assert not list(home.iterdir())
    assert not list(scratch.iterdir())
    return ended - float(child.stdout), child.stderr


def said_by_us(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.name.startswith("rag_llm_system.")]


def test_a_server_gets_the_trace_and_its_spans_with_key_and_workspace(tmp_path: Path) -> None:
    with opik_receiver(tmp_path) as receiver:
        tracer = OpikTracer(tmp_path / "unused", "twin", receiver.url, "key-of-mine", "team")
        with tracer.span("rag"), tracer.span("retrieve"):
            pass
        tracer.flush()
        [work] = read_traces(tmp_path)
        tracer.close()

    assert [span.name for span in work.spans] == ["rag", "retrieve"]
    assert {headers["authorization"] for headers in receiver.headers_seen} == {"key-of-mine"}
    assert {headers["comet-workspace"] for headers in receiver.headers_seen} == {"team"}
    assert not (tmp_path / "unused").exists()


def test_closing_delivers_what_was_not_flushed(tmp_path: Path) -> None:
    with opik_receiver(tmp_path) as receiver:
        tracer = OpikTracer(tmp_path / "unused", "twin", receiver.url)
        with tracer.span("rag"):
            pass
        tracer.close()
        tracer.close()

    assert [work.name for work in read_traces(tmp_path)] == ["rag"]


def test_a_server_that_refuses_costs_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with opik_receiver(tmp_path, status=401) as receiver:
        tracer = OpikTracer(tmp_path / "unused", "twin", receiver.url)
        for _ in range(3):
            with tracer.span("rag"):
                pass
            tracer.flush()
        tracer.close()

    [line] = said_by_us(caplog)
    assert line.startswith(f"traces are lost at {receiver.url}: ")


def test_a_server_that_never_answers_delays_nobody_for_long(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        tracer = OpikTracer(tmp_path, "twin", f"http://127.0.0.1:{silent.getsockname()[1]}/api")
        started = time.monotonic()
        for _ in range(20):
            with tracer.span("rag"):
                pass
            tracer.flush()
        tracer.close()

    assert time.monotonic() - started < GENEROUS_S
    [line] = said_by_us(caplog)
    assert line.endswith("no answer. The work itself goes on.")


def test_a_process_whose_server_is_gone_ends_soon_and_well(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    waited_s, stderr = run_isolated(WORK, tmp_path / "home", "d", f"http://127.0.0.1:{port}/api")

    assert waited_s < GENEROUS_S
    assert stderr.splitlines() == [
        f"traces are lost at http://127.0.0.1:{port}/api: no answer. The work itself goes on."
    ]


def test_without_a_server_a_process_uses_no_network_and_leaves_nothing_at_home(
    tmp_path: Path,
) -> None:
    waited_s, stderr = run_isolated(NO_NETWORK + WORK, tmp_path / "home", str(tmp_path / "data"))

    assert waited_s < GENEROUS_S
    assert stderr == ""
    assert len(read_traces(tmp_path / "data", limit=100)) == 50


def test_a_folder_that_cannot_be_written_costs_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "traces").write_text("in the way", encoding="utf-8")
    tracer = OpikTracer(tmp_path, "twin")
    for _ in range(3):
        with tracer.span("rag"):
            pass
        tracer.flush()
    tracer.close()

    [line] = said_by_us(caplog)
    assert line.startswith(f"traces are lost at {tmp_path / 'traces' / 'traces.jsonl'}: ")


def test_two_tracers_may_share_a_file(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    tracers = [OpikTracer(tmp_path, "twin"), OpikTracer(tmp_path, "twin")]
    for name, tracer in zip(("first", "second"), tracers, strict=True):
        with tracer.span(name):
            pass
        tracer.flush()
    for tracer in tracers:
        tracer.close()

    assert [work.name for work in read_traces(tmp_path)] == ["second", "first"]
    assert said_by_us(caplog) == []
