"""Crawls repositories: one document per text file, exactly as it is in the repository."""

import re
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from urllib.parse import quote, unquote

from rag_llm_system.application.crawlers.dispatcher import parse_link
from rag_llm_system.domain.crawling import CrawlEnd
from rag_llm_system.domain.documents import (
    Author,
    Document,
    RepositoryFile,
    Source,
    canonical_link,
)
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.domain.ports import RepositoryReader, RepositorySnapshot

CATEGORY = "repositories"
REVISION = "repositories-2"
HEAD = "HEAD"
_GITHUB_HOSTS = frozenset({"github.com", "www.github.com"})
_GITHUB_PATH = re.compile(
    r"/(?P<owner>[a-z0-9-]+)/(?P<name>[a-z0-9._-]+)(?:/(?:tree|blob)/(?P<inside>.+?))?/?",
    re.IGNORECASE,
)
_REF_PREFIX = re.compile("refs/(?:heads|tags)/")
# "feature/login/form.py" may be a file of the branch "feature" or of "feature/login": all are tried, up to here
_MAX_REF_PARTS = 3

LANGUAGES = {
    ".c": "c",
    ".cc": "cpp",
    ".cfg": "ini",
    ".cpp": "cpp",
    ".cs": "csharp",
    ".css": "css",
    ".go": "go",
    ".h": "c",
    ".hpp": "cpp",
    ".html": "html",
    ".ini": "ini",
    ".ipynb": "notebook",
    ".java": "java",
    ".js": "javascript",
    ".json": "json",
    ".jsx": "javascript",
    ".kt": "kotlin",
    ".md": "markdown",
    ".php": "php",
    ".py": "python",
    ".pyi": "python",
    ".rb": "ruby",
    ".rs": "rust",
    ".rst": "rst",
    ".scala": "scala",
    ".sh": "shell",
    ".sql": "sql",
    ".swift": "swift",
    ".toml": "toml",
    ".ts": "typescript",
    ".tsx": "typescript",
    ".txt": "text",
    ".xml": "xml",
    ".yaml": "yaml",
    ".yml": "yaml",
}


@dataclass(frozen=True)
class _Repository:
    """What a link says: where to read, what to call it, and how the links of its files begin."""

    location: str
    name: str
    platform: str
    file_prefix: str
    ref: str = HEAD

    def file_link(self, path: str) -> str:
        return self.file_prefix + quote(path)


class GithubCrawler:
    """Crawls GitHub links of repositories, folders and files, and ``git+https:`` and ``git+file:`` links.

    For an ``https:`` link the reader gets the link of a .tar.gz on codeload.github.com, with the folder or file as
    fragment; for the others a location that git understands. On GitHub a file's link is its page, at HEAD unless
    another branch, tag or commit was asked for, and stays the same over commits. Elsewhere it is the
    repository's link with the path as query, ``git+https://host/repo?path=src/a.py``: a fragment would not be
    part of a document's identity. Files whose path matches a pattern of ``exclude`` (as in a shell, ``*``
    crosses folders) are left out and counted.
    """

    def __init__(self, reader: RepositoryReader, exclude: Sequence[str] = ()) -> None:
        self._reader = reader
        self._exclude = tuple(exclude)

    @property
    def revision(self) -> str:
        return " ".join((REVISION, *sorted({f"-{pattern}" for pattern in self._exclude})))

    def crawl(
        self, link: str, author: Author, known: Source | None
    ) -> Generator[Document, None, CrawlEnd]:
        repository, snapshot = self._read(link, known)
        if snapshot is None:
            return CrawlEnd(source=known, unchanged=True)
        origin = canonical_link(link)
        facts = {"fetched_at": datetime.now(UTC), "commit": snapshot.commit, "origin": origin}
        left_out = Counter(snapshot.left_out)
        found = 0
        for file, text in self._texts(snapshot, left_out):
            found += 1
            yield Document(
                category=CATEGORY,
                platform=repository.platform,
                title=file.path,
                text=text,
                author_id=author.id,
                author_full_name=author.full_name,
                source=Source(link=repository.file_link(file.path), **facts),
                metadata=_metadata(repository, file.path),
            )
        if not found:
            raise _nothing(origin, left_out)
        end = Source(link=origin, etag=snapshot.etag, **facts)
        return CrawlEnd(source=end, left_out=dict(left_out))

    def _read(
        self, link: str, known: Source | None
    ) -> tuple[_Repository, RepositorySnapshot | None]:
        """The snapshot, or None when nothing changed; where a link may name several branches, of the first there is."""
        *others, last = _repositories(link)
        for repository in others:
            try:
                return repository, self._snapshot(repository, known)
            except CrawlError as error:
                if error.kind != "gone":
                    raise
        return last, self._snapshot(last, known)

    def _snapshot(self, repository: _Repository, known: Source | None) -> RepositorySnapshot | None:
        if known is None:
            return self._reader.read(repository.location)
        return self._reader.read_if_changed(repository.location, known)

    def _texts(
        self, snapshot: RepositorySnapshot, left_out: Counter[str]
    ) -> Iterator[tuple[RepositoryFile, str]]:
        for file in snapshot.files:
            text = _decoded(file)
            if any(fnmatchcase(file.path, pattern) for pattern in self._exclude):
                left_out["excluded"] += 1
            elif text is None:
                left_out["not UTF-8"] += 1
            elif not text.strip():
                left_out["empty"] += 1
            else:
                yield file, text


def _nothing(link: str, left_out: Counter[str]) -> CrawlError:
    if not left_out:
        return CrawlError(link, "no such file or folder in the repository", kind="gone")
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(left_out.items()))
    return CrawlError(
        link, f"the repository holds no text there; left out: {reasons}", kind="empty"
    )


def _repositories(link: str) -> list[_Repository]:
    """What a link may mean: one repository, or several that differ in where the branch's name ends."""
    parts = parse_link(link)
    scheme = parts.scheme.removeprefix("git+")
    if scheme in {"http", "https"} and parts.netloc.lower() in _GITHUB_HOSTS:
        return _on_github(link, parts.path, by_git=parts.scheme != scheme)
    if not parts.scheme.startswith("git+") or parts.query or not parts.path.strip("/"):
        raise _refused(link)
    base = canonical_link(link)
    name = PurePosixPath(parts.path).name if scheme == "file" else parts.path.strip("/")
    return [
        _Repository(
            location=base if scheme == "file" else base.removeprefix("git+"),
            name=name.removesuffix(".git"),
            platform=parts.hostname or "local",
            file_prefix=f"{base}?path=",
        )
    ]


def _refused(link: str) -> CrawlError:
    reason = (
        "not a repository link; use https://github.com/<owner>/<repository>, perhaps with "
        "/tree/<branch>/<folder>, or git+https://<host>/<path>, or git+file:<path>"
    )
    return CrawlError(canonical_link(link), reason, kind="malformed")


def _on_github(link: str, path: str, *, by_git: bool) -> list[_Repository]:
    match = _GITHUB_PATH.fullmatch(path)
    # GitHub ignores case, so one spelling stands for all of them
    name = match["name"].lower().removesuffix(".git") if match else ""
    if match is None or name in {"", ".", ".."} or (by_git and match["inside"]):
        raise _refused(link)
    inside = _REF_PREFIX.sub("", unquote(match["inside"] or HEAD)).split("/")
    if {"", ".", ".."} & {*inside}:
        raise _refused(link)
    full_name = f"{match['owner'].lower()}/{name}"
    by_download = f"https://codeload.github.com/{full_name}/tar.gz/"
    return [
        _Repository(
            location=f"https://github.com/{full_name}.git"
            if by_git
            else f"{by_download}{quote(ref)}{'#' if under else ''}{quote(under)}",
            name=full_name,
            platform="github",
            file_prefix=f"https://github.com/{full_name}/blob/{quote(ref)}/",
            ref=ref,
        )
        for ref, under in _refs(inside)
    ]


def _refs(inside: Sequence[str]) -> Iterator[tuple[str, str]]:
    """``<branch>/<path>`` cut at each place where the branch's name may end, shortest first."""
    longest = 1 if inside[0] == HEAD else min(len(inside), _MAX_REF_PARTS)
    for count in range(1, longest + 1):
        yield "/".join(inside[:count]), "/".join(inside[count:])


def _decoded(file: RepositoryFile) -> str | None:
    try:
        return file.content.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _metadata(repository: _Repository, path: str) -> dict[str, str]:
    facts = {
        "repository": repository.name,
        "source_file": path,
        "language": LANGUAGES.get(PurePosixPath(path).suffix.lower(), ""),
        "ref": "" if repository.ref == HEAD else repository.ref,
    }
    return {name: value for name, value in facts.items() if value}
