"""The state of links and crawls in MongoDB: collections ``links`` and ``crawls`` beside the documents."""

from collections.abc import Iterable, Iterator, Sequence

from pymongo import ReplaceOne
from pymongo.database import Database

from rag_llm_system.domain.crawling import CrawlRun, LinkState, link_state_id
from rag_llm_system.infrastructure.db.mongo_errors import Server, translated
from rag_llm_system.infrastructure.db.mongo_writes import Fields, Indexes, batches, check_written
from rag_llm_system.infrastructure.db.stored_form import CRAWLS, LINKS
from rag_llm_system.infrastructure.db.stored_links import (
    LinkRow,
    crawl_of,
    crawl_row_of,
    link_row_of,
    link_state_of,
)

READ_BATCH_ROWS = 500  # a row is under 1 KB: bounds what both sides hold
DELETE_BATCH_IDS = 1_000
_FILTERS = ("author_id", "crawl_id", "found_in")


class MongoLinks:
    """The part of the document store that crawls write to."""

    def __init__(self, database: Database[Fields], server: Server) -> None:
        self._links = database[LINKS]
        self._crawls = database[CRAWLS]
        self._server = server
        self._indexes = Indexes()

    def save(self, states: Iterable[LinkState]) -> None:
        for batch in batches(map(link_row_of, states)):
            self._write(batch)

    def find(self, author_id: str, link: str) -> LinkState | None:
        with translated(self._server):
            row = self._links.find_one({"_id": link_state_id(author_id, link)})
        return link_state_of(row) if row else None

    def matching(
        self, *, author_id: str | None, crawl_id: str | None, found_in: str | None
    ) -> Iterator[LinkState]:
        values = zip(_FILTERS, (author_id, crawl_id, found_in), strict=True)
        wanted = {field: value for field, value in values if value is not None}
        with translated(self._server):
            # ids first, as for documents: the embedded server would sort whole rows in memory
            ids = sorted(row["_id"] for row in self._links.find(wanted, {"_id": 1}))
            for start in range(0, len(ids), READ_BATCH_ROWS):
                page = {"_id": {"$in": ids[start : start + READ_BATCH_ROWS]}}
                for row in self._links.find(page).sort("_id", 1):
                    yield link_state_of(row)

    def delete(self, ids: Sequence[str]) -> int:
        removed = 0
        with translated(self._server):
            for start in range(0, len(ids), DELETE_BATCH_IDS):
                page = {"_id": {"$in": list(ids[start : start + DELETE_BATCH_IDS])}}
                removed += self._links.delete_many(page).deleted_count
        return removed

    def save_crawl(self, run: CrawlRun) -> None:
        with translated(self._server):
            self._crawls.replace_one({"_id": run.id}, crawl_row_of(run), upsert=True)

    def find_crawl(self, run_id: str) -> CrawlRun | None:
        with translated(self._server):
            row = self._crawls.find_one({"_id": run_id})
        return crawl_of(row) if row else None

    def _write(self, rows: Sequence[LinkRow]) -> None:
        writes = [ReplaceOne({"_id": row.id}, dict(row.fields), upsert=True) for row in rows]
        with translated(self._server):
            self._indexes.ensure(self._links, _FILTERS)
            result = self._links.bulk_write(writes, ordered=False)
        check_written(self._server, "states of links", len(rows), result)
