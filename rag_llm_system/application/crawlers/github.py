"""Crawls repositories: one document per text file, exactly as it is in the repository."""

import re
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from urllib.parse import quote

from rag_llm_system.application.crawlers.dispatcher import LeftOut, parse_link
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
README = "README.md"
_GITHUB_HOSTS = frozenset({"github.com", "www.github.com"})
_GITHUB_PATH = re.compile(r"/(?P<owner>[a-z0-9-]+)/(?P<name>[a-z0-9._-]+)/?", re.IGNORECASE)

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

    def file_link(self, path: str) -> str:
        return self.file_prefix + quote(path)


class GithubCrawler:
    """Crawls ``https://github.com/<owner>/<repository>``, ``git+https:`` and ``git+file:`` links.

    On GitHub a file's link is its page at HEAD, which stays the same over commits. Elsewhere it is the
    repository's link with the path as query, ``git+https://host/repo?path=src/a.py``: a fragment would not be
    part of a document's identity. Files whose path matches a pattern of ``exclude`` (as in a shell, ``*``
    crosses folders) are left out and counted.
    """

    def __init__(self, reader: RepositoryReader, exclude: Sequence[str] = ()) -> None:
        self._reader = reader
        self._exclude = tuple(exclude)

    def crawl(
        self, link: str, author: Author, known: Source | None
    ) -> Generator[Document, None, LeftOut]:
        repository = _repository(link)
        if known and known.commit and known.commit == self._reader.head(repository.location):
            return {}
        snapshot = self._reader.read(repository.location)
        left_out = Counter(snapshot.left_out)
        fetched_at = datetime.now(UTC)
        found = 0
        for file in _readme_last(snapshot):
            text = _decoded(file)
            if any(fnmatchcase(file.path, pattern) for pattern in self._exclude):
                left_out["excluded"] += 1
            elif text is None:
                left_out["not UTF-8"] += 1
            elif not text.strip():
                left_out["empty"] += 1
            else:
                found += 1
                yield Document(
                    category=CATEGORY,
                    platform=repository.platform,
                    title=file.path,
                    text=text,
                    author_id=author.id,
                    author_full_name=author.full_name,
                    source=Source(
                        link=repository.file_link(file.path),
                        fetched_at=fetched_at,
                        commit=snapshot.commit,
                    ),
                    metadata=_metadata(repository, file.path),
                )
        if not found:
            raise CrawlError(link, "the repository holds no text")
        return left_out

    def known_by(self, link: str) -> tuple[str, str]:
        """The README stands for its repository. It is given out last: its commit means that all was stored.

        A repository without one is read on every crawl; its files are still compared one by one.
        """
        return CATEGORY, _repository(link).file_link(README)


def _repository(link: str) -> _Repository:
    parts = parse_link(link)
    scheme = parts.scheme.removeprefix("git+")
    if scheme in {"http", "https"} and parts.netloc.lower() in _GITHUB_HOSTS:
        return _github_repository(link, parts.path)
    if not parts.scheme.startswith("git+") or parts.query or not parts.path.strip("/"):
        raise CrawlError(canonical_link(link), f"not a repository link; use {_FORMS}")
    base = canonical_link(link)
    name = PurePosixPath(parts.path).name if scheme == "file" else parts.path.strip("/")
    return _Repository(
        location=base if scheme == "file" else base.removeprefix("git+"),
        name=name.removesuffix(".git"),
        platform=parts.hostname or "local",
        file_prefix=f"{base}?path=",
    )


_FORMS = "https://github.com/<owner>/<repository>, git+https://<host>/<path> or git+file:<path>"


def _github_repository(link: str, path: str) -> _Repository:
    match = _GITHUB_PATH.fullmatch(path)
    # GitHub ignores case, so one spelling stands for all of them
    name = match["name"].lower().removesuffix(".git") if match else ""
    if match is None or name in {"", ".", ".."}:
        raise CrawlError(canonical_link(link), f"not a repository link; use {_FORMS}")
    full_name = f"{match['owner'].lower()}/{name}"
    return _Repository(
        location=f"https://github.com/{full_name}.git",
        name=full_name,
        platform="github",
        file_prefix=f"https://github.com/{full_name}/blob/HEAD/",
    )


def _readme_last(snapshot: RepositorySnapshot) -> Iterator[RepositoryFile]:
    yield from (file for file in snapshot.files if file.path != README)
    yield from (file for file in snapshot.files if file.path == README)


def _decoded(file: RepositoryFile) -> str | None:
    try:
        return file.content.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _metadata(repository: _Repository, path: str) -> dict[str, str]:
    language = LANGUAGES.get(PurePosixPath(path).suffix.lower(), "")
    named = {"repository": repository.name, "source_file": path}
    return {**named, "language": language} if language else named
