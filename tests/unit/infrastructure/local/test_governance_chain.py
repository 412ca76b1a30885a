"""The log's chain: what was appended verifies, what was changed afterwards is found, and a crash breaks nothing."""

import errno
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rag_llm_system.domain.errors import BackendError, MissingFile, StorageFull
from rag_llm_system.infrastructure.local.governance import (
    GovernanceLog,
    GovernanceMonitor,
    Policy,
    verify,
)

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
Lines = list[bytes]


def log_with(path: Path, records: int) -> GovernanceLog:
    """A log of that many records, one a minute."""
    log = GovernanceLog(path, now=lambda: NOW)
    minutes = iter(range(records))
    monitor = GovernanceMonitor(
        Policy.banning(), log, clock=lambda: NOW + timedelta(minutes=next(minutes))
    )
    for number in range(records):
        monitor.log_inference(f"question {number}", "answer", "compliant")
    return log


def lines_of(path: Path) -> Lines:
    return path.read_bytes().splitlines(keepends=True)


def head_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.head")


def test_what_was_appended_verifies(tmp_path: Path):
    path = tmp_path / "governance" / "log.jsonl"
    log = log_with(path, 3)

    verified = verify(path)

    assert verified.whole
    assert (verified.records, verified.first, verified.last) == (3, NOW, NOW + timedelta(minutes=2))
    assert verified.size_bytes == log.size_bytes == path.stat().st_size
    assert verified.hash == json.loads(lines_of(path)[-1])["hash"]
    assert (verified.healed, verified.unfinished_bytes) == (0, 0)


def test_a_line_is_plain_json_with_a_record_and_its_place_in_the_chain(tmp_path: Path):
    log_with(tmp_path / "log.jsonl", 2)
    first, second = (json.loads(line) for line in lines_of(tmp_path / "log.jsonl"))

    assert first["timestamp"] == "2026-01-02T03:04:05Z"
    assert (first["n"], first["event"], first["server"]) == (1, "inference", "inference")
    assert (first["input"], first["output"], first["status"]) == (
        "question 0",
        "answer",
        "compliant",
    )
    assert (first["previous"], second["previous"]) == ("0" * 64, first["hash"])


def test_only_the_owner_may_read_the_log(tmp_path: Path):
    log_with(tmp_path / "log.jsonl", 1)
    assert (tmp_path / "log.jsonl").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "text", ["half a pair \ud800", "a line\nand \u2028 another\r\n", "\x00", "é" * 600]
)
def test_any_text_can_be_kept(tmp_path: Path, text: str):
    monitor = GovernanceMonitor(Policy.banning(), GovernanceLog(tmp_path / "log.jsonl"))
    record = monitor.log_inference(text, text, "compliant")

    assert verify(tmp_path / "log.jsonl").records == 1
    assert json.loads(lines_of(tmp_path / "log.jsonl")[0])["input"] == record.input


def test_an_empty_log_is_whole(tmp_path: Path):
    (tmp_path / "log.jsonl").touch()
    verified = verify(tmp_path / "log.jsonl")
    assert (verified.whole, verified.records, verified.first) == (True, 0, None)


def test_a_log_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(MissingFile, match=r"log\.jsonl"):
        verify(tmp_path / "log.jsonl")


def edited(lines: Lines) -> Lines:
    return [*lines[:2], lines[2].replace(b"question 2", b"question 9"), *lines[3:]]


def reformatted(lines: Lines) -> Lines:
    return [*lines[:2], lines[2].replace(b'"n":3', b'"n": 3'), *lines[3:]]


def without_hash(lines: Lines) -> Lines:
    values = json.loads(lines[2])
    del values["hash"]
    return [*lines[:2], json.dumps(values).encode() + b"\n", *lines[3:]]


def doubly_ended(lines: Lines) -> Lines:
    return [*lines[:2], b"\n", *lines[2:]]


TAMPERED: list[tuple[Callable[[Lines], Lines], int, str]] = [
    (edited, 3, "it was edited"),
    (reformatted, 3, "it was edited"),
    (without_hash, 3, "it is no record"),
    (doubly_ended, 3, "it is no record"),
    (lambda lines: [*lines[:2], b"x" * (2 << 20), b"\n", *lines[2:]], 3, "it is no record"),
    (lambda lines: [*lines[:2], b"[" * 9000 + b',"hash":"' + b"0" * 64 + b'"}\n'], 3, "it is no record"),
    (lambda lines: lines[1:], 1, "line 1 of the chain is missing before it"),
    (lambda lines: [lines[0], *lines[3:]], 2, "lines 2 to 3 of the chain are missing before it"),
    (lambda lines: [lines[0], lines[2], lines[1], *lines[3:]], 2, "line 2 of the chain is missing"),
    (lambda lines: [*lines[:3], lines[1], *lines[3:]], 4, "it is number 2 of the chain where 4 belongs"),
    (lambda lines: lines[:-1], 4, "1 lines after it were cut off"),
    (lambda lines: [*lines[:-1], lines[-1][:-9]], 5, "1 lines after it were cut off"),
    (lambda lines: [*lines[:-2], edited(lines[-2:] * 2)[2]], 4, "1 lines after it were cut off"),
    (lambda lines: [], 0, "5 lines after it were cut off"),
]  # fmt: skip


@pytest.mark.parametrize(("tamper", "line", "reason"), TAMPERED)
def test_what_was_changed_afterwards_is_found_with_its_line(
    tmp_path: Path, tamper: Callable[[Lines], Lines], line: int, reason: str
):
    path = tmp_path / "log.jsonl"
    log_with(path, 5)
    path.write_bytes(b"".join(tamper(lines_of(path))))

    verified = verify(path)

    assert not verified.whole
    assert (verified.broken_line, verified.reason[: len(reason)]) == (line, reason)


def test_a_log_from_elsewhere_does_not_fit_the_head(tmp_path: Path):
    log_with(tmp_path / "log.jsonl", 3)
    log_with(tmp_path / "other.jsonl", 2)
    GovernanceMonitor(Policy.banning(), GovernanceLog(tmp_path / "other.jsonl")).log_inference(
        "forged", "", "compliant"
    )
    (tmp_path / "other.jsonl").replace(tmp_path / "log.jsonl")

    verified = verify(tmp_path / "log.jsonl")

    assert (verified.broken_line, verified.whole) == (3, False)
    assert "the head names another hash" in verified.reason


@pytest.mark.parametrize("head", [b"", b'{"records":3'])
def test_without_the_head_nobody_can_tell_whether_the_end_is_there(tmp_path: Path, head: bytes):
    log_with(tmp_path / "log.jsonl", 3)
    head_of(tmp_path / "log.jsonl").unlink()
    if head:
        head_of(tmp_path / "log.jsonl").write_bytes(head)

    assert "head file is missing or unreadable" in verify(tmp_path / "log.jsonl").reason


@pytest.mark.parametrize("kept", [0, 2])
def test_lines_that_were_cut_off_stay_missing_when_the_log_goes_on(tmp_path: Path, kept: int):
    path = tmp_path / "log.jsonl"
    log_with(path, 5)
    path.write_bytes(b"".join(lines_of(path)[:kept]))
    log_with(path, 4)

    verified = verify(path)

    assert verified.broken_line == kept + 1
    assert verified.reason == "lines before it were cut off; there had been 5"


def test_a_log_may_be_put_away_together_with_its_head(tmp_path: Path):
    path = tmp_path / "log.jsonl"
    log_with(path, 5)
    path.rename(tmp_path / "old.jsonl")
    head_of(path).rename(head_of(tmp_path / "old.jsonl"))
    log_with(path, 2)

    assert (verify(path).records, verify(tmp_path / "old.jsonl").records) == (2, 5)
    assert verify(path).whole
    assert verify(tmp_path / "old.jsonl").whole


@pytest.mark.parametrize("left", [1, 40, 200, -70, -2])
def test_a_line_that_a_crash_left_unfinished_is_named_by_the_next(tmp_path: Path, left: int):
    path, other = tmp_path / "log.jsonl", tmp_path / "other.jsonl"
    log_with(path, 2)
    log_with(other, 3)
    with path.open("ab") as file:
        file.write(lines_of(other)[-1][:left])

    unfinished = verify(path)
    log_with(path, 1)
    healed = verify(path)

    assert (unfinished.whole, unfinished.records, unfinished.unfinished_bytes > 0) == (
        True,
        2,
        True,
    )
    assert (healed.whole, healed.records, healed.healed, healed.unfinished_bytes) == (True, 3, 1, 0)


def test_a_line_that_lost_only_its_end_counts(tmp_path: Path):
    path = tmp_path / "log.jsonl"
    log_with(path, 3)
    path.write_bytes(path.read_bytes()[:-1])

    assert (verify(path).whole, verify(path).records) == (True, 3)
    log_with(path, 1)
    assert (verify(path).whole, verify(path).records, verify(path).healed) == (True, 4, 0)


def test_a_line_made_unreadable_later_does_not_pass_for_an_unfinished_one(tmp_path: Path):
    path = tmp_path / "log.jsonl"
    log_with(path, 2)
    with path.open("ab") as file:
        file.write(b'{"n":3,')
    log_with(path, 1)
    path.write_bytes(path.read_bytes().replace(b'{"n":3,\n', b'{"n":9,\n'))

    assert (verify(path).broken_line, verify(path).whole) == (3, False)


def test_a_crash_before_the_head_was_written_breaks_nothing(tmp_path: Path):
    path = tmp_path / "log.jsonl"
    log_with(path, 2)
    before = head_of(path).read_bytes()
    log_with(path, 1)
    head_of(path).write_bytes(before)

    assert verify(path).whole
    log_with(path, 1)
    assert (verify(path).whole, verify(path).records) == (True, 4)


def test_a_last_line_that_is_not_ours_does_not_stop_the_log(tmp_path: Path):
    path = tmp_path / "log.jsonl"
    log_with(path, 2)
    with path.open("ab") as file:
        file.write(b"a note\n")
    log_with(path, 1)

    assert (verify(path).broken_line, verify(path).reason[:15]) == (3, "it is no record")
    assert json.loads(lines_of(path)[-1])["n"] == 3


@pytest.mark.parametrize(
    ("number", "error"), [(errno.ENOSPC, StorageFull), (errno.EACCES, BackendError)]
)
def test_a_file_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, error: type[BackendError]
):
    def refuse(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "write", refuse)
    with pytest.raises(error, match=r"governance log .*log\.jsonl: .*; no record was kept"):
        log_with(tmp_path / "log.jsonl", 1)


def test_a_disk_that_fills_up_in_a_line_leaves_a_chain_that_heals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "log.jsonl"
    log_with(path, 1)
    write = os.write
    with monkeypatch.context() as full:
        full.setattr(os, "write", lambda file, data: write(file, data[:50]))
        with pytest.raises(StorageFull):
            log_with(path, 1)
    log_with(path, 1)

    assert (verify(path).whole, verify(path).records, verify(path).healed) == (True, 2, 1)


def test_the_disk_is_asked_to_keep_lines_at_most_once_a_second(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    synced: list[int] = []
    monkeypatch.setattr(os, "fdatasync", synced.append)
    seconds = iter([10.0, 10.0, 10.5, 10.9, 11.0, 11.0])
    log = GovernanceLog(tmp_path / "log.jsonl", monotonic=lambda: next(seconds))
    monitor = GovernanceMonitor(Policy.banning(), log)
    for _ in range(4):
        monitor.log_inference("", "", "compliant")

    assert len(synced) == 2
