"""How commands end: one line and an exit code; an error nobody foresaw keeps its traceback."""

import subprocess
import sys

import pytest

from rag_llm_system.domain.errors import (
    ConfigurationError,
    CrawlError,
    DataError,
    RagSystemError,
    StorageFull,
    UnknownName,
)
from rag_llm_system.settings import PROJECT_ROOT
from tools.errors import clean_exit

SAYS_MUCH = """
from tools.errors import clean_exit
with clean_exit():
    for _ in range(10_000):
        print("a line", flush=True)
"""


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (ConfigurationError("wrong"), 2),
        (UnknownName("backend", "x", ["y"]), 2),
        (DataError("lost"), 2),
        (CrawlError("http://a.example", "gone"), 2),
        (StorageFull("full"), 1),
        (RagSystemError("other"), 1),
    ],
)
def test_an_error_of_ours_is_one_line_and_a_code(
    error: RagSystemError, exit_code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended, clean_exit():
        raise error
    assert ended.value.code == exit_code
    assert capsys.readouterr().err == f"error: {error}\n"


def test_a_secret_is_not_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit), clean_exit():
        raise StorageFull("mongodb://ada:hunter2@db.example is full")
    assert capsys.readouterr().err == "error: mongodb://***@db.example is full\n"


def test_ctrl_c_ends_with_its_own_code(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, clean_exit():
        raise KeyboardInterrupt
    assert ended.value.code == 130
    assert "the next run goes on" in capsys.readouterr().err


def test_an_error_that_nobody_foresaw_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), clean_exit():
        raise ZeroDivisionError


def test_a_reader_that_has_enough_gets_no_traceback() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SAYS_MUCH],
        cwd=PROJECT_ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as command:
        assert command.stdout is not None
        assert command.stderr is not None
        command.stdout.readline()
        command.stdout.close()
        assert command.stderr.read() == ""
        assert command.wait(10) == 1
