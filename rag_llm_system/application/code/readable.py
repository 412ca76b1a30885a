"""What of a file a question can be answered from: text that a person wrote, and no secret."""

import codecs
import errno
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

PROSE = frozenset({"", "markdown", "rst", "text"})

# Mean characters of a line. Of the files of a large Python environment, those that people wrote have up to 100;
# of texts with one line a paragraph, a few hundred.
_MAX_MEAN_LINE = 300
_MAX_MEAN_PROSE_LINE = 2000
_FEW_BYTES = 2000  # one long line alone makes no bundle

_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_HEAD_LINES, _HEAD_BYTES = 10, 4096
_COMMENT = re.compile(r"""\s*(?:#|//|/\*|\*|--|<!--|;|%|\{#|'''|\"{3}|@?rem\b)""", re.IGNORECASE)
_GENERATED = re.compile(
    r"@generated\b|\bDO NOT (?:EDIT|MODIFY)\b"
    r"|(?i:\b(?:auto-?|automatically |code )generated (?:by|from)\b)"
)
_GENERATED_NAMES = frozenset(
    {"go.sum", "npm-shrinkwrap.json", "package-lock.json", "packages.lock.json"}
)
_LOCK_NAMES = re.compile(r".+\.lock(?:b|file)?|(?:.+[-_.])?lock\.(?:json|ya?ml)")
_MINIFIED_NAMES = re.compile(r".+[.-](?:min|bundle)\.(?:m?js|cjs|css)")
_DATA = frozenset({
    *(".csv", ".geojson", ".jsonl", ".log", ".map", ".ndjson", ".po", ".pot", ".snap", ".svg", ".tsv"),
})  # fmt: skip

_SECRET_NAMES = re.compile(
    r"\.env(?:\..+)?|.+\.env|id_(?:rsa|dsa|ecdsa|ed25519)|\.?(?:netrc|pgpass|npmrc|pypirc|htpasswd|git-credentials|dockercfg)"
    r"|(?:client_)?(?:secrets?|credentials)(?:\.(?:json|ya?ml|toml|ini))?"
    r"|.+\.(?:pem|key|p12|pfx|jks|keystore|kdbx|ppk)"
)
_EXAMPLES = re.compile(r".+\.(?:example|sample|template|dist|defaults?)")
_PRIVATE_KEY = re.compile(rb"\s*-----BEGIN [A-Z ]*PRIVATE KEY-----")

_ENCODINGS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


@dataclass(frozen=True)
class Read:
    """A file's bytes, or in ``reason`` why there are none."""

    data: bytes = b""
    reason: str = ""


def open_regular(path: Path) -> BinaryIO:
    """Open a file for reading; raises OSError for what is a link or anything else than a regular file.

    Without waiting: opening a pipe would, until somebody writes to it.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return os.fdopen(handle, "rb")


def read(path: Path, max_bytes: int) -> Read:
    """The bytes of a regular file; a larger one is not read, one that grows meanwhile not further than that."""
    try:
        with open_regular(path) as file:
            if os.fstat(file.fileno()).st_size > max_bytes:
                return Read(reason="too large")
            data = file.read(max_bytes + 1)
    except OSError as error:
        return Read(reason=_REASONS.get(error.errno or 0, "unreadable"))
    return Read(reason="too large") if len(data) > max_bytes else Read(data)


_REASONS = {
    errno.ENOENT: "vanished",
    errno.ENOTDIR: "vanished",
    errno.ESTALE: "vanished",
    errno.ELOOP: "symlink",
    errno.EINVAL: "not a regular file",
    errno.ENXIO: "not a regular file",
    errno.EOPNOTSUPP: "not a regular file",
}


def refused_name(path: str) -> str:
    """Why a file of that name is never opened, or ""."""
    name = PurePosixPath(path).name.lower()
    if _SECRET_NAMES.fullmatch(name) and not _EXAMPLES.fullmatch(name):
        return "may hold secrets"
    if name in _GENERATED_NAMES or _LOCK_NAMES.fullmatch(name):
        return "generated"
    if _MINIFIED_NAMES.fullmatch(name):
        return "minified"
    return ""


def is_data(path: str) -> bool:
    """Whether the name says that the file holds records and not what people read."""
    return PurePosixPath(path).suffix.lower() in _DATA


def text_of(data: bytes) -> str | None:
    """The text, line ends as they are; None for another encoding than UTF-8 and, where it says so, UTF-16."""
    encoding = next((e for mark, e in _ENCODINGS.items() if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def refused_bytes(data: bytes) -> str:
    """Why these bytes are no text to read, or "". Git calls a file binary when it holds a NUL byte, and so do we."""
    if data.startswith(_LFS_POINTER):
        return "LFS pointer"
    if _PRIVATE_KEY.match(data):
        return "may hold secrets"
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return "binary" if b"\x00" in data and not wide else ""


def refused_text(text: str, language: str) -> str:
    """Why a text is of no use to questions, or ""."""
    if not text.strip():
        return "empty"
    longest = _MAX_MEAN_PROSE_LINE if language in PROSE else _MAX_MEAN_LINE
    if len(text) > max(_FEW_BYTES, longest * (text.count("\n") + 1)):
        return "minified"
    head = text[:_HEAD_BYTES].splitlines()[:_HEAD_LINES]
    if any(_COMMENT.match(line) and _GENERATED.search(line) for line in head):
        return "generated"
    return ""
