"""Finds the crawler of a local file, and the file itself."""

from collections.abc import Generator, Mapping
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from rag_llm_system.application.crawlers.dispatcher import parse_link
from rag_llm_system.domain.crawling import CrawlEnd, FoundLink
from rag_llm_system.domain.documents import Author, Document, Source
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.domain.ports import Crawler


class LocalFileCrawler:
    """Crawls ``file:`` links by the suffix of their path: ``{".jsonl": ..., ".zip": ...}``."""

    def __init__(self, by_suffix: Mapping[str, Crawler]) -> None:
        self._by_suffix = dict(by_suffix)

    @property
    def revision(self) -> str:
        """Of all of them: reading a local file once too often costs little."""
        return ", ".join(self._by_suffix[suffix].revision for suffix in sorted(self._by_suffix))

    def crawl(
        self, link: str, author: Author, known: Source | None
    ) -> Generator[Document | FoundLink, None, CrawlEnd]:
        suffix = PurePosixPath(unquote(parse_link(link).path)).suffix.lower()
        if suffix not in self._by_suffix:
            forms = " or ".join(f"file:<path>{one}" for one in sorted(self._by_suffix))
            reason = f"files of this kind are not read; use {forms}"
            raise CrawlError(link, reason, kind="malformed")
        return (yield from self._by_suffix[suffix].crawl(link, author, known))


def local_path(link: str, *, base: Path, allow_local: bool) -> Path:
    """The file of a ``file:`` link; a relative path starts at ``base``. Raises CrawlError unless that is allowed."""
    parts = parse_link(link)
    if not allow_local:
        reason = "local files are not allowed here; the config must say allow_local: true"
        raise CrawlError(link, reason, kind="not allowed")
    if parts.scheme != "file" or parts.netloc or not parts.path:
        raise CrawlError(link, "not a link of a local file; use file:<path>", kind="malformed")
    return base / unquote(parts.path)
