"""Reads repositories with the git command: one commit, no checkout, no hooks."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import SplitResult, unquote, urlsplit

from rag_llm_system.domain.crawling import FailureKind
from rag_llm_system.domain.documents import Source, canonical_link
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.domain.ports import RepositorySnapshot
from rag_llm_system.infrastructure.fetchers.addresses import AddressRules, UnusableHost
from rag_llm_system.infrastructure.fetchers.folder import read_folder
from rag_llm_system.infrastructure.fetchers.git_command import Git
from rag_llm_system.infrastructure.fetchers.text_files import RepositoryLimits, TextFiles

_BATCH_BYTES = 8_000_000  # how much file content is in memory before it is looked at
_MAX_OBJECT_LIST_BYTES = 2_000_000_000  # a local repository has all its history; read by lines
_PORTS = {"https": 443, "http": 80}
_LEFT_OUT_MODES = {"120000": "symlink", "160000": "submodule"}


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
        rules: AddressRules | None = None,
        allow_local: bool = False,
        base: Path = Path(),
        protocols: Sequence[str] = ("https",),
        timeout_s: float = 120.0,
        limits: RepositoryLimits = RepositoryLimits(),  # noqa: B008 - frozen
    ) -> None:
        self._rules = rules or AddressRules()
        self._allow_local = allow_local
        self._base = base
        self._protocols = tuple(protocols)
        self._git = Git(timeout_s=timeout_s)
        self._limits = limits

    def head(self, location: str) -> str:
        folder = self._local_folder(location)
        if folder is None:
            url, shield = self._remote(location)
            question = (*shield, "ls-remote", "--", url, "HEAD")
            listing = self._git.output(url, *question, protocols=self._protocols)
            commit = listing.decode().partition("\t")[0]
            if not commit:
                raise CrawlError(url, "the repository has no commit", kind="empty")
            return commit
        git_dir = self._git_dir(folder)
        return "" if git_dir is None else self._commit(location, git_dir)

    def read_if_changed(self, location: str, known: Source) -> RepositorySnapshot | None:
        if known.commit and known.commit == self.head(location):
            return None
        return self.read(location)

    def read(self, location: str) -> RepositorySnapshot:
        folder = self._local_folder(location)
        if folder is None:
            with self._cloned(location) as git_dir:
                return self._snapshot(location, git_dir)
        local_git_dir = self._git_dir(folder)
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
            reason = (
                "local repositories are not allowed here; the config must say allow_local: true"
            )
            raise CrawlError(location, reason, kind="not allowed")
        folder = (self._base / path).resolve()
        if not folder.is_dir():
            raise CrawlError(location, "no such folder")
        return folder

    def _remote(self, location: str) -> tuple[str, list[str]]:
        """The URL without user-info, and the options that keep git on the address that was checked."""
        url, parts = _url_of(location, self._protocols)
        host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 443)
        self._git.require_pinning(url)
        try:
            targets = self._rules.dial(host, port)
        except UnusableHost as error:
            kind: FailureKind = "unsafe" if error.unsafe else "unreachable"
            raise CrawlError(url, str(error), kind=kind) from error
        if any(other != port for _, other in targets):
            reason = f"git cannot connect to another port than {port}; change connect_to"
            raise CrawlError(url, reason, kind="unsafe")
        pinned = ",".join(f"[{a}]" if ":" in a else a for a, _ in targets)
        options = ("http.followRedirects=false", f"http.curloptResolve={host}:{port}:{pinned}")
        return url, [word for option in options for word in ("-c", option)]

    @contextmanager
    def _cloned(self, location: str) -> Iterator[Path]:
        url, shield = self._remote(location)
        with TemporaryDirectory(prefix="rag-clone-") as folder:
            git_dir = Path(folder, "repository.git")
            self._git.run(
                url,
                *shield,
                "clone",
                *("--bare", "--depth=1", "--single-branch", "--no-tags", "--template="),
                f"--filter=blob:limit={self._limits.max_file_bytes + 1}",
                *("--", url, str(git_dir)),
                protocols=self._protocols,
                max_bytes=self._limits.max_unpacked_bytes,
            ).close()
            yield git_dir

    def _snapshot(self, location: str, git_dir: Path) -> RepositorySnapshot:
        commit = self._commit(location, git_dir)
        files = TextFiles(self._limits)
        for batch in _batches(self._blobs(location, git_dir, commit, files)):
            oids = "".join(f"{blob.oid}\n" for blob in batch).encode()
            output = self._git.output(location, "cat-file", "--batch", git_dir=git_dir, stdin=oids)
            for blob, content in zip(batch, _contents(output, batch), strict=True):
                files.offer(blob.path, content)
        return files.snapshot(commit)

    def _commit(self, location: str, git_dir: Path) -> str:
        arguments = ("rev-parse", "--verify", "--end-of-options", "HEAD^{commit}")
        return self._git.output(location, *arguments, git_dir=git_dir).decode().strip()

    def _blobs(
        self, location: str, git_dir: Path, commit: str, files: TextFiles
    ) -> Iterator[_Blob]:
        """The regular files of a commit that are worth reading, ordered by path."""
        sizes = self._sizes(location, git_dir)
        arguments = ("ls-tree", "-r", "-z", "--full-tree", commit)
        tree = self._git.output(location, *arguments, git_dir=git_dir)
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
        with self._git.run(
            location, *arguments, form, git_dir=git_dir, max_bytes=_MAX_OBJECT_LIST_BYTES
        ) as lines:
            facts = (line.decode("ascii").split(" ") for line in lines)
            return {oid: int(size) for oid, size in facts}

    def _git_dir(self, folder: Path) -> Path | None:
        """Where a folder keeps its repository; None when it holds none itself, or git is not installed."""
        if not self._git.installed:
            return None
        if (folder / ".git").exists():
            return folder / ".git"
        bare = (folder / "HEAD").is_file() and (folder / "objects").is_dir()
        return folder if bare and (folder / "refs").is_dir() else None


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
        raise CrawlError(_shown(location), "malformed link", kind="malformed") from None
    if "@" in parts.netloc:
        reason = "links with a user name or password are not read"
        raise CrawlError(url, reason, kind="unsafe")
    if parts.scheme not in protocols or not parts.hostname:
        known = " or ".join(f"{protocol}://<host>/..." for protocol in protocols)
        reason = f"not a repository location; use {known}"
        raise CrawlError(_shown(location), reason, kind="malformed")
    return url, parts


def _shown(location: str) -> str:
    """A location that could not be taken apart; what stands before an @ may be a password."""
    return "a location with '@'" if "@" in location else location


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
