"""Several processes append to one governance log; some of them are killed while they do."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rag_llm_system.infrastructure.local.governance import (
    GovernanceLog,
    GovernanceMonitor,
    Policy,
    verify,
)
from rag_llm_system.settings import PROJECT_ROOT
from tools.verify_governance_log import main

_APPEND = """
import itertools, sys
from pathlib import Path
from rag_llm_system.infrastructure.local.governance import GovernanceLog, GovernanceMonitor, Policy
monitor = GovernanceMonitor(Policy.banning(), GovernanceLog(Path(sys.argv[1])), "rag")
for number in range(int(sys.argv[2])) if sys.argv[2] != "on" else itertools.count():
    monitor.log_inference(f"question {number}", "an answer " * 40, "compliant")
    if number == 0:
        print("going", flush=True)
"""


@contextmanager
def appending(path: Path, records: str) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, "-c", _APPEND, str(path), records],
        cwd=PROJECT_ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def wait_until_it_goes(process: "subprocess.Popen[str]") -> None:
    assert process.stdout
    assert process.stdout.readline() == "going\n"


def verified(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    return tmp_path / "governance"


def test_several_processes_write_one_chain(folder: Path):
    path = folder / "rag.jsonl"
    with (
        appending(path, "400") as one,
        appending(path, "400") as two,
        appending(path, "400") as three,
    ):
        assert [process.wait() for process in (one, two, three)] == [0, 0, 0]

    assert (verify(path).whole, verify(path).records) == (True, 1200)


def test_processes_that_are_killed_leave_a_chain_that_goes_on(folder: Path):
    path = folder / "rag.jsonl"
    for _ in range(3):
        with appending(path, "on") as one, appending(path, "on") as two:
            wait_until_it_goes(one)
            wait_until_it_goes(two)
            os.kill(one.pid, signal.SIGKILL)
            os.kill(two.pid, signal.SIGKILL)
    GovernanceMonitor(Policy.banning(), GovernanceLog(path)).log_inference("last", "", "compliant")

    assert verify(path).whole
    assert verify(path).records >= 7


def test_a_log_can_be_verified_while_it_is_written(folder: Path):
    path = folder / "rag.jsonl"
    with appending(path, "on") as process:
        wait_until_it_goes(process)
        seen = [verify(path) for _ in range(20)]

    assert all(one.whole for one in seen)
    assert [one.records for one in seen] == sorted(one.records for one in seen)


def test_the_command_says_that_all_is_well(folder: Path):
    for name in ("inference", "rag"):
        monitor = GovernanceMonitor(Policy.banning(), GovernanceLog(folder / f"{name}.jsonl"))
        for _ in range(3):
            monitor.log_inference("a question", "an answer", "compliant")

    ran = verified()

    assert ran.exit_code == 0
    lines = ran.stdout.splitlines()
    assert [line[: line.index(", 20")] for line in lines] == [
        "inference.jsonl: 3 records, chain whole",
        "rag.jsonl: 3 records, chain whole",
    ]
    assert verify(folder / "rag.jsonl").hash in lines[1]


def test_the_command_names_the_line_that_was_changed(folder: Path):
    path = folder / "rag.jsonl"
    monitor = GovernanceMonitor(Policy.banning(), GovernanceLog(path))
    for number in range(3):
        monitor.log_inference(f"question {number}", "an answer", "compliant")
    path.write_bytes(path.read_bytes().replace(b"question 1", b"question 7"))

    ran = verified(str(path))

    assert ran.exit_code == 1
    assert ran.stdout == (
        "rag.jsonl: chain broken at line 2: it was edited: its hash is not that of its text (1 record before it)\n"
    )


def test_the_command_says_when_there_is_nothing_to_verify(folder: Path):
    ran = verified()
    assert ran.exit_code == 0
    assert ran.stdout.startswith("no governance log below ")


def test_the_command_refuses_a_file_that_is_not_there(folder: Path):
    ran = verified(str(folder / "none.jsonl"))
    assert ran.exit_code == 2
    assert "none.jsonl: No such file" in ran.stderr
