"""Pages and repositories held in memory: the doubles that tests and examples use."""

from collections.abc import Mapping

from rag_llm_system.domain.documents import Page, Source, canonical_link
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.domain.ports import RepositorySnapshot, Wanted
from rag_llm_system.infrastructure.fetchers.answers import accepts
from rag_llm_system.infrastructure.fetchers.urls import url_of


class MemoryFetcher:
    """Implements Fetcher from a mapping; a CrawlError among its values is raised when asked for."""

    def __init__(self, pages: Mapping[str, Page | CrawlError]) -> None:
        self._pages = {canonical_link(link): page for link, page in pages.items()}

    def fetch(
        self, link: str, *, wanted: Wanted = "page", etag: str = "", last_modified: str = ""
    ) -> Page | None:
        url_of(link)  # refuses what no fetcher takes
        shown = canonical_link(link)
        page = self._pages.get(shown, CrawlError(shown, "HTTP 404 Not Found", kind="gone"))
        if isinstance(page, CrawlError):
            raise page
        if page.content_type and not accepts(wanted, page.content_type):
            raise CrawlError(shown, f"not a {wanted} but {page.content_type}", kind="not text")
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
            raise CrawlError(location, "the repository does not exist", kind="gone")
        return self._repositories[location]

    def read_if_changed(self, location: str, known: Source) -> RepositorySnapshot | None:
        snapshot = self.read(location)
        same_commit = snapshot.commit and snapshot.commit == known.commit
        same_etag = snapshot.etag and snapshot.etag == known.etag
        return None if same_commit or same_etag else snapshot
