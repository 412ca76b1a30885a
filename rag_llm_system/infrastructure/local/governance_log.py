"""The governance log: JSON lines that are only ever appended, chained by hash, written by any number of processes."""

import errno
import fcntl
import hashlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.errors import BackendError, StorageFull
from rag_llm_system.infrastructure.local.governance_chain import (
    CUT,
    FIRST,
    INFERENCE,
    TORN,
    Head,
    head_path,
    opened,
    read_head,
    sealed,
)
from rag_llm_system.infrastructure.local.governance_policy import Server
from rag_llm_system.infrastructure.local.governance_rules import Finding

SYNC_S = 1.0
"""The disk is asked to keep what was written at most this often. What a process wrote survives its crash anyway; a
power failure may take what the system had not written back, and the head then says how much is missing."""

_BLOCK_BYTES = 16 * 1024
_HEAD_CHARS = 119
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class GovernanceRecord(Value):
    """One inference. The texts are redacted and cut; digests and lengths are those of the whole texts."""

    timestamp: datetime
    server: Server
    policy: str
    trace_id: str
    status: str
    findings: tuple[Finding, ...]
    input: str
    input_sha256: str
    input_chars: int
    output: str
    output_sha256: str
    output_chars: int


class GovernanceLog:
    """Appends under a lock that all processes share; nothing stays open in between.

    A line that a crash left unfinished stays where it is: it gets its line end, and the next line names its length and
    hash, so that the chain goes on around it.
    """

    def __init__(
        self,
        path: Path,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.path = path
        self._now = now
        self._monotonic = monotonic
        self._synced_at = -SYNC_S

    def append(self, record: GovernanceRecord) -> None:
        """Raises StorageFull when the disk is full, BackendError when the file cannot be written."""
        try:
            with _locked(self.path) as file:
                self._append(file, record)
        except OSError as error:
            kind = StorageFull if error.errno in _FULL else BackendError
            reason = error.strerror or type(error).__name__
            raise kind(f"governance log {self.path}: {reason}; no record was kept") from error

    @property
    def size_bytes(self) -> int:
        return self.path.stat().st_size if self.path.is_file() else 0

    def _append(self, file: int, record: GovernanceRecord) -> None:
        head = read_head(self.path)
        chain = _Chain(*_ending(file), head)
        if chain.torn:
            digest = hashlib.sha256(chain.torn).hexdigest()
            chain.add(TORN, self._event({"bytes": len(chain.torn), "sha256": digest}))
        if head and chain.misses(head):
            chain.add(CUT, self._event({"head_records": head.records, "head_hash": head.hash}))
        chain.add(INFERENCE, record.model_dump(mode="json"))
        written = os.write(file, chain.lines)
        if written < len(chain.lines):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._sync(file)
        _keep_head(self.path, Head(records=chain.n, hash=chain.previous))

    def _event(self, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"timestamp": self._now().isoformat(), **fields}

    def _sync(self, file: int) -> None:
        if self._monotonic() - self._synced_at >= SYNC_S:
            os.fdatasync(file)
            self._synced_at = self._monotonic()


class _Chain:
    """Where the chain ends in the file, and the lines to go on with."""

    def __init__(self, last_line: bytes, torn: bytes, head: Head | None) -> None:
        self.lines = b""
        self.torn = torn
        if torn:
            self.lines = b"\n"
            # only the line end was lost
            if opened(torn):
                last_line, self.torn = torn, b""
        if last := opened(last_line):
            self.n, self.previous = last.n, last.hash
        elif last_line and head:
            # not written by us; verification stops there, and the records go on
            self.n, self.previous = head.records, head.hash
        else:
            self.n, self.previous = 0, FIRST
        self._start = (self.n, self.previous)

    def misses(self, head: Head) -> bool:
        """Whether the head knows of more than the file has. A crash may leave it one behind, never ahead."""
        n, digest = self._start
        return head.records > n or (head.records == n and head.hash != digest)

    def add(self, event: str, fields: Mapping[str, Any]) -> None:
        line, digest = sealed(self.n + 1, event, self.previous, fields)
        self.lines += line
        self.n, self.previous = self.n + 1, digest


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """The file, open for appending and locked; the lock ends with the process, however it ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            # while we waited, somebody may have moved the log away
            if _is_at(path, file):
                yield file
                return
        finally:
            os.close(file)


def _is_at(path: Path, file: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file))
    except FileNotFoundError:
        return False


def _ending(file: int) -> tuple[bytes, bytes]:
    """The last whole line, and what stands behind it."""
    start = os.fstat(file).st_size
    end = b""
    while start and end.count(b"\n") < 2:
        length = min(_BLOCK_BYTES, start)
        start -= length
        end = os.pread(file, length, start) + end
    before, _, torn = end.rpartition(b"\n")
    return before.rpartition(b"\n")[2], torn


def _keep_head(log: Path, head: Head) -> None:
    """In place, always as long as before, and within one block of the disk; readers take the log's lock.

    A new file that replaces the old one would cost more than all the rest of a record: the disk is then waited for.
    """
    file = os.open(head_path(log), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.pwrite(file, f"{head.model_dump_json():<{_HEAD_CHARS}}\n".encode(), 0)
    finally:
        os.close(file)
