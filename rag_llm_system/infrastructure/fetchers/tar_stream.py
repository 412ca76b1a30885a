"""Reads a tar archive as a stream, one member after another, for archives that nobody trusts.

Not with the standard library's tarfile: in Python 3.11.7 a header of 40,000 digits, 125 bytes once compressed,
costs it a second, and ten times as many a hundred times that (CVE-2024-6232); a negative size makes it loop
(CVE-2025-8194); and an extended header of any size is read into memory.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

MAX_HEADER_BYTES = (
    65_536  # an extended header holds a path and a link target; Linux ends both at 4 KiB
)
_BLOCK_BYTES = 512
_CHECKSUM = slice(148, 156)
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")  # SHA-1 or SHA-256

Kind = Literal["file", "folder", "symlink", "hard link", "other"]
_KINDS: dict[bytes, Kind] = {
    b"0": "file",
    b"\x00": "file",
    b"7": "file",
    b"1": "hard link",
    b"2": "symlink",
    b"5": "folder",
}
# These have no content, whatever their size says: for a hard link it is that of the file it names (POSIX, pax).
_WITHOUT_CONTENT = frozenset(b"123456")
_LONG_NAME, _LONG_LINK, _PAX, _PAX_GLOBAL = b"L", b"K", b"x", b"g"


class DamagedArchive(Exception):
    """Not a tar archive, or one that was cut off; the message is a reason for a CrawlError."""


class Bytes(Protocol):
    """A stream of bytes. Both methods raise DamagedArchive when it ends too early."""

    def read(self, size: int) -> bytes:
        """Exactly so many."""

    def skip(self, size: int) -> None: ...


@dataclass(frozen=True)
class Member:
    """One entry of an archive; ``name`` is as it stands there, unchecked."""

    name: bytes
    kind: Kind
    size_bytes: int


class TarStream:
    """The members of an archive in their order; the current one's content can be read once."""

    def __init__(self, stream: Bytes) -> None:
        self._stream = stream
        self._unread = 0  # of the current member, with its padding
        self.commit = ""
        """What `git archive` wrote into the archive's first header, known once a member was given out."""

    def __iter__(self) -> Iterator[Member]:
        long_name, fields = b"", dict[bytes, bytes]()
        while header := self._header():
            kind = header[156:157]
            size = _number(header[124:136])
            if kind in {_LONG_NAME, _LONG_LINK, _PAX, _PAX_GLOBAL}:
                extension = self._extension(size)
                if kind == _LONG_NAME:
                    long_name = extension.rstrip(b"\x00")
                elif kind == _PAX:
                    fields = dict(_pax_fields(extension))
                elif kind == _PAX_GLOBAL:
                    self.commit = _commit_of(dict(_pax_fields(extension))) or self.commit
                continue
            size = _decimal(fields[b"size"]) if b"size" in fields else size
            self._unread = 0 if header[156] in _WITHOUT_CONTENT else _padded(size)
            yield Member(
                name=fields.get(b"path") or long_name or _name_of(header),
                kind=_KINDS.get(kind, "other"),
                size_bytes=size,
            )
            self._stream.skip(self._unread)
            long_name, fields = b"", {}

    def content(self, member: Member) -> bytes:
        """The content of the current member."""
        padded = self._stream.read(self._unread)
        self._unread = 0
        return padded[: member.size_bytes]

    def _header(self) -> bytes:
        """The next header block, or b"" at the archive's end, which is a block of zeros."""
        block = self._stream.read(_BLOCK_BYTES)
        if not block.strip(b"\x00"):
            return b""
        unsummed = sum(block) - sum(block[_CHECKSUM]) + 8 * ord(" ")
        if _number(block[_CHECKSUM]) != unsummed:
            raise DamagedArchive("not a tar archive, or damaged: a checksum is wrong")
        return block

    def _extension(self, size: int) -> bytes:
        if size > MAX_HEADER_BYTES:
            raise DamagedArchive(f"a header of {size:,} bytes")
        return self._stream.read(_padded(size))[:size]


def _padded(size: int) -> int:
    return -(-size // _BLOCK_BYTES) * _BLOCK_BYTES


def _name_of(header: bytes) -> bytes:
    name = header[:100].partition(b"\x00")[0]
    prefix = header[345:500].partition(b"\x00")[0] if header[257:263] == b"ustar\x00" else b""
    return prefix + b"/" + name if prefix else name


def _number(field: bytes) -> int:
    """Octal digits, or binary where the first bit is set (GNU, star)."""
    if field[0] & 0x80:
        if field[0] != 0x80:
            raise DamagedArchive("a negative number in a header")
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b" \x00")
    try:
        return int(digits or b"0", 8)
    except ValueError:
        raise DamagedArchive("a header without numbers") from None


def _decimal(digits: bytes) -> int:
    if not digits.isdigit() or len(digits) > 20:
        raise DamagedArchive("a header without numbers")
    return int(digits)


def _pax_fields(extension: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Records of ``<length> <name>=<value>\\n``, the length counting itself."""
    at = 0
    while at < len(extension):
        digits, _, _ = extension[at : at + 21].partition(b" ")
        end = at + _decimal(digits)
        record = extension[at + len(digits) + 1 : end]
        name, equals, value = record.partition(b"=")
        if end > len(extension) or not equals or not value.endswith(b"\n"):
            raise DamagedArchive("a malformed extended header")
        yield name, value[:-1]
        at = end


def _commit_of(fields: dict[bytes, bytes]) -> str:
    comment = fields.get(b"comment", b"").decode("ascii", "replace")
    return comment if _COMMIT.fullmatch(comment) else ""
