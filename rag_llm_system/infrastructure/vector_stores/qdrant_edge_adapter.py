"""Qdrant Edge, the embedded vector store: a folder per collection, one writing process, any number of readers.

::

    <path>/writer.lock              who writes; taken by the first write, held until close
    <path>/aliases.json             second names of collections (aliases.py)
    <path>/<collection>/spec.json   written last: it is the existence of the collection
    <path>/<collection>/shard-<n>/  what the writer works on, with a write-ahead log (working_folders.py)
    <path>/<collection>/published/  what readers see (generations.py)
    <path>/<collection>/unpublished there while something was written that readers do not see
    <path>/.readers/<process>/      links to the files that one reader has open (reader_folder.py)

The engine runs in processes of its own, one for each open collection (edge_process.py).
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from threading import RLock

import numpy as np

from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.errors import UnknownName
from rag_llm_system.domain.ports import (
    Capabilities,
    CollectionSpec,
    Record,
    refuse_other_encoder,
)
from rag_llm_system.domain.queries import Hit, Terms, Where
from rag_llm_system.infrastructure.vector_stores.aliases import AliasFile, refuse_aliased
from rag_llm_system.infrastructure.vector_stores.edge_errors import EdgeErrors
from rag_llm_system.infrastructure.vector_stores.edge_reader import EdgeReader
from rag_llm_system.infrastructure.vector_stores.edge_shard import Shard
from rag_llm_system.infrastructure.vector_stores.edge_writer import (
    EdgeWriter,
    has_unpublished,
    stored_spec,
)
from rag_llm_system.infrastructure.vector_stores.points import (
    checked_deletion,
    checked_ids,
    checked_name,
    checked_points,
    checked_queries,
    checked_query,
    checked_term_queries,
)

RESERVE_BYTES = 128 * 2**20
"""Free space below which nothing is written: room for the pages of 32 MB in which the engine's files grow."""

_CAPABILITIES = Capabilities(
    filters="native",
    batch_search="native",
    aliases="emulated",
    approximate=True,
    readers="many processes",
    writers="one process",
    durable_on="publish",
)


class QdrantEdgeAdapter:
    """Reads what was published until the first write; from then on this process is the writer and reads its own work.

    A write survives the death of the process at once, and that of the machine from ``publish`` or ``close`` on. A
    reader meets a publication some tenths of a second later, when it has opened it; no reader waits for a writer.
    """

    def __init__(self, path: Path, *, reserve_bytes: int = RESERVE_BYTES) -> None:
        self._path = Path(path)
        self._aliases = AliasFile(self._path / "aliases.json")
        self._writer = EdgeWriter(self._path, reserve_bytes)
        self._reader = EdgeReader(self._path)
        self._writing = RLock()

    @property
    def capabilities(self) -> Capabilities:
        return _CAPABILITIES

    def claim(self) -> None:
        with self._writing, EdgeErrors(self._path):
            self._become_writer()

    def ensure(self, name: str, spec: CollectionSpec) -> None:
        with self._writing, self._errors(name):
            collection = self._aliases.resolve(name)
            stored = stored_spec(self._path / collection)
            if stored == spec:  # a reader may ask for what is there already
                return
            if stored is not None:
                refuse_other_encoder(name, stored, spec)
            self._become_writer().ensure(collection, spec)

    def collections(self) -> Mapping[str, CollectionSpec]:
        return self._writer.specs() if self._writer.owns else self._reader.specs()

    def aliases(self) -> Mapping[str, str]:
        return self._aliases.read()

    def point_aliases(self, targets: Mapping[str, str | None]) -> None:
        with self._writing, EdgeErrors(self._path):
            self._aliases.point(targets, self._become_writer().specs())

    def upsert(self, name: str, records: Sequence[Record]) -> int:
        with self._writing, self._errors(name):
            collection, shard = self._to_write(name)
            points = checked_points(name, shard.spec, records)
            self._writer.check_space()
            self._writer.note_change(collection)
            shard.upsert(points)
            return len(points)

    def search(
        self,
        name: str,
        vector: Vectors,
        *,
        limit: int,
        where: Where | None = None,
        fields: Sequence[str] | None = None,
    ) -> list[Hit]:
        with self._errors(name):
            shard = self._to_read(name)
            if shard is None:
                return []
            query = np.array([checked_query(name, shard.spec, vector, limit)], dtype=np.float32)
            return shard.search(query, limit, where, fields)[0]

    def search_batch(
        self,
        name: str,
        vectors: Vectors,
        *,
        limit: int,
        where: Where | None = None,
        fields: Sequence[str] | None = None,
    ) -> list[list[Hit]]:
        with self._errors(name):
            shard = self._to_read(name)
            if shard is None:
                return [[] for _ in vectors]
            queries = checked_queries(name, shard.spec, vectors, limit)
            return shard.search(queries, limit, where, fields)

    def search_terms(
        self,
        name: str,
        queries: Sequence[Terms],
        *,
        limit: int,
        where: Where | None = None,
        fields: Sequence[str] | None = None,
    ) -> list[list[Hit]]:
        with self._errors(name):
            shard = self._to_read(name)
            if shard is None or not shard.spec.terms:
                return [[] for _ in queries]
            wanted = checked_term_queries(name, queries, limit)
            return shard.search_terms(wanted, limit, where, fields)

    def scan(
        self,
        name: str,
        *,
        where: Where | None = None,
        after: str = "",
        fields: Sequence[str] | None = None,
        with_vectors: bool = False,
    ) -> Iterator[Record]:
        with self._errors(name):
            start = "".join(checked_ids([after] if after else []))
            shard = self._to_read(name)
            if shard is None:
                return
            for page in shard.pages(where, after=start, fields=fields, with_vectors=with_vectors):
                yield from page

    def delete(self, name: str, ids: Sequence[str]) -> None:
        with self._writing, self._errors(name):
            wanted = checked_ids(ids)
            if self._is_there(name):
                collection, shard = self._to_write(name)
                self._writer.note_change(collection)
                shard.delete(wanted)

    def delete_where(self, name: str, where: Where) -> None:
        with self._writing, self._errors(name):
            wanted = checked_deletion(name, where)
            if self._is_there(name):
                collection, shard = self._to_write(name)
                self._writer.note_change(collection)
                shard.delete_where(wanted)

    def count(self, name: str, *, where: Where | None = None) -> int:
        with self._errors(name):
            shard = self._to_read(name)
            return shard.count(where) if shard else 0

    def publish(self, name: str) -> None:
        with self._writing, self._errors(name):
            if not self._is_there(name):
                raise UnknownName("collection", name, self.collections())
            if has_unpublished(self._path / self._aliases.resolve(name)):
                self._writer.publish(*self._to_write(name))

    def drop(self, name: str) -> None:
        with self._writing, self._errors(name):
            refuse_aliased(name, self._aliases.read())
            if (self._path / name).exists():
                self._become_writer().drop(name)

    def close(self) -> None:
        with self._writing, EdgeErrors(self._path):
            self._writer.close()
            self._reader.close()

    def _is_there(self, name: str) -> bool:
        return stored_spec(self._path / self._aliases.resolve(name)) is not None

    def _to_read(self, name: str) -> Shard | None:
        while True:
            collection = self._aliases.resolve(name)
            opener = self._writer if self._writer.owns else self._reader
            shard = opener.open(collection)
            # an alias may have been pointed elsewhere, and what it stood for dropped, before that was open
            if shard is not None or self._aliases.resolve(name) == collection:
                return shard

    def _to_write(self, name: str) -> tuple[str, Shard]:
        """The collection and its working shard; raises UnknownName for an absent one."""
        writer = self._become_writer()
        collection = self._aliases.resolve(name)
        shard = writer.open(collection)
        if shard is None:
            raise UnknownName("collection", name, writer.specs())
        return collection, shard

    def _become_writer(self) -> EdgeWriter:
        """The writer; what this process had open for reading is closed by the change."""
        if not self._writer.owns:
            self._writer.acquire()
            self._reader.close()
        return self._writer

    def _errors(self, name: str) -> EdgeErrors:
        return EdgeErrors(self._path / checked_name(name))
