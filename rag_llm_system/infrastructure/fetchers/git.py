"""Reads repositories with the git command: one commit, no checkout, no hooks, nobody's configuration."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import SplitResult, unquote, urlsplit

from rag_llm_system.domain.documents import canonical_link
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.domain.ports import RepositorySnapshot
from rag_llm_system.infrastructure.fetchers.addresses import UnusableHost, addresses_of
from rag_llm_system.infrastructure.fetchers.folder import read_folder
from rag_llm_system.infrastructure.fetchers.text_files import RepositoryLimits, TextFiles

_BATCH_BYTES = 8_000_000  # how much file content is in memory before it is looked at
_PORTS = {"https": 443, "http": 80}
_LEFT_OUT_MODES = {"120000": "symlink", "160000": "submodule"}

# What git prints, and what it means to the person who gave the link.
_REASONS = {
    "terminal prompts disabled": "the repository does not exist or is private",
    "Authentication failed": "the repository does not exist or is private",
    "not found": "the repository does not exist",
    "redirect": "the repository has moved; use its new address",
    "Needed a single revision": "the repository has no commit",
}


@dataclass(frozen=True)
class _Blob:
    path: str
    oid: str
    size_bytes: int


class GitRepositoryReader:
    """Implements RepositoryReader for ``https://`` locations and, with ``allow_local``, for folders.

    A local location is a path or ``git+file:<path>``, relative to ``base``. A folder that holds no repository is
    walked instead and has no commit, and so is every folder when git is not installed: examples must also
    work from an unpacked archive. ``timeout_s`` bounds each git command.
    """

    def __init__(
        self,
        *,
        allow_local: bool = False,
        base: Path = Path(),
        allow_private: bool = False,
        protocols: Sequence[str] = ("https",),
        timeout_s: float = 120.0,
        limits: RepositoryLimits = RepositoryLimits(),  # noqa: B008 - frozen
    ) -> None:
        self._allow_local = allow_local
        self._base = base
        self._allow_private = allow_private
        self._protocols = tuple(protocols)
        self._timeout_s = timeout_s
        self._limits = limits

    def head(self, location: str) -> str:
        folder = self._local_folder(location)
        if folder is None:
            url, shield = self._remote(location)
            listing = self._git(url, *shield, "ls-remote", "--", url, "HEAD", online=True)
            commit = listing.decode().partition("\t")[0]
            if not commit:
                raise CrawlError(url, "the repository has no commit")
            return commit
        git_dir = _git_dir(folder)
        return "" if git_dir is None else self._commit(location, git_dir)

    def read(self, location: str) -> RepositorySnapshot:
        folder = self._local_folder(location)
        if folder is None:
            with self._cloned(location) as git_dir:
                return self._snapshot(location, git_dir)
        local_git_dir = _git_dir(folder)
        if local_git_dir is not None:
            return self._snapshot(location, local_git_dir)
        files = TextFiles(self._limits)
        try:
            read_folder(folder, files)
        except OSError as error:
            raise CrawlError(location, f"cannot read the folder: {error.strerror}") from error
        return files.snapshot(commit="")

    def _local_folder(self, location: str) -> Path | None:
        """The folder of a local location, or None for a remote one."""
        path = _local_path(location)
        if path is None:
            return None
        if not self._allow_local:
            raise CrawlError(
                location,
                "local repositories are not allowed here; the config must say allow_local: true",
            )
        folder = (self._base / path).resolve()
        if not folder.is_dir():
            raise CrawlError(location, "no such folder")
        return folder

    def _remote(self, location: str) -> tuple[str, list[str]]:
        """The URL without user-info, and the options that keep git on the address that was checked."""
        url, parts = _url_of(location, self._protocols)
        host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 443)
        try:
            addresses = addresses_of(host, port, allow_private=self._allow_private)
        except UnusableHost as error:
            raise CrawlError(url, str(error)) from error
        pinned = ",".join(f"[{a}]" if ":" in a else a for a in addresses)
        # curloptResolve needs git 2.37; an older one would ignore it and ask the resolver again
        options = ("http.followRedirects=false", f"http.curloptResolve={host}:{port}:{pinned}")
        return url, [word for option in options for word in ("-c", option)]

    @contextmanager
    def _cloned(self, location: str) -> Iterator[Path]:
        url, shield = self._remote(location)
        with TemporaryDirectory(prefix="rag-clone-") as folder:
            git_dir = Path(folder, "repository.git")
            self._git(
                url,
                *shield,
                "clone",
                *("--bare", "--depth=1", "--single-branch", "--no-tags", "--template="),
                f"--filter=blob:limit={self._limits.max_file_bytes + 1}",
                *("--", url, str(git_dir)),
                online=True,
            )
            yield git_dir

    def _snapshot(self, location: str, git_dir: Path) -> RepositorySnapshot:
        commit = self._commit(location, git_dir)
        files = TextFiles(self._limits)
        for batch in _batches(self._blobs(location, git_dir, commit, files)):
            oids = "".join(f"{blob.oid}\n" for blob in batch).encode()
            output = self._git(location, "cat-file", "--batch", git_dir=git_dir, stdin=oids)
            for blob, content in zip(batch, _contents(output, batch), strict=True):
                files.offer(blob.path, content)
        return files.snapshot(commit)

    def _commit(self, location: str, git_dir: Path) -> str:
        arguments = ("rev-parse", "--verify", "--end-of-options", "HEAD^{commit}")
        return self._git(location, *arguments, git_dir=git_dir).decode().strip()

    def _blobs(
        self, location: str, git_dir: Path, commit: str, files: TextFiles
    ) -> Iterator[_Blob]:
        """The regular files of a commit that are worth reading, ordered by path."""
        sizes = self._sizes(location, git_dir)
        tree = self._git(location, "ls-tree", "-r", "-z", "--full-tree", commit, git_dir=git_dir)
        for entry in tree.split(b"\x00")[:-1]:
            header, _, name = entry.partition(b"\t")
            mode, _, oid = header.decode().split(" ")
            if mode in _LEFT_OUT_MODES:
                files.leave_out(_LEFT_OUT_MODES[mode])
            elif (path := _text_of(name)) is None:
                files.leave_out("file name not UTF-8")
            elif oid not in sizes:  # the filter of the clone left it on the server
                files.leave_out("too large")
            elif files.wants(sizes[oid]):
                yield _Blob(path, oid, sizes[oid])

    def _sizes(self, location: str, git_dir: Path) -> dict[str, int]:
        """Of all objects that are here: naming one that is not would make git fetch it."""
        arguments = ("cat-file", "--batch-all-objects", "--unordered")
        form = "--batch-check=%(objectname) %(objectsize)"
        lines = self._git(location, *arguments, form, git_dir=git_dir).decode().splitlines()
        return {oid: int(size) for oid, size in (line.split(" ") for line in lines)}

    def _git(
        self,
        location: str,
        *arguments: str,
        git_dir: Path | None = None,
        stdin: bytes = b"",
        online: bool = False,
    ) -> bytes:
        """The output of a git command, or a CrawlError with what it complained of."""
        program = shutil.which("git")
        if program is None:
            raise CrawlError(location, "git is not installed; install it to read this repository")
        where = [f"--git-dir={git_dir}"] if git_dir else []
        process = subprocess.Popen(  # noqa: S603 - no shell; links come after "--"
            [program, *where, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(self._protocols if online else ()),
            start_new_session=True,
        )
        try:
            output, complaint = process.communicate(stdin, self._timeout_s)
        except subprocess.TimeoutExpired as error:
            os.killpg(process.pid, signal.SIGKILL)  # git's helpers hold the pipes open
            process.communicate()
            raise CrawlError(location, f"git took longer than {self._timeout_s:g} s") from error
        if process.returncode:
            raise CrawlError(location, _reason(complaint.decode(errors="replace")))
        return output


def _environment(protocols: Iterable[str]) -> dict[str, str]:
    """All that git gets to see. An empty list of protocols also stops a local repository from fetching."""
    return {
        "PATH": os.defpath,
        "HOME": os.devnull,
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ALLOW_PROTOCOL": ":".join(protocols),
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
    }


def _local_path(location: str) -> str | None:
    """A plain path, or the path of a ``git+file:`` link; None for a link of another scheme."""
    scheme, colon, rest = location.partition(":")
    if scheme == "git+file":
        return unquote(rest.removeprefix("//"))
    return None if colon and "/" not in scheme else location


def _url_of(location: str, protocols: Sequence[str]) -> tuple[str, SplitResult]:
    try:
        parts = urlsplit(location.removeprefix("git+"))
        url = canonical_link(parts.geturl())
    except ValueError:
        raise CrawlError(_shown(location), "malformed link") from None
    if "@" in parts.netloc:
        raise CrawlError(url, "links with a user name or password are not read")
    if parts.scheme not in protocols or not parts.hostname:
        known = " or ".join(f"{protocol}://<host>/..." for protocol in protocols)
        raise CrawlError(_shown(location), f"not a repository location; use {known}")
    return url, parts


def _shown(location: str) -> str:
    """A location that could not be taken apart; what stands before an @ may be a password."""
    return "a location with '@'" if "@" in location else location


def _git_dir(folder: Path) -> Path | None:
    """Where a folder keeps its repository; None when it holds none itself, or git is not installed."""
    if shutil.which("git") is None:
        return None
    if (folder / ".git").exists():
        return folder / ".git"
    bare = (folder / "HEAD").is_file() and (folder / "objects").is_dir()
    return folder if bare and (folder / "refs").is_dir() else None


def _batches(blobs: Iterable[_Blob]) -> Iterator[list[_Blob]]:
    batch: list[_Blob] = []
    size_bytes = 0
    for blob in blobs:
        batch.append(blob)
        size_bytes += blob.size_bytes
        if size_bytes >= _BATCH_BYTES:
            yield batch
            batch, size_bytes = [], 0
    if batch:
        yield batch


def _contents(output: bytes, batch: Iterable[_Blob]) -> Iterator[bytes]:
    """Cuts ``<oid> blob <size>\\n<content>\\n`` repeated."""
    at = 0
    for blob in batch:
        start = output.index(b"\n", at) + 1
        at = start + blob.size_bytes + 1
        yield output[start : at - 1]


def _text_of(name: bytes) -> str | None:
    try:
        return name.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _reason(complaint: str) -> str:
    for fragment, reason in _REASONS.items():
        if fragment in complaint:
            return reason
    # a server may send any bytes to the terminal; one printable line is enough
    lines = [line.removeprefix("fatal: ").strip() for line in complaint.splitlines()]
    last = next((line for line in reversed(lines) if line), "failed without a word")
    return "git: " + "".join(filter(str.isprintable, last))[:200]
