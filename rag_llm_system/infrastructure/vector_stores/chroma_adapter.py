"""Chroma, embedded: all collections in one SQLite database with an HNSW graph beside it for each.

::

    <path>/writer.lock          which process has it open, from its first call until close
    <path>/aliases.json         second names of collections
    <path>/chroma.sqlite3       the points, and a log of writes
    <path>/<segment>/           the graph of a collection
    <path>/.writing.<name>      there while a collection is written to (chroma_folder.py)
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from threading import RLock
from typing import Any

import chromadb
import numpy as np
from chromadb.config import Settings
from chromadb.errors import NotFoundError

from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.errors import StoreLocked, UnknownName
from rag_llm_system.domain.ports import (
    Capabilities,
    CollectionSpec,
    Record,
    refuse_other_encoder,
)
from rag_llm_system.domain.queries import Hit, Terms, Where
from rag_llm_system.infrastructure.vector_stores.aliases import AliasFile, refuse_aliased
from rag_llm_system.infrastructure.vector_stores.chroma_collection import ChromaCollection
from rag_llm_system.infrastructure.vector_stores.chroma_errors import ChromaErrors
from rag_llm_system.infrastructure.vector_stores.chroma_folder import (
    ChromaFolder,
    engine_name,
    own_name,
)
from rag_llm_system.infrastructure.vector_stores.chroma_metadata import keys_of_spec, spec_in
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

_SEARCH_WIDTH = 200
"""Of the graph; Chroma's own 100 gave a recall@10 of 0.954 for 50,000 chunks."""

_CAPABILITIES = Capabilities(
    filters="native",
    batch_search="emulated",
    aliases="emulated",
    approximate=True,
    readers="one process",
    writers="one process",
    durable_on="call",
)


class ChromaAdapter:
    """Open in one process at a time, for reading too: one that reads while another writes keeps an old graph, so it
    misses new points and finds deleted ones (tried with 1.5.9).

    A write is durable when its call returns. After a break-off between a write and ``publish`` or ``close`` the next
    opening builds the graphs of the collections in question again: about a minute for 50,000 points.
    """

    def __init__(self, path: Path) -> None:
        self._path = Path(path)
        self._lock = OwnerLock(self._path / "writer.lock")
        self._aliases = AliasFile(self._path / "aliases.json")
        self._client: Any = None
        self._found: dict[str, ChromaCollection] = {}
        self._mutex = RLock()
        self._errors = ChromaErrors(self._path)
        self._folder = ChromaFolder(self._path)

    @property
    def capabilities(self) -> Capabilities:
        return _CAPABILITIES

    def claim(self) -> None:
        with self._mutex, self._errors:
            self._opened()

    def ensure(self, name: str, spec: CollectionSpec) -> None:
        with self._mutex, self._errors:
            there = self._find(name)
            if there is None:
                self._opened().create_collection(
                    engine_name(name),
                    metadata=keys_of_spec(spec),
                    embedding_function=None,
                    configuration={"hnsw": {"space": "cosine", "ef_search": _SEARCH_WIDTH}},
                )
            elif there.spec != spec:
                refuse_other_encoder(name, there.spec, spec)
                there.change_spec(spec, keys_of_spec(spec))

    def collections(self) -> Mapping[str, CollectionSpec]:
        with self._mutex, self._errors:
            found = self._opened().list_collections()
            specs = {own_name(one.name): spec_in(one.metadata) for one in found}
            return dict(sorted(specs.items()))

    def aliases(self) -> Mapping[str, str]:
        with self._mutex, self._errors:
            self._opened()
            return self._aliases.read()

    def point_aliases(self, targets: Mapping[str, str | None]) -> None:
        with self._mutex, self._errors:
            self._aliases.point(targets, self.collections())

    def upsert(self, name: str, records: Sequence[Record]) -> int:
        with self._mutex, self._errors:
            collection = self._existing(name)
            points = checked_points(name, collection.spec, records)
            collection.upsert(points)
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
        with self._mutex, self._errors:
            collection = self._find(name)
            if collection is None:
                return []
            query = checked_query(name, collection.spec, vector, limit)
            return collection.search(np.array([query], dtype=np.float32), limit, where, fields)[0]

    def search_batch(
        self,
        name: str,
        vectors: Vectors,
        *,
        limit: int,
        where: Where | None = None,
        fields: Sequence[str] | None = None,
    ) -> list[list[Hit]]:
        with self._mutex, self._errors:
            collection = self._find(name)
            if collection is None:
                return [[] for _ in vectors]
            queries = checked_queries(name, collection.spec, vectors, limit)
            return collection.search(queries, limit, where, fields)

    def search_terms(
        self,
        name: str,
        queries: Sequence[Terms],
        *,
        limit: int,
        where: Where | None = None,
        fields: Sequence[str] | None = None,
    ) -> list[list[Hit]]:
        with self._mutex, self._errors:
            collection = self._find(name)
            if collection is None or not collection.spec.terms:
                return [[] for _ in queries]
            wanted = checked_term_queries(name, queries, limit)
            return collection.search_terms(wanted, limit, where, fields)

    def scan(
        self,
        name: str,
        *,
        where: Where | None = None,
        after: str = "",
        fields: Sequence[str] | None = None,
        with_vectors: bool = False,
    ) -> Iterator[Record]:
        """The points that are there when the first one is taken, each as it is when its page is read."""

        def pages() -> Iterator[list[Record]]:
            collection = self._find(name)
            if collection:
                yield from collection.pages(where, after, fields=fields, with_vectors=with_vectors)

        reading = pages()
        while True:
            with self._mutex, self._errors:
                page = next(reading, None)
            if page is None:
                return
            yield from page

    def delete(self, name: str, ids: Sequence[str]) -> None:
        with self._mutex, self._errors:
            wanted, collection = checked_ids(ids), self._find(name)
            if collection:
                collection.delete(wanted)

    def delete_where(self, name: str, where: Where) -> None:
        with self._mutex, self._errors:
            wanted, collection = checked_deletion(name, where), self._find(name)
            if collection:
                collection.delete(collection.ids(wanted))

    def count(self, name: str, *, where: Where | None = None) -> int:
        with self._mutex, self._errors:
            collection = self._find(name)
            return collection.count(where) if collection else 0

    def publish(self, name: str) -> None:
        with self._mutex, self._errors:
            self._existing(name)
            self._folder.unmark([self._aliases.resolve(name)])

    def drop(self, name: str) -> None:
        with self._mutex, self._errors:
            client = self._opened()
            refuse_aliased(checked_name(name), self._aliases.read())
            if name in self.collections():
                client.delete_collection(engine_name(name))
                self._found.pop(name, None)
                self._folder.remove_graphs_of_dropped()
                self._folder.unmark([name])

    def close(self) -> None:
        with self._mutex, self._errors:
            self._found.clear()
            client, self._client = self._client, None
            try:
                if client is not None:
                    client.close()
                    self._folder.unmark(self._folder.marked)
            finally:
                self._lock.release()

    def _opened(self) -> Any:
        """Chroma's client, opened by the first call."""
        if self._client is None:
            self._own()
            # all that the environment could set: an address, a folder, what is sent where
            settings = Settings(
                _env_file=None,
                chroma_api_impl="chromadb.api.rust.RustBindingsAPI",
                anonymized_telemetry=False,
            )
            broken = self._folder.remove_broken_graphs()
            with ExitStack() as undo:
                client = chromadb.PersistentClient(self._path, settings=settings)
                undo.callback(client.close)
                for name in broken:
                    collection = self._collection(client, name)
                    if collection:
                        collection.build_graph()
                self._folder.unmark(broken)
                undo.pop_all()
            self._client = client
        return self._client

    def _own(self) -> None:
        try:
            self._lock.acquire()
        except StoreLocked as error:
            holder, _, _ = str(error).rpartition("; ")
            raise StoreLocked(
                f"{holder}; a Chroma folder is open to one process, for searching too: "
                "wait until that ends, or stop it"
            ) from None

    def _find(self, name: str) -> ChromaCollection | None:
        client, name = self._opened(), self._aliases.resolve(name)
        if name not in self._found:
            collection = self._collection(client, name)
            if collection is None:
                return None
            self._found[name] = collection
        return self._found[name]

    def _collection(self, client: Any, name: str) -> ChromaCollection | None:
        try:
            engine = client.get_collection(engine_name(name), embedding_function=None)
        except NotFoundError:
            return None
        return ChromaCollection(
            engine, spec_in(engine.metadata), before_write=partial(self._folder.mark, name)
        )

    def _existing(self, name: str) -> ChromaCollection:
        collection = self._find(name)
        if collection is None:
            raise UnknownName("collection", name, self.collections())
        return collection
