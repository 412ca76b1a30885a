"""The vectors of a FAISS collection as of one state of its tables, and how the next state's are made from them."""

from dataclasses import dataclass

import numpy as np

from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.infrastructure.vector_stores.faiss_segment import Ranked, Segment
from rag_llm_system.infrastructure.vector_stores.faiss_tables import Graph, Rows, Snapshot, State


@dataclass(frozen=True)
class View:
    """The vectors of the graph, if there is one, and behind them those that were written since. It never changes."""

    state: State
    base: Segment | None
    graph: Graph  # what the base is
    tail: Segment

    def nearest(self, queries: Vectors, count: int) -> list[Ranked]:
        """The best of each query."""
        found = [one.nearest(queries, count) for one in self._segments]
        return [_merged(parts) for parts in zip(*found, strict=True)]

    def exact(self, query: Vectors, count: int, rows: Rows | None) -> Ranked:
        """The best among all, or among these rows, every one compared."""
        return _merged([one.exact(query[np.newaxis], count, rows)[0] for one in self._segments])

    @property
    def _segments(self) -> list[Segment]:
        return [self.tail] if self.base is None else [self.base, self.tail]


def view_of(snapshot: Snapshot, base: Segment | None) -> View:
    """A view with that graph, read from the tables."""
    dimension, rows = snapshot.spec.dimension or 0, snapshot.rows()
    last_row = 0
    if base is not None:
        base, last_row = base.keeping(rows), int(base.rows[-1])
    tail = Segment.empty(dimension, int(np.count_nonzero(rows > last_row)))
    graph = snapshot.graph if base is not None else Graph()
    return View(snapshot.state, base, graph, _with_later(tail, snapshot, last_row))


def caught_up(view: View, snapshot: Snapshot) -> View:
    """The view of a later state. The one before stays as it is, for those who still search it."""
    base, tail = view.base, view.tail
    if snapshot.state.revision != view.state.revision:
        rows = snapshot.rows()
        base, tail = base and base.keeping(rows), tail.keeping(rows)
    tail = _with_later(tail, snapshot, view.state.last_row)
    return View(snapshot.state, base, view.graph, tail)


def _with_later(tail: Segment, snapshot: Snapshot, last_row: int) -> Segment:
    for rows, vectors in snapshot.vectors(last_row):
        tail = tail.extended(rows, vectors)
    return tail


def _merged(parts: list[Ranked] | tuple[Ranked, ...]) -> Ranked:
    if len(parts) == 1:
        return parts[0]
    rows = np.concatenate([part.rows for part in parts])
    scores = np.concatenate([part.scores for part in parts])
    order = np.argsort(-scores, kind="stable")
    return Ranked(rows[order], scores[order], max(part.floor for part in parts))
