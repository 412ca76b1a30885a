"""The tables of a FAISS collection: points by the row in which they were written, and what is known about the graph.

A row number is never used again: a point that is replaced moves to the end, and what was written after some moment has
a greater row. ``revision`` counts the writes that did anything else: took rows away, or changed the graph.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.ports import CollectionSpec
from rag_llm_system.domain.queries import matches
from rag_llm_system.infrastructure.vector_stores.faiss_filters import Selection

Rows = npt.NDArray[np.int64]

_SCHEMA = """
CREATE TABLE store (
    spec TEXT NOT NULL, revision INTEGER NOT NULL,
    graph TEXT NOT NULL, graph_size INTEGER NOT NULL, graph_last_row INTEGER NOT NULL
);
CREATE TABLE points (
    row INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, payload TEXT NOT NULL
);
CREATE TABLE vectors (row INTEGER PRIMARY KEY, vector BLOB NOT NULL);
CREATE TABLE point_terms (row INTEGER PRIMARY KEY, terms BLOB NOT NULL);
CREATE TABLE terms ( -- the values of indexed fields
    field TEXT NOT NULL, value NOT NULL, row INTEGER NOT NULL, PRIMARY KEY (field, value, row)
) WITHOUT ROWID;
"""
_PAGE_BYTES = 8192  # five vectors of 384 numbers; two fit into the default of 4096, with a gap
_STATE = """
SELECT spec, revision, graph, graph_size, graph_last_row,
       coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'points'), 0)
FROM store
"""
_LISTED = "(SELECT value FROM json_each(?))"
_ROWS_AT_ONCE = 4_096  # the graph takes a fifth more time to build in pages of 1,024


class Graph(NamedTuple):
    """What ``index.faiss`` must be: its digest, how many vectors it holds, and the row of the last one."""

    digest: str = ""  # "": there is none
    size: int = 0
    last_row: int = 0


class State(NamedTuple):
    """Grows with every write that searches must know of."""

    last_row: int
    revision: int


class Stored(NamedTuple):
    """A point as it is kept: its payload is JSON."""

    row: int
    id: str
    payload: str
    vector: bytes = b""
    terms: bytes = b""


def create_tables(file: Path, spec: CollectionSpec) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as db:
        db.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
        db.executescript(_SCHEMA)
        db.execute("INSERT INTO store VALUES (?, 0, '', 0, 0)", [spec.model_dump_json()])


class Snapshot:
    """What one transaction sees."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        spec, revision, digest, size, graph_last_row, last_row = db.execute(_STATE).fetchone()
        self.spec = _spec(spec)
        self.state = State(last_row, revision)
        self.graph = Graph(digest, size, graph_last_row)

    def size(self) -> int:
        """How many points there are."""
        return _number(self._db.execute("SELECT count(*) FROM points"))

    def rows(self) -> Rows:
        """Of all points, in no order."""
        return self._numbers("SELECT row FROM points", ())

    def vectors(self, after_row: int) -> Iterator[tuple[Rows, Vectors]]:
        """Pages of rows and their vectors, in the order of rows."""
        found = self._db.execute(
            "SELECT row, vector FROM vectors WHERE row > ? ORDER BY row", [after_row]
        )
        while page := found.fetchmany(_ROWS_AT_ONCE):
            rows, vectors = zip(*page, strict=True)
            matrix = np.frombuffer(b"".join(vectors), dtype=np.float32)
            yield np.array(rows, dtype=np.int64), matrix.reshape(len(rows), -1)

    def stored(self, rows: Sequence[int]) -> Mapping[int, Stored]:
        found = self._db.execute(
            f"SELECT row, id, payload FROM points WHERE row IN {_LISTED}",  # noqa: S608 - a constant
            [json.dumps(rows)],
        )
        return {row: Stored(row, *columns) for row, *columns in found}

    def page(
        self, after_id: str, limit: int, *, rows: Rows | None = None, with_vectors: bool = False
    ) -> list[Stored]:
        """Points ordered by id, of all or of these rows."""
        columns, join = "row, id, payload", ""
        if with_vectors:
            columns, join = self._with_vectors(columns)
        among = "" if rows is None else f"AND row IN {_LISTED}"
        found = self._db.execute(
            f"SELECT {columns} FROM points {join} WHERE id > ? {among} ORDER BY id LIMIT ?",  # noqa: S608 - no value in it
            [after_id, *([] if rows is None else [json.dumps(rows.tolist())]), limit],
        )
        return [Stored(*columns) for columns in found]

    def terms(self, after_row: int) -> Mapping[int, bytes]:
        """Of the points behind that row, as far as they have any, packed (term_index.py)."""
        if not self.spec.terms:  # its database may have been made before there was such a table
            return {}
        return dict(
            self._db.execute("SELECT row, terms FROM point_terms WHERE row > ?", [after_row])
        )

    def by_values(self, chosen: Selection) -> Rows | None:
        """The rows of all points that may meet the condition; None when the table of values cannot tell."""
        return self._numbers(chosen.sql, chosen.values) if chosen.sql else None

    def select(self, chosen: Selection) -> Rows:
        """The rows of all points that meet the condition, in no order; some may be there twice."""
        if not chosen.rest:
            return self._numbers(chosen.sql, chosen.values)
        among = f"WHERE row IN ({chosen.sql})" if chosen.sql else ""
        found = self._db.execute(
            f"SELECT row, payload FROM points {among}",  # noqa: S608 - no value in it
            chosen.values,
        )
        kept = [row for row, payload in found if matches(chosen.rest, json.loads(payload))]
        return np.array(kept, dtype=np.int64)

    def select_few(self, chosen: Selection, at_most: int) -> Rows | None:
        """The same; None when more than that may meet it, by what the table of values says."""
        if not chosen.sql:
            return None
        rows = self._numbers(f"{chosen.sql} LIMIT {at_most + 1}", chosen.values)
        if len(rows) > at_most:
            return None
        return self.select(chosen) if chosen.rest else rows

    def count(self, chosen: Selection) -> int:
        if chosen.rest:
            return len(self.select(chosen))
        counted = f"SELECT count(DISTINCT row) FROM ({chosen.sql})"  # noqa: S608 - no value in it
        return _number(self._db.execute(counted, chosen.values))

    def _with_vectors(self, columns: str) -> tuple[str, str]:
        """Further columns, and the tables that they come from."""
        join = ""
        if self.spec.dimension is None:
            columns += ", x''"
        else:
            columns, join = columns + ", vector", "JOIN vectors USING (row)"
        if self.spec.terms:
            columns += ", coalesce(terms, x'')"
            join += " LEFT JOIN point_terms USING (row)"
        return columns, join

    def _numbers(self, sql: str, values: Sequence[str | int | float | bytes]) -> Rows:
        """One column of integers. As one text it comes four times faster than row by row."""
        (text,) = self._db.execute(f"SELECT group_concat(row) FROM ({sql})", values).fetchone()  # noqa: S608 - no value in it
        return np.fromstring(text or "", dtype=np.int64, sep=",")


@lru_cache(maxsize=64)
def _spec(text: str) -> CollectionSpec:
    return CollectionSpec.model_validate_json(text)


def _number(found: sqlite3.Cursor) -> int:
    (number,) = found.fetchone()
    return int(number)
