"""The sandbox of worker processes against pages that hang, crash and flood, and against the end of its own process."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from rag_llm_system.domain.errors import BackendError, CrawlError
from rag_llm_system.infrastructure.sandboxes.process import ProcessSandbox
from tests import sandboxed

DEADLINE_S = 20.0

# a program with two workers, one idle and one that never ends; it tells their process ids and waits
PARENT = """
import sys, threading, time
from pathlib import Path
from rag_llm_system.domain.errors import BackendError
from rag_llm_system.infrastructure.sandboxes.process import ProcessSandbox
from tests import sandboxed

def spin():
    try:
        sandbox.run(sandboxed.spin, sys.argv[1])
    except BackendError:
        pass

sandbox = ProcessSandbox(workers=2, timeout_s=60)
try:
    threading.Thread(target=spin).start()
    while not Path(sys.argv[1]).exists():
        time.sleep(0.01)
    print(Path(sys.argv[1]).read_text(), sandbox.run(sandboxed.own_pid), flush=True)
    sandbox.run(sandboxed.after, 60)
except KeyboardInterrupt:
    print("interrupted", flush=True)
finally:
    sandbox.close()
"""


@pytest.fixture
def sandbox() -> Iterator[ProcessSandbox]:
    with closing(ProcessSandbox(workers=2, timeout_s=DEADLINE_S)) as opened:
        yield opened


@contextmanager
def running(seen: Path) -> Iterator[subprocess.Popen[str]]:
    """The program in a process group of its own, as a terminal would start it."""
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(seen)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        start_new_session=True,
    ) as process:
        yield process
        process.kill()


def workers_of(process: subprocess.Popen[str]) -> list[int]:
    assert process.stdout is not None
    return [int(pid) for pid in process.stdout.readline().split()]


def has_ended(pid: int) -> bool:
    """A zombie has: who must reap it is another's matter."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def eventually(condition: Callable[[], bool], within_s: float = DEADLINE_S) -> bool:
    """Ask again until it is true, at most until the deadline."""
    deadline = time.monotonic() + within_s
    while not (met := condition()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return met


def refused(sandbox: ProcessSandbox, function: Callable[..., Any], *args: Any) -> CrawlError:
    with pytest.raises(CrawlError) as caught:
        sandbox.run(function, *args)
    return caught.value


def test_a_page_that_never_ends_costs_its_time_and_no_more() -> None:
    with closing(ProcessSandbox(workers=1, timeout_s=0.5)) as sandbox:
        before = sandbox.run(sandboxed.own_pid)
        started = time.monotonic()

        error = refused(sandbox, sandboxed.spin)

        assert 0.5 <= time.monotonic() - started < 5
        assert (error.kind, error.reason) == ("too large", "reading it takes more than 0.5 s")
        assert has_ended(before)
        assert sandbox.run(sandboxed.own_pid) != before


def test_the_wait_for_a_turn_is_not_counted() -> None:
    with (
        closing(ProcessSandbox(workers=1, timeout_s=1.0)) as sandbox,
        ThreadPoolExecutor(8) as pool,
    ):
        ran = list(pool.map(partial(sandbox.run, sandboxed.after), [0.3] * 8))

    assert len(set(ran)) == 1


def test_a_page_that_takes_too_much_memory_is_too_large() -> None:
    with closing(ProcessSandbox(workers=1, memory_mb=256)) as sandbox:
        before = sandbox.run(sandboxed.own_pid)

        error = refused(sandbox, sandboxed.allocate, 3 * 1024)

        assert error.kind == "too large"
        assert error.reason == "the page needs more memory than one may take"
        assert sandbox.run(sandboxed.own_pid) != before
        assert sandbox.run(sandboxed.allocate, 200) == 200 * 1024**2


def test_a_worker_that_does_not_give_memory_back_is_replaced() -> None:
    with closing(ProcessSandbox(workers=1, memory_mb=512)) as sandbox:
        first = sandbox.run(sandboxed.keep, 10)
        assert sandbox.run(sandboxed.keep_in_a_circle, 400) == first
        assert sandbox.run(sandboxed.keep, 300) == first
        assert sandbox.run(sandboxed.keep, 300) != first


def test_a_page_that_ends_the_worker_is_too_large(sandbox: ProcessSandbox) -> None:
    exited = refused(sandbox, sandboxed.end, 3)
    crashed = refused(sandbox, sandboxed.crash)

    assert {exited.kind, crashed.kind} == {"too large"}
    assert exited.reason == "reading it ended the worker process (exit status 3)"
    assert crashed.reason == "reading it ended the worker process (signal 11)"
    assert sandbox.run(sandboxed.upper, "next") == "NEXT"


def test_a_page_nested_too_deeply_for_a_library_in_c_is_too_large(sandbox: ProcessSandbox) -> None:
    assert refused(sandbox, sandboxed.recurse_in_c).kind == "too large"
    assert sandbox.run(sandboxed.upper, "next") == "NEXT"


def test_a_worker_that_somebody_killed_while_it_was_idle_is_replaced(
    sandbox: ProcessSandbox,
) -> None:
    idle = sandbox.run(sandboxed.own_pid)
    os.kill(idle, signal.SIGKILL)
    assert eventually(lambda: has_ended(idle))

    assert sandbox.run(sandboxed.own_pid) != idle


def test_large_pages_and_results_pass_and_larger_ones_are_refused(sandbox: ProcessSandbox) -> None:
    size = 20 * 1024**2
    assert sandbox.run(sandboxed.upper, "x" * size) == "X" * size

    over = 101 * 1024**2
    sent = refused(sandbox, sandboxed.upper, "x" * over)
    assert (sent.kind, sent.reason) == ("too large", "the page has 101 MB")
    given = refused(sandbox, sandboxed.text_of, over)
    assert (given.kind, given.reason) == ("too large", "what was read from it has 101 MB")
    assert sandbox.run(sandboxed.upper, "next") == "NEXT"


def test_what_a_library_prints_goes_nowhere(
    sandbox: ProcessSandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    assert sandbox.run(sandboxed.noise) == "read b''"
    assert sandbox.run(sandboxed.noise) == "read b''"

    assert capfd.readouterr() == ("", "")


def test_a_worker_knows_no_secrets(
    sandbox: ProcessSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "s3cret")

    known = sandbox.run(sandboxed.environment)

    assert set(known) <= {"PYTHONPATH", "PATH", "LANG", "LC_CTYPE"}


def test_half_a_surrogate_pair_is_a_fault_of_the_page(sandbox: ProcessSandbox) -> None:
    error = refused(sandbox, sandboxed.half_a_pair)

    assert error.kind == "damaged"
    assert sandbox.run(sandboxed.upper, "a \ud800 in a page"[:1]) == "A"


def test_where_a_parser_failed_is_told_to_who_debugs(
    sandbox: ProcessSandbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    refused(sandbox, sandboxed.stumble, "https://example.org/")

    assert "tests.sandboxed:stumble" in caplog.text
    assert 'raise KeyError(f"what a parser' in caplog.text
    assert {record.levelno for record in caplog.records} == {logging.DEBUG}


@pytest.mark.parametrize(
    ("function", "wrong"),
    [
        (sandboxed.an_object, "gave what its annotation does not say.*object"),
        (sandboxed.not_an_int, "gave what its annotation does not say.*int"),
        (sandboxed.without_annotation, "does not say what it returns; annotate its result"),
        (lambda: 1, "no function at the top level of a module"),
    ],
    ids=["an object", "another type", "no annotation", "a lambda"],
)
def test_a_function_that_cannot_be_run_elsewhere_is_a_bug(
    sandbox: ProcessSandbox, function: Any, wrong: str
) -> None:
    with pytest.raises(TypeError, match=wrong):
        sandbox.run(function)

    assert sandbox.run(sandboxed.upper, "next") == "NEXT"


def test_a_result_that_json_changed_is_not_taken(sandbox: ProcessSandbox) -> None:
    """JSON has no NaN: null comes back, which is no number."""
    assert refused(sandbox, sandboxed.not_a_number).kind == "damaged"


def test_workers_are_started_when_they_are_needed() -> None:
    with closing(ProcessSandbox(workers=4)) as sandbox:
        assert len({sandbox.run(sandboxed.own_pid) for _ in range(10)}) == 1
        with ThreadPoolExecutor(16) as pool:
            pids = set(pool.map(partial(sandbox.run, sandboxed.after), [0.05] * 40))

    assert 1 < len(pids) <= 4


def test_a_worker_outlives_the_thread_that_needed_it_first(sandbox: ProcessSandbox) -> None:
    """Linux sends a parent's death signal when the thread that started the process ends."""
    pids: list[int] = []
    thread = threading.Thread(target=lambda: pids.append(sandbox.run(sandboxed.own_pid)))
    thread.start()
    thread.join()

    time.sleep(0.2)  # nothing to wait for: what must not happen

    assert sandbox.run(sandboxed.own_pid) == pids[0]


def test_closing_ends_workers_at_work_and_those_who_wait_for_them(tmp_path: Path) -> None:
    seen = tmp_path / "pid"
    sandbox = ProcessSandbox(workers=1, timeout_s=60)
    with ThreadPoolExecutor(3) as pool:
        at_work = pool.submit(sandbox.run, sandboxed.spin, str(seen))
        assert eventually(seen.exists)
        waiting = [pool.submit(sandbox.run, sandboxed.upper, "text") for _ in range(2)]
        sandbox.close()
        for future in (at_work, *waiting):
            assert isinstance(future.exception(timeout=DEADLINE_S), BackendError)

    assert has_ended(int(seen.read_text()))
    with pytest.raises(BackendError, match="the sandbox was closed"):
        sandbox.run(sandboxed.upper, "text")


def test_closing_leaves_no_process(sandbox: ProcessSandbox) -> None:
    with ThreadPoolExecutor(4) as pool:
        pids = set(pool.map(partial(sandbox.run, sandboxed.after), [0.1] * 4))
    assert len(pids) == 2

    sandbox.close()

    assert all(has_ended(pid) for pid in pids)


@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's parent-death signal")
def test_no_worker_outlives_a_killed_parent(tmp_path: Path) -> None:
    with running(tmp_path / "pid") as parent:
        workers = workers_of(parent)
        assert len(set(workers)) == 2
        parent.kill()
        parent.wait()

        assert eventually(lambda: all(has_ended(pid) for pid in workers), within_s=3)


def test_an_interrupt_that_reaches_a_worker_is_not_for_it(sandbox: ProcessSandbox) -> None:
    pid = sandbox.run(sandboxed.own_pid)

    os.kill(pid, signal.SIGINT)

    assert sandbox.run(sandboxed.after, 0.1) == pid


def test_ctrl_c_is_the_parents_matter(tmp_path: Path) -> None:
    with running(tmp_path / "pid") as parent:
        workers = workers_of(parent)
        for pid in workers:
            os.kill(pid, signal.SIGINT)
        os.killpg(parent.pid, signal.SIGINT)
        out, err = parent.communicate(timeout=DEADLINE_S)

    assert (parent.returncode, out, err) == (0, "interrupted\n", "")
    assert all(has_ended(pid) for pid in workers)


def test_ctrl_c_in_the_middle_of_a_call_ends_that_worker_alone(sandbox: ProcessSandbox) -> None:
    """Its answer would be taken for that to the next call."""
    before = sandbox.run(sandboxed.own_pid)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    handler = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        with pytest.raises(KeyboardInterrupt):
            sandbox.run(sandboxed.after, 1.0)
    finally:
        signal.signal(signal.SIGALRM, handler)

    assert has_ended(before)
    assert sandbox.run(sandboxed.upper, "next") == "NEXT"
