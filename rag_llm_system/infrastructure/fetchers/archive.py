"""Reads ZIP archives without unpacking them: single files, by name, within limits of size."""

import hashlib
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from rag_llm_system.domain.errors import CrawlError

MAX_FILE_BYTES = 20_000_000
MAX_TOTAL_BYTES = 500_000_000
MAX_FILES = 200_000
MAX_RATIO = 200  # text shrinks to a fifth, a long table to a fiftieth; DEFLATE ends at a thousandth
_RATIO_COUNTS_FROM_BYTES = 1_000_000
_ENCRYPTED = 0x1  # of the general purpose flags (APPNOTE 4.4.4)
# Others unpack without a bound for one step, or need libraries that Python may lack.
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
# Everything that zipfile raises for an archive that is not as it should be; RuntimeError: a password is
# needed, or a method of compression that it does not know.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    KeyError,
    RuntimeError,
    ValueError,
)


class ZipArchive:
    """One archive, open while the block runs. Nothing is written, and archives inside it stay closed.

    Raises CrawlError, of kind "damaged" or "too large", for what cannot or must not be read. ``left_out`` counts
    the names that lead out of the archive: they are neither listed nor read.
    """

    def __init__(
        self,
        path: Path,
        *,
        max_file_bytes: int = MAX_FILE_BYTES,
        max_total_bytes: int = MAX_TOTAL_BYTES,
    ) -> None:
        self._link = f"file:{path.name}"
        self._max_file_bytes = max_file_bytes
        self._max_total_bytes = max_total_bytes
        self._read_bytes = 0
        try:
            with path.open("rb") as file:
                self._sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            self._zip = zipfile.ZipFile(path)
        except OSError as error:
            reason = f"cannot read the file: {error.strerror}"
            raise CrawlError(self._link, reason) from error
        except _DAMAGE as error:
            reason = "not a ZIP archive, or a damaged one; download it again"
            raise CrawlError(self._link, reason, kind="damaged") from error
        files = [info for info in self._zip.infolist() if not info.is_dir()]
        if len(files) > MAX_FILES:
            self._zip.close()
            raise CrawlError(self._link, f"more than {MAX_FILES:,} files", kind="too large")
        self._files = {info.filename: info for info in files if _is_safe(info.filename)}
        unsafe = sum(not _is_safe(info.filename) for info in files)
        self.left_out: Mapping[str, int] = {"unsafe name": unsafe} if unsafe else {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    @property
    def sha256(self) -> str:
        """Of the whole archive."""
        return self._sha256

    def names(self) -> Sequence[str]:
        """The files, sorted."""
        return sorted(self._files)

    def read(self, name: str) -> bytes:
        info = self._files.get(name)
        if info is None:
            raise CrawlError(self._link, f"there is no file {name!r} in it", kind="damaged")
        self._check(info)
        try:
            with self._zip.open(info) as file:
                content = file.read(self._max_file_bytes + 1)
        except (*_DAMAGE, OSError) as error:
            reason = f"{name!r} in it is damaged; download it again"
            raise CrawlError(self._link, reason, kind="damaged") from error
        self._read_bytes += len(content)
        if len(content) > self._max_file_bytes or self._read_bytes > self._max_total_bytes:
            raise self._too_large(name)
        return content

    def _check(self, info: zipfile.ZipInfo) -> None:
        """What the archive says of the file; that it is true is checked while reading."""
        name = info.filename
        if info.flag_bits & _ENCRYPTED:
            reason = f"{name!r} in it is encrypted; pack it again without a password"
            raise CrawlError(self._link, reason, kind="damaged")
        if info.compress_type not in _METHODS:
            reason = f"{name!r} in it is packed in an unusual way; pack it again"
            raise CrawlError(self._link, reason, kind="damaged")
        ratio = info.file_size / max(info.compress_size, 1)
        bomb = info.file_size > _RATIO_COUNTS_FROM_BYTES and ratio > MAX_RATIO
        whole = self._read_bytes + info.file_size
        if bomb or info.file_size > self._max_file_bytes or whole > self._max_total_bytes:
            raise self._too_large(name)

    def _too_large(self, name: str) -> CrawlError:
        limits = f"{self._max_file_bytes:,} bytes a file, {self._max_total_bytes:,} in all"
        reason = f"{name!r} in it unpacks to more than is read: {limits}"
        return CrawlError(self._link, reason, kind="too large")


def open_archive(path: Path) -> ZipArchive:
    """The archive with the limits that hold for exports."""
    return ZipArchive(path)


def _is_safe(name: str) -> bool:
    """Whether it names a place inside the archive, on every system."""
    parts = name.replace("\\", "/").split("/")
    return bool(parts[0]) and ".." not in parts and ":" not in parts[0] and "\x00" not in name
