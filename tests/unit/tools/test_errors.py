"""How commands end: one line and an exit code; an error nobody foresaw keeps its traceback."""

import os
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

SAYS_TWO_LINES = """
import click
from tools.errors import clean_exit
with clean_exit():
    click.echo("one")
    input()
    click.echo("two")
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
    # with a buffer, as users have it: what is left in it is written once more at the exit
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    with subprocess.Popen(
        [sys.executable, "-c", SAYS_TWO_LINES],
        cwd=PROJECT_ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as command:
        assert command.stdout is not None
        assert command.stdout.readline() == "one\n"
        command.stdout.close()
        _, said = command.communicate("\n", timeout=10)
    assert said == ""
    assert command.returncode != 0
