"""Document store in this process's memory: for tests and trials."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from rag_llm_system.domain.documents import Author, Document, Source, document_id
from rag_llm_system.domain.ports import SaveReport
from rag_llm_system.infrastructure.db.stored_form import Row, document_of, row_of


class MemoryDocumentStore:
    """Keeps rows as the databases do, so it refuses what they refuse. Gone when closed."""

    def __init__(self) -> None:
        self._authors: dict[str, Author] = {}
        self._rows: dict[str, dict[str, Row]] = {}

    def save_author(self, author: Author) -> None:
        self._authors[author.id] = author

    def find_author(self, full_name: str) -> Author | None:
        return self._authors.get(Author.named(full_name).id)

    def authors(self) -> list[Author]:
        return sorted(self._authors.values(), key=lambda a: (a.full_name, a.id))

    def save(self, documents: Iterable[Document]) -> SaveReport:
        outcomes = Counter(self._put(row) for row in map(row_of, documents))
        return SaveReport(**outcomes)

    def find(self, category: str, *, author_id: str | None = None) -> Iterator[Document]:
        for row in sorted(self._rows_of(category, author_id), key=lambda row: row.id):
            yield document_of(category, row.fields)

    def source_of(self, category: str, link: str) -> Source | None:
        row = self._rows.get(category, {}).get(document_id(category, link))
        return document_of(category, row.fields).source if row else None

    def delete(self, category: str, ids: Sequence[str]) -> int:
        rows = self._rows.get(category, {})
        return sum(rows.pop(one, None) is not None for one in ids)

    def count(self, category: str, *, author_id: str | None = None) -> int:
        return len(self._rows_of(category, author_id))

    def close(self) -> None:
        self._authors.clear()
        self._rows.clear()

    def _put(self, row: Row) -> str:
        rows = self._rows.setdefault(row.category, {})
        before = rows.get(row.id)
        rows[row.id] = row
        if before is None:
            return "new"
        return "unchanged" if before.sha256 == row.sha256 else "changed"

    def _rows_of(self, category: str, author_id: str | None) -> list[Row]:
        rows = self._rows.get(category, {}).values()
        return [row for row in rows if author_id in (None, row.fields["author_id"])]
