"""Reads repositories from the .tar.gz archives that forges offer: one request, and nothing on the disk."""

import zlib
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import chain
from typing import Protocol
from urllib.parse import unquote, urldefrag

from rag_llm_system.domain.documents import Source
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.domain.ports import RepositorySnapshot
from rag_llm_system.infrastructure.fetchers.tar_stream import DamagedArchive, Member, TarStream
from rag_llm_system.infrastructure.fetchers.text_files import RepositoryLimits, TextFiles

_GZIP = b"\x1f\x8b"  # how a gzip stream begins (RFC 1952)
_PIECE_BYTES = 65_536  # how much one step of decompression may put out
_LEFT_OUT = {"symlink": "symlink", "hard link": "hard link", "other": "not a regular file"}


class Downloaded(Protocol):
    """A body that is still coming in."""

    @property
    def etag(self) -> str: ...

    @property
    def chunks(self) -> Iterator[bytes]: ...


class Download(Protocol):
    """Opens a link, as HttpFetcher.download does; gives None when the server says that ``etag`` still holds."""

    def __call__(
        self, link: str, *, etag: str = "", max_bytes: int, timeout_s: float
    ) -> AbstractContextManager[Downloaded | None]: ...


class TarballRepositoryReader:
    """Implements RepositoryReader for links of ``git archive`` output, such as codeload.github.com's.

    A fragment names a folder or file of the repository, and then only that is read:
    ``https://codeload.github.com/<owner>/<name>/tar.gz/HEAD#src``. The names in an archive are nothing but names
    here; those that lead out of its folder are refused all the same. ``timeout_s`` bounds a whole read.
    """

    def __init__(
        self,
        download: Download,
        *,
        limits: RepositoryLimits = RepositoryLimits(),  # noqa: B008 - frozen
        timeout_s: float = 120.0,
    ) -> None:
        self._download = download
        self._limits = limits
        self._timeout_s = timeout_s

    def head(self, location: str) -> str:
        with self._opened(location) as archive:
            return archive.commit if archive else ""

    def read(self, location: str) -> RepositorySnapshot:
        with self._opened(location) as archive:
            if archive is None:
                raise CrawlError(location, "answered 'not modified' to an unconditional request")
            return archive.snapshot()

    def read_if_changed(self, location: str, known: Source) -> RepositorySnapshot | None:
        """Where the server has no etags, the commit in the archive's first block tells, and no more is read."""
        with self._opened(location, known.etag) as archive:
            if archive is None or (known.commit and known.commit == archive.commit):
                return None
            return archive.snapshot()

    @contextmanager
    def _opened(self, location: str, etag: str = "") -> Iterator["_Archive | None"]:
        link, fragment = urldefrag(location)
        max_bytes = self._limits.max_unpacked_bytes
        try:
            with self._download(
                link, etag=etag, max_bytes=max_bytes, timeout_s=self._timeout_s
            ) as answer:
                under = unquote(fragment)
                yield None if answer is None else _Archive(answer, under, self._limits)
        except DamagedArchive as error:
            raise CrawlError(link, f"the archive is damaged: {error}", kind="damaged") from error
        except _TooLarge as error:
            way_out = "a git+https: link leaves large files on the server"
            reason = f"the archive holds more than {max_bytes:,} bytes; {way_out}"
            raise CrawlError(link, reason, kind="too large") from error
        except CrawlError as error:
            if error.kind != "gone":
                raise
            reason = "the repository or the branch does not exist or is private"
            raise CrawlError(link, reason, kind="gone", page=error.page) from error


class _Archive:
    """An archive that is coming in, read up to its first member."""

    def __init__(self, answer: Downloaded, under: str, limits: RepositoryLimits) -> None:
        self._etag = answer.etag
        self._under = under.strip("/")
        self._files = TextFiles(limits)
        self._unpacked = _Unpacked(answer.chunks, limits.max_unpacked_bytes)
        self._tar = TarStream(self._unpacked)
        self._members = iter(self._tar)
        self._first = next(self._members, None)
        self._top = ""

    @property
    def commit(self) -> str:
        return self._tar.commit

    def snapshot(self) -> RepositorySnapshot:
        for member in self._all():
            path = self._path(member)
            if member.kind == "folder" or not self._asked_for(path):
                continue
            self._take(path, member)
            if path == self._under and member.kind == "file":
                break  # the one file that was asked for
        else:
            self._unpacked.finish()
        return self._files.snapshot(self.commit, etag=self._etag)

    def _all(self) -> Iterator[Member]:
        if self._first:
            yield self._first
        yield from self._members

    def _path(self, member: Member) -> str:
        """Its path in the repository, or "" for a refused name, which is counted, and for the top folder."""
        try:
            name = member.name.decode("utf-8")
        except UnicodeDecodeError:
            self._files.leave_out("file name not UTF-8")
            return ""
        parts = [part for part in name.split("/") if part not in {"", "."}]
        if name.startswith("/") or ".." in parts or "\x00" in name or not parts:
            self._files.leave_out("unsafe name")
            return ""
        top, *inside = parts
        self._top = self._top or top  # all members lie in one folder, <repository>-<commit>/
        if top != self._top or (not inside and member.kind != "folder"):
            self._files.leave_out("unsafe name")
            return ""
        return "/".join(inside)

    def _asked_for(self, path: str) -> bool:
        inside = not self._under or path == self._under or path.startswith(f"{self._under}/")
        return bool(path) and inside

    def _take(self, path: str, member: Member) -> None:
        self._files.forget(path)  # as tar does: the last of a name counts
        if member.kind in _LEFT_OUT:
            self._files.leave_out(_LEFT_OUT[member.kind])
        elif self._files.wants(member.size_bytes):
            self._files.offer(path, self._tar.content(member))


class _TooLarge(Exception):
    """More came out of the compressed stream than may."""


class _Unpacked:
    """The decompressed bytes of a gzip stream, in order."""

    def __init__(self, chunks: Iterable[bytes], max_bytes: int) -> None:
        self._pieces = _pieces(chunks, max_bytes)
        self._ahead = bytearray()

    def read(self, size: int) -> bytes:
        while len(self._ahead) < size:
            self._ahead += self._piece()
        taken = bytes(self._ahead[:size])
        del self._ahead[:size]
        return taken

    def skip(self, size: int) -> None:
        while size > len(self._ahead):
            size -= len(self._ahead)
            self._ahead = bytearray(self._piece())
        del self._ahead[:size]

    def finish(self) -> None:
        """Read to the end, where the checksum of the whole stands."""
        for _ in self._pieces:
            pass

    def _piece(self) -> bytes:
        for piece in self._pieces:
            return piece
        raise DamagedArchive("it ends too early")


def _pieces(chunks: Iterable[bytes], max_bytes: int) -> Iterator[bytes]:
    """The archive's bytes. A server that calls gzip the coding of its answer had it removed on the way here."""
    coming, start = iter(chunks), b""
    while len(start) < len(_GZIP) and (chunk := next(coming, b"")):
        start += chunk
    whole = chain([start], coming)
    total = 0
    for piece in _gunzip(whole) if start.startswith(_GZIP) else whole:
        total += len(piece)
        if total > max_bytes:
            raise _TooLarge
        yield piece


def _gunzip(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Decompresses in small steps, so that a bomb is noticed before it costs anything."""
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        for chunk in chunks:
            data, piece = chunk, b""
            while not inflater.eof and (data or len(piece) == _PIECE_BYTES):
                piece = inflater.decompress(data, _PIECE_BYTES)
                data = inflater.unconsumed_tail
                yield piece
    except zlib.error as error:
        raise DamagedArchive("its compressed data make no sense") from error
    if not inflater.eof:
        raise DamagedArchive("it was cut off")
