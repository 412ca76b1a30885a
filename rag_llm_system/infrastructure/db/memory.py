"""Document store in this process's memory: for tests and trials."""

import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from rag_llm_system.domain.crawling import CrawlRun, LinkState, link_state_id
from rag_llm_system.domain.documents import Author, Document, Source, document_id
from rag_llm_system.domain.ports import SaveReport
from rag_llm_system.infrastructure.db.stored_form import Row, document_of, row_of
from rag_llm_system.infrastructure.db.stored_links import LinkRow, link_row_of, link_state_of


class MemoryDocumentStore:
    """Keeps rows as the databases do, so it refuses what they refuse. Gone when closed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._authors: dict[str, Author] = {}
        self._rows: dict[str, dict[str, Row]] = {}
        self._links: dict[str, LinkRow] = {}
        self._crawls: dict[str, CrawlRun] = {}

    def save_author(self, author: Author) -> None:
        with self._lock:
            self._authors[author.id] = author

    def find_author(self, full_name: str) -> Author | None:
        return self._authors.get(Author.named(full_name).id)

    def authors(self) -> list[Author]:
        with self._lock:
            return sorted(self._authors.values(), key=lambda a: (a.full_name, a.id))

    def save(self, documents: Iterable[Document]) -> SaveReport:
        outcomes = Counter(self._put(row) for row in map(row_of, documents))
        return SaveReport(**outcomes)

    def find(self, category: str, *, author_id: str | None = None) -> Iterator[Document]:
        for row in sorted(self._rows_of(category, author_id), key=lambda row: row.id):
            yield document_of(category, row.fields)

    def ids_from(self, origin: str) -> list[tuple[str, str]]:
        with self._lock:
            rows = [row for rows in self._rows.values() for row in rows.values()]
        return sorted(row.key for row in rows if row.fields["origin"] == origin)

    def source_of(self, category: str, link: str) -> Source | None:
        row = self._rows.get(category, {}).get(document_id(category, link))
        return document_of(category, row.fields).source if row else None

    def delete(self, category: str, ids: Sequence[str]) -> int:
        with self._lock:
            rows = self._rows.get(category, {})
            return sum(rows.pop(one, None) is not None for one in ids)

    def count(self, category: str, *, author_id: str | None = None) -> int:
        return len(self._rows_of(category, author_id))

    def save_links(self, states: Iterable[LinkState]) -> None:
        for row in map(link_row_of, states):
            with self._lock:
                self._links[row.id] = row

    def find_link(self, author_id: str, link: str) -> LinkState | None:
        row = self._links.get(link_state_id(author_id, link))
        return link_state_of(row.fields) if row else None

    def links(
        self,
        *,
        author_id: str | None = None,
        crawl_id: str | None = None,
        found_in: str | None = None,
    ) -> Iterator[LinkState]:
        wanted = {"author_id": author_id, "crawl_id": crawl_id, "found_in": found_in}
        with self._lock:
            rows = sorted(self._links.values(), key=lambda row: row.id)
        for row in rows:
            if all(value in (None, row.fields[name]) for name, value in wanted.items()):
                yield link_state_of(row.fields)

    def delete_links(self, ids: Sequence[str]) -> int:
        with self._lock:
            return sum(self._links.pop(one, None) is not None for one in ids)

    def save_crawl(self, run: CrawlRun) -> None:
        with self._lock:
            self._crawls[run.id] = run

    def find_crawl(self, run_id: str) -> CrawlRun | None:
        return self._crawls.get(run_id)

    def close(self) -> None:
        with self._lock:
            for kept in (self._authors, self._rows, self._links, self._crawls):
                kept.clear()

    def _put(self, row: Row) -> str:
        with self._lock:
            rows = self._rows.setdefault(row.category, {})
            before = rows.get(row.id)
            rows[row.id] = row
        if before is None:
            return "new"
        return "unchanged" if before.sha256 == row.sha256 else "changed"

    def _rows_of(self, category: str, author_id: str | None) -> list[Row]:
        with self._lock:
            rows = list(self._rows.get(category, {}).values())
        return [row for row in rows if author_id in (None, row.fields["author_id"])]
