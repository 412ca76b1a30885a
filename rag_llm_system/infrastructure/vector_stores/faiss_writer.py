"""Changes the tables of a FAISS collection; each change is one transaction, on the disk when it returns."""

import json
from collections.abc import Iterable, Iterator, Sequence, Set
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from rag_llm_system.domain.ports import CollectionSpec
from rag_llm_system.domain.queries import Where
from rag_llm_system.infrastructure.vector_stores.faiss_connections import (
    close_writer,
    connect_to_write,
)
from rag_llm_system.infrastructure.vector_stores.faiss_filters import (
    Value,
    field_values,
    indexed_fields,
    selection,
)
from rag_llm_system.infrastructure.vector_stores.faiss_tables import Graph, Snapshot
from rag_llm_system.infrastructure.vector_stores.points import Point
from rag_llm_system.infrastructure.vector_stores.term_index import packed

_AT_ONCE = 1_000  # payloads in memory


class FAISSWriter:
    """The one connection of a collection that writes."""

    def __init__(self, file: Path) -> None:
        self._db = connect_to_write(file)

    def set_spec(self, spec: CollectionSpec) -> None:
        """A field that was added is looked up by its values from now on, one that was left out no longer."""
        with self._transaction() as snapshot:
            before, now = indexed_fields(snapshot.spec), indexed_fields(spec)
            for field in sorted(before - now):
                self._db.execute("DELETE FROM terms WHERE field = ?", [field])
            if now - before:
                found = self._db.execute("SELECT row, payload FROM points")
                self._add_values(found, now - before)
            self._db.execute("UPDATE store SET spec = ?", [spec.model_dump_json()])

    def upsert(self, points: Sequence[Point]) -> None:
        with self._transaction() as snapshot:
            self._remove("id", [point.id for point in points], snapshot)
            first = snapshot.state.last_row + 1
            payloads = [json.dumps(point.payload, ensure_ascii=False) for point in points]
            stored = list(enumerate(payloads, start=first))
            self._db.executemany(
                "INSERT INTO points VALUES (?, ?, ?)",
                [(row, p.id, text) for (row, text), p in zip(stored, points, strict=True)],
            )
            self._add_values(stored, indexed_fields(snapshot.spec))
            if snapshot.spec.dimension is not None:
                vectors = np.array([point.vector for point in points], dtype=np.float32)
                self._db.executemany(
                    "INSERT INTO vectors VALUES (?, ?)",
                    [(row, vector.tobytes()) for row, vector in enumerate(vectors, start=first)],
                )
            if snapshot.spec.terms:
                having = [(row, p) for row, p in enumerate(points, start=first) if p.terms]
                self._db.executemany(
                    "INSERT INTO point_terms VALUES (?, ?)",
                    [(row, packed(point.terms)) for row, point in having],
                )

    def delete(self, ids: Sequence[str]) -> None:
        with self._transaction() as snapshot:
            self._remove("id", ids, snapshot)

    def delete_where(self, where: Where) -> None:
        with self._transaction() as snapshot:
            rows = snapshot.select(selection(where, indexed_fields(snapshot.spec)))
            self._remove("row", rows.tolist(), snapshot)

    def set_graph(self, graph: Graph) -> None:
        with self._transaction():
            self._db.execute(
                "UPDATE store SET graph = ?, graph_size = ?, graph_last_row = ?, "
                "revision = revision + 1",
                graph,
            )

    def close(self) -> None:
        close_writer(self._db)

    @contextmanager
    def _transaction(self) -> Iterator[Snapshot]:
        self._db.execute("BEGIN IMMEDIATE")
        with self._db:  # commits, or rolls back when anything fails
            yield Snapshot(self._db)

    def _remove(self, column: str, keys: Sequence[str | int], snapshot: Snapshot) -> None:
        """The points with these ids or rows; a key that no point has is passed over."""
        fields = indexed_fields(snapshot.spec)
        removed = 0
        for start in range(0, len(keys), _AT_ONCE):
            found = self._db.execute(
                f"SELECT row, payload FROM points WHERE {column} IN (SELECT value FROM json_each(?))",  # noqa: S608
                [json.dumps(keys[start : start + _AT_ONCE])],
            ).fetchall()
            self._db.executemany(
                "DELETE FROM terms WHERE field = ? AND value = ? AND row = ?",
                _values(found, fields),
            )
            for table in ("points", "vectors", *(["point_terms"] if snapshot.spec.terms else [])):
                self._db.executemany(
                    f"DELETE FROM {table} WHERE row = ?",  # noqa: S608 - one of these three
                    [(row,) for row, _ in found],
                )
            removed += len(found)
        if removed:
            self._db.execute("UPDATE store SET revision = revision + 1")

    def _add_values(self, stored: Iterable[tuple[int, str]], fields: Set[str]) -> None:
        self._db.executemany("INSERT INTO terms VALUES (?, ?, ?)", _values(stored, fields))


def _values(
    stored: Iterable[tuple[int, str]], fields: Set[str]
) -> Iterator[tuple[str, Value, int]]:
    """Field, value and row, of pairs of a row and its payload."""
    for row, payload in stored:
        for field, value in field_values(json.loads(payload), fields):
            yield field, value, row
