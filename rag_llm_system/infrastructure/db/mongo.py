"""Document store on MongoDB: one collection per category, and ``users``, ``links`` and ``crawls``.

It keeps to what MongoDB and the embedded server do alike: text ids inside every replacement, filters on ``_id``
or top-level fields, top-level projections, indexes of one field, counts by aggregation, no nulls.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Literal

from pymongo import MongoClient, ReplaceOne, UpdateOne
from pymongo.collection import Collection
from pymongo.errors import PyMongoError

from rag_llm_system.domain.crawling import CrawlRun, LinkState
from rag_llm_system.domain.documents import Author, Document, Source, document_id
from rag_llm_system.domain.errors import ConfigurationError
from rag_llm_system.domain.ports import SaveReport
from rag_llm_system.infrastructure.db import stored_form
from rag_llm_system.infrastructure.db.mongo_errors import Server, translated
from rag_llm_system.infrastructure.db.mongo_links import MongoLinks
from rag_llm_system.infrastructure.db.mongo_writes import Fields, Indexes, batches, check_written
from rag_llm_system.infrastructure.db.stored_form import OWN_COLLECTIONS, USERS, Row, row_of

CONNECT_TIMEOUT_MS = 3_000
READ_TIMEOUT_MS = 60_000  # one batch of 16 MB over a slow line
READ_BATCH_ROWS = 50  # the embedded server answers from memory: bounds what both sides hold
DELETE_BATCH_IDS = 1_000

Outcome = Literal["new", "changed", "unchanged"]
_OF_SOURCE = ("link", "origin", "source")


class MongoDocumentStore:
    """The data warehouse in a MongoDB database. Connects with the first call."""

    def __init__(self, uri: str, database: str, *, server: Server | None = None) -> None:
        """``server`` names it in messages; by default it is the hosts of ``uri``, never its user.

        Raises ConfigurationError when ``uri`` or ``database`` is malformed.
        """
        self._server = server or _server_of(uri)
        self._client = _connect(uri)
        with ExitStack() as undone, translated(self._server):
            undone.callback(self._client.close)
            self._database = self._client[database]
            self._links = MongoLinks(self._database, self._server)
            self._indexes = Indexes()
            undone.pop_all()

    def save_author(self, author: Author) -> None:
        row = stored_form.author_row_of(author)
        with translated(self._server):
            self._database[USERS].replace_one({"_id": author.id}, row, upsert=True)

    def find_author(self, full_name: str) -> Author | None:
        with translated(self._server):
            row = self._database[USERS].find_one({"_id": Author.named(full_name).id})
        return stored_form.author_of(row) if row else None

    def authors(self) -> list[Author]:
        with translated(self._server):
            rows = list(self._database[USERS].find({}))
        return sorted(map(stored_form.author_of, rows), key=lambda a: (a.full_name, a.id))

    def save(self, documents: Iterable[Document]) -> SaveReport:
        outcomes: Counter[str] = Counter()
        for batch in batches(map(row_of, documents)):
            for category in dict.fromkeys(row.category for row in batch):
                outcomes.update(self._write(category, [r for r in batch if r.category == category]))
        return SaveReport(**outcomes)

    def find(self, category: str, *, author_id: str | None = None) -> Iterator[Document]:
        collection = self._database[category]
        with translated(self._server):
            # ids first: the embedded server would build the whole answer to a sorted query in memory
            ids = sorted(row["_id"] for row in collection.find(_by(author_id), {"_id": 1}))
            for start in range(0, len(ids), READ_BATCH_ROWS):
                page = {"_id": {"$in": ids[start : start + READ_BATCH_ROWS]}}
                for row in collection.find(page).sort("_id", 1):
                    yield stored_form.document_of(category, row)

    def ids_from(self, origin: str) -> list[tuple[str, str]]:
        with translated(self._server):
            return sorted(
                (category, row["_id"])
                for category in self._categories()
                for row in self._database[category].find({"origin": origin}, {"_id": 1})
            )

    def source_of(self, category: str, link: str) -> Source | None:
        by_id = {"_id": document_id(category, link)}
        with translated(self._server):
            row = self._database[category].find_one(by_id, _OF_SOURCE)
        return stored_form.source_of(category, row) if row else None

    def delete(self, category: str, ids: Sequence[str]) -> int:
        collection, removed = self._database[category], 0
        with translated(self._server):
            for start in range(0, len(ids), DELETE_BATCH_IDS):
                page = {"_id": {"$in": list(ids[start : start + DELETE_BATCH_IDS])}}
                removed += collection.delete_many(page).deleted_count
        return removed

    def count(self, category: str, *, author_id: str | None = None) -> int:
        counting: list[Fields] = [{"$match": _by(author_id)}, {"$count": "n"}]
        with translated(self._server):
            return sum(row["n"] for row in self._database[category].aggregate(counting))

    def save_links(self, states: Iterable[LinkState]) -> None:
        self._links.save(states)

    def find_link(self, author_id: str, link: str) -> LinkState | None:
        return self._links.find(author_id, link)

    def links(
        self,
        *,
        author_id: str | None = None,
        crawl_id: str | None = None,
        found_in: str | None = None,
    ) -> Iterator[LinkState]:
        return self._links.matching(author_id=author_id, crawl_id=crawl_id, found_in=found_in)

    def delete_links(self, ids: Sequence[str]) -> int:
        return self._links.delete(ids)

    def save_crawl(self, run: CrawlRun) -> None:
        self._links.save_crawl(run)

    def find_crawl(self, run_id: str) -> CrawlRun | None:
        return self._links.find_crawl(run_id)

    def close(self) -> None:
        self._client.close()

    def _categories(self) -> list[str]:
        """What is stored besides our own: a category needs no table here."""
        there = set(self._database.list_collection_names()) - OWN_COLLECTIONS
        return sorted(name for name in there if not name.startswith("system."))

    def _write(self, category: str, rows: Sequence[Row]) -> list[Outcome]:
        collection = self._database[category]
        with translated(self._server):
            self._indexes.ensure(collection, ("origin",))
            stored = _stored_hashes(collection, [row.id for row in rows])
            outcomes = [_outcome(row, stored) for row in rows]
            writes = [_write_of(row, outcome) for row, outcome in zip(rows, outcomes, strict=True)]
            result = collection.bulk_write(writes, ordered=False)
        check_written(self._server, f"documents of {category!r}", len(rows), result)
        return outcomes


def _connect(uri: str) -> MongoClient[Fields]:
    try:
        return MongoClient(
            uri,
            serverSelectionTimeoutMS=CONNECT_TIMEOUT_MS,
            connectTimeoutMS=CONNECT_TIMEOUT_MS,
            socketTimeoutMS=READ_TIMEOUT_MS,
            connect=False,
        )
    except (PyMongoError, ValueError):
        # neither the address nor the driver's words about it: a part of the password may be in both
        raise ConfigurationError(
            "DATABASE_HOST is not a MongoDB address: write mongodb://user:password@host:27017,"
            " with special characters of user and password percent-encoded"
        ) from None


def _server_of(uri: str) -> Server:
    hosts = uri.rpartition("://")[2].rpartition("@")[2].partition("/")[0].partition("?")[0]
    return Server(
        name=f"MongoDB at {hosts}",
        if_silent="start it, or correct DATABASE_HOST (empty: an embedded server)",
        if_corrupt="restore a backup of it",
    )


def _by(author_id: str | None) -> Fields:
    return {} if author_id is None else {"author_id": author_id}


def _stored_hashes(collection: Collection[Fields], ids: list[str]) -> Mapping[str, str]:
    rows = collection.find({"_id": {"$in": ids}}, {"sha256": 1})
    return {row["_id"]: row.get("sha256", "") for row in rows}


def _outcome(row: Row, stored: Mapping[str, str]) -> Outcome:
    if row.id not in stored:
        return "new"
    return "unchanged" if stored[row.id] == row.sha256 else "changed"


def _write_of(row: Row, outcome: Outcome) -> ReplaceOne[Fields] | UpdateOne:
    if (
        outcome == "unchanged"
    ):  # the text stays as it lies; when it was fetched, its etag ... do not
        return UpdateOne({"_id": row.id}, {"$set": row.fields_beside_content})
    return ReplaceOne({"_id": row.id}, dict(row.fields), upsert=True)
