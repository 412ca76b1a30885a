"""Verifies the chain of a governance log, line by line, without holding the log in memory."""

import fcntl
import hashlib
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.errors import MissingFile
from rag_llm_system.infrastructure.local.governance_chain import (
    CUT,
    FIRST,
    INFERENCE,
    TORN,
    Head,
    Link,
    opened,
    read_head,
)

_LONGEST_LINE_BYTES = 1 << 20
"""A hundred times a record: more is not ours, and is not read at once."""


class Verified(Value):
    """What a log holds up to its end, or up to the first line that is not as it was written.

    ``healed`` counts unfinished lines that a crash left and a later line names; ``unfinished_bytes`` are those of a
    last line without its end, of a crash or of a process that is writing. Whoever keeps ``records`` and ``hash``
    elsewhere can later tell that nothing up to there was rewritten.
    """

    records: int
    first: datetime | None
    last: datetime | None
    size_bytes: int
    hash: str
    healed: int = 0
    unfinished_bytes: int = 0
    broken_line: int | None = None
    reason: str = ""

    @property
    def whole(self) -> bool:
        return self.broken_line is None


class _Broken(Exception):
    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line, self.reason = line, reason


class _Walk:
    """The state of a verification."""

    def __init__(self, head: Head | None) -> None:
        self._head = head
        self._strange: tuple[int, bytes] | None = None
        self._n, self.hash = 0, FIRST
        self.lines = self.records = self.healed = self.unfinished_bytes = 0
        self.first: datetime | None = None
        self.last: datetime | None = None

    def over(self, file: BinaryIO) -> None:
        """Raises _Broken at the first line that is not as it was written."""
        for line in _lines(file):
            self.lines += 1
            if not line.endswith(b"\n"):
                self._unfinished(line)
            elif link := opened(line[:-1]):
                self._follow(link)
            else:
                self._refuse_strange()
                self._strange = (self.lines, line[:-1])
        self._refuse_strange()
        self._end()

    def _unfinished(self, line: bytes) -> None:
        if len(line) >= _LONGEST_LINE_BYTES:
            raise _Broken(self.lines, "it is no record: too long")
        self.unfinished_bytes = len(line)
        if (link := opened(line)) and not link.edited:
            self._follow(link)

    def _refuse_strange(self) -> None:
        if self._strange:
            raise _Broken(self._strange[0], "it is no record: edited, or written by something else")

    def _follow(self, link: Link) -> None:
        if self._strange and link.event == TORN:
            named = link.details.get("bytes"), link.details.get("sha256")
            torn = self._strange[1]
            if named == (len(torn), hashlib.sha256(torn).hexdigest()):
                self._strange = None
                self.healed += 1
        self._refuse_strange()
        if link.edited:
            raise _Broken(self.lines, "it was edited: its hash is not that of its text")
        if (link.n, link.previous) != (self._n + 1, self.hash):
            raise _Broken(self.lines, self._out_of_order(link))
        if link.event == CUT:
            known = link.details.get("head_records")
            raise _Broken(self.lines, f"lines before it were cut off; there had been {known}")
        self._n, self.hash = link.n, link.hash
        if self._head and self._head.records == link.n and self._head.hash != link.hash:
            raise _Broken(self.lines, "the head names another hash for it: the log was rewritten")
        if link.event == INFERENCE:
            self.records += 1
            self.first = self.first or link.timestamp
            self.last = link.timestamp

    def _out_of_order(self, link: Link) -> str:
        expected = self._n + 1
        if link.n > expected:
            gone = (
                f"line {expected}"
                if link.n == expected + 1
                else f"lines {expected} to {link.n - 1}"
            )
            return (
                f"{gone} of the chain {'is' if link.n == expected + 1 else 'are'} missing before it"
            )
        if link.n < expected:
            return f"it is number {link.n} of the chain where {expected} belongs: inserted, repeated or moved"
        return "it does not follow from the line before it, which was replaced"

    def _end(self) -> None:
        if self._n and not self._head:
            reason = "its head file is missing or unreadable: whether lines after it were cut off cannot be told"
            raise _Broken(self.lines, reason)
        if self._head and self._head.records > self._n:
            missing = self._head.records - self._n
            raise _Broken(self.lines, f"{missing:,} lines after it were cut off")


def verify(path: Path) -> Verified:
    """Reads the log and its head. Raises MissingFile when the log is not there.

    Not detectable: a log that somebody rewrote from some line to the end together with its head, unless its hash is
    known from elsewhere.
    """
    broken: _Broken | None = None
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            # the log only grows: from here on it has at least the lines that this head names
            walk = _Walk(read_head(path))
            fcntl.flock(file, fcntl.LOCK_UN)
            try:
                walk.over(file)
            except _Broken as found:
                broken = found
    except OSError as error:
        raise MissingFile(f"governance log {path}: {error.strerror}") from error
    return Verified(
        records=walk.records,
        first=walk.first,
        last=walk.last,
        size_bytes=path.stat().st_size,
        hash=walk.hash,
        healed=walk.healed,
        unfinished_bytes=walk.unfinished_bytes,
        broken_line=broken.line if broken else None,
        reason=broken.reason if broken else "",
    )


def _lines(file: BinaryIO) -> Iterator[bytes]:
    while line := file.readline(_LONGEST_LINE_BYTES):
        yield line
