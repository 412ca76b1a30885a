"""Progress on something that is no terminal: plain lines, and not too many."""

import itertools
import time

import pytest
from rich.console import Console

import steps.progress
from steps.progress import LINE_EVERY_S, progress, say


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)


def test_a_line_is_said_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    line = f"  [1/3] http://a.example/[bold]/{'long/' * 60}"
    say(line)
    assert capsys.readouterr() == ("", f"{line}\n")


def test_short_work_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("embedding", 100) as advance:
        for _ in range(100):
            advance(1)
    assert capsys.readouterr() == ("", "")


def test_long_work_says_a_line_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    with progress("embedding", 8) as known, progress("reading", None) as unknown:
        for _ in range(4):
            clock[0] += 0.5 * LINE_EVERY_S
            known(2)
            unknown(5)
    assert capsys.readouterr().err.splitlines() == [
        "  embedding: 4 of 8, 0.4/s, 10 s left",
        "  reading: 10, 1.0/s",
        "  embedding: 8 of 8, 0.4/s, 0 s left",
        "  reading: 20, 1.0/s",
    ]


def test_a_terminal_gets_a_bar_with_rate_and_time_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = itertools.count()
    terminal = Console(
        stderr=True, force_terminal=True, width=100, get_time=lambda: float(next(clock))
    )
    monkeypatch.setattr(steps.progress, "_console", terminal)
    with progress("embedding", 4) as advance:
        assert list(advance.each(range(4))) == [0, 1, 2, 3]
    shown = capsys.readouterr().err
    assert "4/4" in shown
    assert "/s" in shown
    assert "0:00:00" in shown
