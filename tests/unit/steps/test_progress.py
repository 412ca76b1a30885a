"""Progress on something that is no terminal: plain lines, and not too many."""

import time

import pytest

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
        "  embedding: 4 of 8",
        "  reading: 10",
        "  embedding: 8 of 8",
        "  reading: 20",
    ]
