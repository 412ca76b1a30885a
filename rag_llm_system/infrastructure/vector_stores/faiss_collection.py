"""One collection of the FAISS store: a folder with a SQLite database, which holds everything, and a graph made from it.

::

    points.db      points, vectors, terms, the values of filters; points.db-wal and -shm beside it while somebody writes
    index.faiss    the HNSW graph, where there are many points (faiss_graph.py)
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import numpy as np

from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.ports import CollectionSpec, Record
from rag_llm_system.domain.queries import Hit, Terms, Where, matches
from rag_llm_system.infrastructure.vector_stores.faiss_connections import ReadConnections
from rag_llm_system.infrastructure.vector_stores.faiss_current import CurrentView
from rag_llm_system.infrastructure.vector_stores.faiss_current_terms import CurrentTerms
from rag_llm_system.infrastructure.vector_stores.faiss_filters import indexed_fields, selection
from rag_llm_system.infrastructure.vector_stores.faiss_graph import (
    built,
    grown,
    is_whole,
    save_graph,
)
from rag_llm_system.infrastructure.vector_stores.faiss_search import Asked, Search, terms_found
from rag_llm_system.infrastructure.vector_stores.faiss_segment import Segment
from rag_llm_system.infrastructure.vector_stores.faiss_tables import Graph, Snapshot
from rag_llm_system.infrastructure.vector_stores.faiss_writer import FAISSWriter
from rag_llm_system.infrastructure.vector_stores.points import selected
from rag_llm_system.infrastructure.vector_stores.term_index import unpacked

POINTS = "points.db"
_GRAPH = "index.faiss"
_PAGE = 512

_DEAD_SHARE = 0.2
"""Of the graph; more of it slows every search."""
_LATER_SHARE = 0.25
"""Of ``exact_below``: comparing more that is not in the graph would take as long as searching it."""


class FAISSCollection:
    """Reads from any number of threads; what writes is called by one at a time, of the process that holds the lock.

    A read raises FileNotFoundError when the collection was dropped meanwhile.
    """

    def __init__(self, folder: Path, exact_below: int) -> None:
        self._folder = folder
        self._exact_below = exact_below
        self._connections = ReadConnections(folder / POINTS)
        self._current = CurrentView(folder / _GRAPH)
        self._terms = CurrentTerms()
        self._writer: FAISSWriter | None = None

    @property
    def identity(self) -> tuple[int, int]:
        return self._connections.identity

    @property
    def writer(self) -> FAISSWriter:
        if self._writer is None:
            self._writer = FAISSWriter(self._folder / POINTS)
        return self._writer

    def spec(self) -> CollectionSpec:
        with self._snapshot() as snapshot:
            return snapshot.spec

    def search(
        self, queries: Vectors, limit: int, where: Where | None, fields: Sequence[str] | None
    ) -> list[list[Hit]]:
        while True:
            with self._snapshot() as snapshot:
                view = self._current.at(snapshot)
                if view is not None:
                    asked = Asked(snapshot, limit, where, fields)
                    return Search(asked, view, self._exact_below).answers(queries)

    def search_terms(
        self,
        queries: Sequence[Terms],
        limit: int,
        where: Where | None,
        fields: Sequence[str] | None,
    ) -> list[list[Hit]]:
        while True:
            with self._snapshot() as snapshot:
                asked = Asked(snapshot, limit, where, fields)
                found = terms_found(asked, self._terms, queries)
                if found is not None:
                    return found

    def scan(
        self,
        where: Where | None,
        after: str,
        fields: Sequence[str] | None,
        with_vectors: bool,
    ) -> Iterator[Record]:
        with self._connections.lent() as db:  # one to the end: it outlives the collection's folder
            while True:
                db.execute("BEGIN")
                snapshot = Snapshot(db)
                rows = None
                if where:
                    chosen = selection(where, indexed_fields(snapshot.spec))
                    rows = snapshot.select_few(chosen, at_most=2 * _PAGE)
                page = snapshot.page(after, _PAGE, rows=rows, with_vectors=with_vectors)
                db.rollback()
                for one in page:
                    payload = json.loads(one.payload)
                    if matches(where, payload):
                        yield Record(
                            id=one.id,
                            vector=np.frombuffer(one.vector, dtype=np.float32).tolist(),
                            terms=unpacked(one.terms),
                            payload=selected(payload, fields),
                        )
                if len(page) < _PAGE:
                    return
                after = page[-1].id

    def count(self, where: Where | None) -> int:
        with self._snapshot() as snapshot:
            if not where:
                return snapshot.size()
            return snapshot.count(selection(where, indexed_fields(snapshot.spec)))

    def is_published(self) -> bool:
        with self._snapshot() as snapshot:
            return self._due(snapshot) == "nothing"

    def publish(self) -> None:
        """Bring the graph up to date. Readers search the one before until the new one takes its place."""
        writer = (
            self.writer
        )  # opened now: beside a reader in the midst of something, that would wait
        file = self._folder / _GRAPH
        with self._snapshot() as snapshot:
            due, known = self._due(snapshot), snapshot.graph
            if due == "nothing":
                return
            if due == "removal":
                writer.set_graph(Graph())
                file.unlink(missing_ok=True)
                return
            base = self._current.graph(known) if due == "growth" else None
            if base is None:
                graph = built(snapshot.spec.dimension or 0, snapshot.vectors(0))
            else:
                graph = grown(base.graph, snapshot.vectors(known.last_row))
        known = save_graph(file, graph)
        self._current.offer(known, Segment.of_graph(graph))
        writer.set_graph(known)

    def close(self) -> None:
        self._current.close()
        self._connections.close()
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    @contextmanager
    def _snapshot(self) -> Iterator[Snapshot]:
        with self._connections.lent() as db:
            db.execute("BEGIN")
            yield Snapshot(db)

    def _due(self, snapshot: Snapshot) -> Literal["nothing", "removal", "growth", "building"]:
        """What there is to do about the graph."""
        known, size = snapshot.graph, snapshot.size()
        if snapshot.spec.dimension is None or size <= self._exact_below:
            return "removal" if known.digest else "nothing"
        if not known.digest or not is_whole(self._folder / _GRAPH, known):
            return "building"
        alive = np.count_nonzero(snapshot.rows() <= known.last_row)
        if known.size - alive > _DEAD_SHARE * known.size:
            return "building"
        return "growth" if size - alive > _LATER_SHARE * self._exact_below else "nothing"
