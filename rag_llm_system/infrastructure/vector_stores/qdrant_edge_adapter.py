"""Qdrant Edge, the embedded vector store: a folder per collection, one writing process, any number of readers.

::

    <path>/writer.lock              who writes; taken by the first write, held until close
    <path>/<collection>/spec.json   written last: it is the existence of the collection
    <path>/<collection>/shard/      what the writer works on, with a write-ahead log
    <path>/<collection>/published/  what readers see (generations.py)
    <path>/<collection>/unpublished there while something was written that readers do not see
    <path>/.readers/<process>/      links to the files that one reader has open (reader_folder.py)
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from threading import RLock

from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.errors import UnknownName
from rag_llm_system.domain.ports import CollectionSpec, Record, refuse_other_encoder
from rag_llm_system.domain.queries import Hit, Where
from rag_llm_system.infrastructure.vector_stores.edge_errors import EdgeErrors
from rag_llm_system.infrastructure.vector_stores.edge_reader import EdgeReader
from rag_llm_system.infrastructure.vector_stores.edge_shard import Shard
from rag_llm_system.infrastructure.vector_stores.edge_writer import (
    EdgeWriter,
    has_unpublished,
    stored_spec,
)
from rag_llm_system.infrastructure.vector_stores.points import (
    checked_ids,
    checked_name,
    checked_points,
    checked_query,
)

RESERVE_BYTES = 128 * 2**20
"""Free space below which nothing is written: room for the pages of 32 MB in which the engine's files grow."""


class QdrantEdgeAdapter:
    """Reads what was published until the first write; from then on this process is the writer and reads its own work.

    A write survives the death of the process at once, and that of the machine from ``publish`` or ``close`` on.
    """

    def __init__(self, path: Path, *, reserve_bytes: int = RESERVE_BYTES) -> None:
        self._path = Path(path)
        self._writer = EdgeWriter(self._path, reserve_bytes)
        self._reader = EdgeReader(self._path)
        self._mutex = RLock()

    def claim(self) -> None:
        with self._mutex, EdgeErrors(self._path):
            self._become_writer()

    def ensure(self, name: str, spec: CollectionSpec) -> None:
        with self._mutex, self._errors(name):
            stored = stored_spec(self._path / name)
            if stored == spec:  # a reader may ask for what is there already
                return
            if stored is not None:
                refuse_other_encoder(name, stored, spec)
            self._become_writer().ensure(name, spec)

    def collections(self) -> Mapping[str, CollectionSpec]:
        with self._mutex:
            return self._writer.specs() if self._writer.owns else self._reader.specs()

    def upsert(self, name: str, records: Sequence[Record]) -> int:
        with self._mutex, self._errors(name):
            shard = self._become_writer().open(name)
            if shard is None:
                raise UnknownName("collection", name, self.collections())
            points = checked_points(name, shard.spec, records)
            self._writer.check_space()
            self._writer.note_change(name)
            shard.upsert(points)
            return len(points)

    def search(
        self, name: str, vector: Vectors, *, limit: int, where: Where | None = None
    ) -> list[Hit]:
        with self._errors(name):
            shard = self._open(name)
            if shard is None:
                return []
            return shard.search(checked_query(name, shard.spec, vector, limit), limit, where)

    def scan(self, name: str, *, where: Where | None = None) -> Iterator[Record]:
        with self._errors(name):
            shard = self._open(name)
            for page in shard.pages(where) if shard else ():
                yield from page

    def delete(self, name: str, ids: Sequence[str]) -> None:
        with self._mutex, self._errors(name):
            wanted = checked_ids(ids)
            if stored_spec(self._path / name) is not None:
                shard = self._become_writer().open(name)
                if shard is not None:
                    self._writer.note_change(name)
                    shard.delete(wanted)

    def count(self, name: str, *, where: Where | None = None) -> int:
        with self._errors(name):
            shard = self._open(name)
            return shard.count(where) if shard else 0

    def publish(self, name: str) -> None:
        with self._mutex, self._errors(name):
            if stored_spec(self._path / name) is None:
                raise UnknownName("collection", name, self.collections())
            if not has_unpublished(self._path / name):
                return
            shard = self._become_writer().open(name)
            if shard is not None:
                self._writer.publish(name, shard)

    def drop(self, name: str) -> None:
        with self._mutex, self._errors(name):
            if (self._path / name).exists():
                self._become_writer().drop(name)

    def close(self) -> None:
        with self._mutex, EdgeErrors(self._path):
            self._writer.close()
            self._reader.close()

    def _open(self, name: str) -> Shard | None:
        with self._mutex:
            return self._writer.open(name) if self._writer.owns else self._reader.open(name)

    def _become_writer(self) -> EdgeWriter:
        """The writer; what this process had open for reading is closed by the change."""
        if not self._writer.owns:
            self._writer.acquire()
            self._reader.close()
        return self._writer

    def _errors(self, name: str) -> EdgeErrors:
        return EdgeErrors(self._path / checked_name(name))
