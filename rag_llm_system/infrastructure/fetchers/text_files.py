"""Chooses the text files of a repository, within limits, and counts what is left out."""

from collections import Counter
from dataclasses import dataclass

from rag_llm_system.domain.documents import RepositoryFile
from rag_llm_system.domain.ports import RepositorySnapshot

_LFS_POINTER = b"version https://git-lfs.github.com/spec/"


@dataclass(frozen=True)
class RepositoryLimits:
    """How much of a repository is read; the rest is counted as left out.

    A larger file is data or generated; 20,000 files and 50 MB hold all but the largest code bases.
    ``max_unpacked_bytes`` bounds what is looked at on the way, and beyond it nothing is read at all.
    """

    max_file_bytes: int = 512 * 1024
    max_files: int = 20_000
    max_total_bytes: int = 50_000_000
    max_unpacked_bytes: int = 200_000_000


class TextFiles:
    """Collects files offered in order of their paths; after the first that exceeds a total, no more are taken."""

    def __init__(self, limits: RepositoryLimits) -> None:
        self._limits = limits
        self._files: dict[str, RepositoryFile] = {}
        self._bytes = 0
        self._full = False
        self._left_out: Counter[str] = Counter()

    def leave_out(self, reason: str) -> None:
        self._left_out[reason] += 1

    def wants(self, size_bytes: int) -> bool:
        """Whether a file of that size is worth reading; one that is not is counted."""
        if size_bytes > self._limits.max_file_bytes:
            self.leave_out("too large")
        elif self._full:
            self.leave_out("over the total limit")
        else:
            return True
        return False

    def offer(self, path: str, content: bytes) -> None:
        """Take the file if it is text; Git calls a file binary when it holds a NUL byte, and so do we."""
        if not self.wants(len(content)):
            return
        if b"\x00" in content:
            self.leave_out("binary")
        elif content.startswith(_LFS_POINTER):
            self.leave_out("LFS pointer")
        elif self._would_exceed(len(content)):
            self._full = True
            self.leave_out("over the total limit")
        else:
            self._files[path] = RepositoryFile(path=path, content=content)
            self._bytes += len(content)

    def forget(self, path: str) -> None:
        """Give up an earlier file of that name, for an archive in which the last one counts."""
        earlier = self._files.pop(path, None)
        if earlier is not None:
            self._bytes -= len(earlier.content)
            self.leave_out("replaced in the archive")

    def snapshot(self, commit: str, *, etag: str = "") -> RepositorySnapshot:
        return RepositorySnapshot(
            commit=commit,
            files=tuple(self._files.values()),
            left_out=dict(sorted(self._left_out.items())),
            etag=etag,
        )

    def _would_exceed(self, size_bytes: int) -> bool:
        return (
            len(self._files) >= self._limits.max_files
            or self._bytes + size_bytes > self._limits.max_total_bytes
        )
