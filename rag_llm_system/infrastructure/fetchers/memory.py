"""Pages and repositories held in memory: the doubles that tests and examples use."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from rag_llm_system.domain.documents import Page, canonical_link
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.domain.ports import RepositorySnapshot


class MemoryFetcher:
    """Implements Fetcher from a mapping; a CrawlError among its values is raised when asked for."""

    def __init__(self, pages: Mapping[str, Page | CrawlError]) -> None:
        self._pages = {canonical_link(link): page for link, page in pages.items()}

    def fetch(self, link: str, *, etag: str = "", last_modified: str = "") -> Page | None:
        shown = canonical_link(link)
        if "@" in urlsplit(link).netloc:
            raise CrawlError(shown, "links with a user name or password are not fetched")
        page = self._pages.get(shown, CrawlError(shown, "HTTP 404 Not Found"))
        if isinstance(page, CrawlError):
            raise page
        if etag:
            return None if etag == page.etag else page
        return None if last_modified and last_modified == page.last_modified else page

    def close(self) -> None:
        """Nothing is held open."""


class MemoryRepositoryReader:
    """Implements RepositoryReader from a mapping of locations to snapshots."""

    def __init__(self, repositories: Mapping[str, RepositorySnapshot]) -> None:
        self._repositories = dict(repositories)

    def head(self, location: str) -> str:
        return self.read(location).commit

    def read(self, location: str) -> RepositorySnapshot:
        if location not in self._repositories:
            raise CrawlError(location, "the repository does not exist")
        return self._repositories[location]
