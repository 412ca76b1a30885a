"""The data warehouse, as the application sees it."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from rag_llm_system.domain.crawling import CrawlRun, LinkState
from rag_llm_system.domain.documents import Author, Document, Source, Value


class SaveReport(Value):
    """What a save did; the three add up to what was given."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0


class DocumentStore(Protocol):
    """The data warehouse: authors and raw documents, keyed by ids that follow from their links."""

    def save_author(self, author: Author) -> None:
        """Insert or replace by id."""

    def find_author(self, full_name: str) -> Author | None:
        """By name, white space and case aside; never creates one."""

    def authors(self) -> list[Author]:
        """Sorted by name."""

    def save(self, documents: Iterable[Document]) -> SaveReport:
        """Insert or replace by id, in batches; a document whose sha256 is stored already counts as unchanged."""

    def find(self, category: str, *, author_id: str | None = None) -> Iterator[Document]:
        """Stream documents ordered by id."""

    def ids_from(self, origin: str) -> list[tuple[str, str]]:
        """Category and id of every document whose source has that origin, sorted."""

    def source_of(self, category: str, link: str) -> Source | None:
        """Where the stored document of that link came from, for conditional requests; None if not stored."""

    def delete(self, category: str, ids: Sequence[str]) -> int:
        """Remove by id; the number that was there."""

    def count(self, category: str, *, author_id: str | None = None) -> int: ...

    def save_links(self, states: Iterable[LinkState]) -> None:
        """Insert or replace by id; the last of two with one id counts."""

    def find_link(self, author_id: str, link: str) -> LinkState | None: ...

    def links(
        self,
        *,
        author_id: str | None = None,
        crawl_id: str | None = None,
        found_in: str | None = None,
    ) -> Iterator[LinkState]:
        """Stream the states that meet all of these, ordered by id."""

    def delete_links(self, ids: Sequence[str]) -> int:
        """Remove by id; the number that was there."""

    def save_crawl(self, run: CrawlRun) -> None:
        """Insert or replace by id."""

    def find_crawl(self, run_id: str) -> CrawlRun | None: ...

    def close(self) -> None: ...
