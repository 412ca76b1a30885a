"""FAISS as a vector store: a folder per collection, one writing process, any number of readers.

::

    <path>/writer.lock      who writes; taken by the first write, held until close
    <path>/aliases.json     second names of collections
    <path>/<collection>/    points.db and index.faiss (faiss_collection.py); made and dropped in one step, by renaming
"""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path
from threading import Lock, RLock
from typing import TypeVar
from uuid import uuid4

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
from rag_llm_system.infrastructure.vector_stores.durable_files import flush_folder
from rag_llm_system.infrastructure.vector_stores.faiss_collection import POINTS, FAISSCollection
from rag_llm_system.infrastructure.vector_stores.faiss_connections import identity
from rag_llm_system.infrastructure.vector_stores.faiss_errors import FAISSErrors
from rag_llm_system.infrastructure.vector_stores.faiss_tables import create_tables
from rag_llm_system.infrastructure.vector_stores.owner_lock import OwnerLock
from rag_llm_system.infrastructure.vector_stores.points import (
    checked_deletion,
    checked_ids,
    checked_name,
    checked_points,
    checked_queries,
    checked_query,
    checked_term_queries,
)

EXACT_BELOW = 20_000
"""Vectors. Up to here comparing all of them takes about 1 ms, as a search of the graph does, and misses nothing."""

_CAPABILITIES = Capabilities(
    filters="emulated",
    batch_search="native",
    aliases="emulated",
    approximate=True,
    readers="many processes",
    writers="one process",
    durable_on="call",
)
_HIDDEN = ".partial-"

T = TypeVar("T")


class FAISSAdapter:
    """Every write is one transaction, on the disk and visible to all processes when it returns.

    ``publish`` builds the graph where a collection has more than ``exact_below`` points; searching needs no graph.
    """

    def __init__(self, path: Path, *, exact_below: int = EXACT_BELOW) -> None:
        self._path = Path(path)
        self._exact_below = exact_below
        self._lock = OwnerLock(self._path / "writer.lock")
        self._alias_file = AliasFile(self._path / "aliases.json")
        self._open: dict[str, FAISSCollection] = {}
        self._writing = RLock()
        self._opening = Lock()

    @property
    def capabilities(self) -> Capabilities:
        return _CAPABILITIES

    def claim(self) -> None:
        with self._writing, FAISSErrors(self._path):
            if not self._lock.held:
                self._lock.acquire()
                for leftover in self._path.glob(f"{_HIDDEN}*"):
                    shutil.rmtree(leftover)

    def ensure(self, name: str, spec: CollectionSpec) -> None:
        with self._writing, self._errors(name):
            if self._resolved(name) is None:
                self.claim()
            collection = self._resolved(name)
            if collection is None:
                self._create(name, spec)
                return
            stored = collection.spec()
            if stored != spec:  # a reader may ask for what is there already
                refuse_other_encoder(name, stored, spec)
                self._to_write(name).writer.set_spec(spec)

    def collections(self) -> Mapping[str, CollectionSpec]:
        with FAISSErrors(self._path):
            specs = {}
            for file in sorted(self._path.glob(f"[!.]*/{POINTS}")):
                collection = self._find(file.parent.name)
                with suppress(FileNotFoundError):  # dropped since
                    if collection is not None:
                        specs[file.parent.name] = collection.spec()
            return specs

    def aliases(self) -> Mapping[str, str]:
        with FAISSErrors(self._path):
            return self._alias_file.read()

    def point_aliases(self, targets: Mapping[str, str | None]) -> None:
        with self._writing, FAISSErrors(self._path):
            self.claim()
            self._alias_file.point(targets, self.collections())

    def upsert(self, name: str, records: Sequence[Record]) -> int:
        with self._writing, self._errors(name):
            points = checked_points(name, self._existing(name).spec(), records)
            if points:
                self._to_write(name).writer.upsert(points)
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
        def read(collection: FAISSCollection) -> list[Hit]:
            query = checked_query(name, collection.spec(), vector, limit)
            return collection.search(np.array([query], dtype=np.float32), limit, where, fields)[0]

        return self._read(name, read, absent=[])

    def search_batch(
        self,
        name: str,
        vectors: Vectors,
        *,
        limit: int,
        where: Where | None = None,
        fields: Sequence[str] | None = None,
    ) -> list[list[Hit]]:
        def read(collection: FAISSCollection) -> list[list[Hit]]:
            queries = checked_queries(name, collection.spec(), vectors, limit)
            return collection.search(queries, limit, where, fields)

        return self._read(name, read, absent=[[] for _ in vectors])

    def search_terms(
        self,
        name: str,
        queries: Sequence[Terms],
        *,
        limit: int,
        where: Where | None = None,
        fields: Sequence[str] | None = None,
    ) -> list[list[Hit]]:
        def read(collection: FAISSCollection) -> list[list[Hit]]:
            if not collection.spec().terms:
                return [[] for _ in queries]
            wanted = checked_term_queries(name, queries, limit)
            return collection.search_terms(wanted, limit, where, fields)

        return self._read(name, read, absent=[[] for _ in queries])

    def scan(
        self,
        name: str,
        *,
        where: Where | None = None,
        after: str = "",
        fields: Sequence[str] | None = None,
        with_vectors: bool = False,
    ) -> Iterator[Record]:
        """What is written while it runs may be among the points that are still to come."""

        def read(collection: FAISSCollection) -> Iterator[Record]:
            records = collection.scan(where, after, fields, with_vectors)
            first = list(islice(records, 1))  # opens its connection
            return chain(first, records)

        nothing: Iterator[Record] = iter(())
        with self._errors(name):
            yield from self._read(name, read, absent=nothing)

    def delete(self, name: str, ids: Sequence[str]) -> None:
        with self._writing, self._errors(name):
            wanted = checked_ids(ids)
            if wanted and self._resolved(name):
                self._to_write(name).writer.delete(wanted)

    def delete_where(self, name: str, where: Where) -> None:
        with self._writing, self._errors(name):
            wanted = checked_deletion(name, where)
            if self._resolved(name):
                self._to_write(name).writer.delete_where(wanted)

    def count(self, name: str, *, where: Where | None = None) -> int:
        return self._read(name, lambda collection: collection.count(where), absent=0)

    def publish(self, name: str) -> None:
        with self._writing, self._errors(name):
            if not self._existing(name).is_published():
                self._to_write(name).publish()

    def drop(self, name: str) -> None:
        with self._writing, self._errors(name):
            refuse_aliased(name, self._alias_file.read())
            if (self._path / name).exists():
                self.claim()
                self._remove(name)

    def close(self) -> None:
        with self._writing, FAISSErrors(self._path):
            with self._opening:
                for name in list(self._open):
                    self._forget(name)
            self._lock.release()

    def _read(self, name: str, read: Callable[[FAISSCollection], T], *, absent: T) -> T:
        """From the collection that the name stands for, also when that changes just now."""
        with self._errors(name):
            while True:
                own = self._alias_file.resolve(name)
                collection = self._find(own)
                if collection is None:
                    if self._alias_file.resolve(name) == own:
                        return absent
                    continue
                with suppress(FileNotFoundError):  # dropped since
                    return read(collection)

    def _find(self, own_name: str) -> FAISSCollection | None:
        folder = self._path / own_name
        with self._opening:
            known = self._open.get(own_name)
            try:
                if known is None or known.identity != identity(folder / POINTS):
                    self._forget(own_name)
                    self._open[own_name] = FAISSCollection(folder, self._exact_below)
            except FileNotFoundError:
                self._forget(own_name)
            return self._open.get(own_name)

    def _resolved(self, name: str) -> FAISSCollection | None:
        return self._find(self._alias_file.resolve(name))

    def _existing(self, name: str) -> FAISSCollection:
        collection = self._resolved(name)
        if collection is None:
            raise UnknownName("collection", name, self.collections())
        return collection

    def _to_write(self, name: str) -> FAISSCollection:
        """The collection, once this process is the writer; before, another one might still drop it."""
        self._existing(name)
        self.claim()
        return self._existing(name)

    def _create(self, own_name: str, spec: CollectionSpec) -> None:
        self._remove(own_name)  # a folder without a database: somebody deleted by hand
        beside = self._hidden()
        beside.mkdir()
        create_tables(beside / POINTS, spec)
        flush_folder(beside)
        beside.rename(self._path / own_name)
        flush_folder(self._path)

    def _remove(self, own_name: str) -> None:
        """The collection is gone in one step; a crash leaves at most a hidden folder, removed by the next writer."""
        with self._opening:
            # before the folder goes: SQLite removes the log of a database that it closes by its name
            self._forget(own_name)
        if (self._path / own_name).exists():
            hidden = self._hidden()
            (self._path / own_name).rename(hidden)
            flush_folder(self._path)
            shutil.rmtree(hidden)

    def _forget(self, own_name: str) -> None:
        known = self._open.pop(own_name, None)
        if known is not None:
            known.close()

    def _hidden(self) -> Path:
        return self._path / f"{_HIDDEN}{uuid4().hex[:8]}"

    def _errors(self, name: str) -> FAISSErrors:
        return FAISSErrors(self._path / checked_name(name))
