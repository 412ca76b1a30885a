"""Vectors in memory and the ways to search them with FAISS: exactly, or through an HNSW graph."""

from dataclasses import dataclass, replace
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt

from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.infrastructure.vector_stores.faiss_tables import Rows

LINKS, EF_CONSTRUCTION = 16, 100  # the documents' parameters of the graph
EF_SEARCH = 192
"""How many nodes a search of the graph keeps in view. Recall@10 of 50,000 MiniLM vectors: 128 0.977, 256 0.983."""
EF_PER_NEIGHBOUR = 4
"""Of a search for many neighbours; with less, the far ones among them are missed (0.98 of 64 at 1.5, 0.993 at 4)."""
_GRAPH_PAYS = 256
"""A search of the graph for one of so many vectors, or for more of them, takes longer than comparing all (measured)."""

_ROUNDING = np.float32(2e-6)
"""By how much two ways to add up the products of two vectors of length 1 differ at most."""

_TIDY_SHARE = 0.2
_MANY_QUERIES = 16
ALL_THREADS = faiss.omp_get_max_threads()


@dataclass(frozen=True)
class Ranked:
    """Some of the best points, best first; whatever scores more than ``floor`` is among them."""

    rows: Rows
    scores: npt.NDArray[np.float32 | np.float64]
    floor: float


@dataclass(frozen=True)
class _Room:
    """Arrays with space behind what is in use. What a segment has in use is never written again."""

    rows: Rows
    vectors: Vectors


@dataclass(frozen=True)
class Segment:
    """Vectors in the order of their rows. It never changes: what was removed is not ``alive`` in the next one.

    With a ``graph``, a ``faiss.IndexIDMap`` over an ``IndexHNSWFlat``, the vectors lie in the graph's memory.
    """

    rows: Rows
    vectors: Vectors
    alive: npt.NDArray[np.bool_]
    room: _Room | None = None
    graph: Any = None

    @classmethod
    def empty(cls, dimension: int, capacity: int) -> "Segment":
        room = _Room(np.empty(capacity, np.int64), np.empty((capacity, dimension), np.float32))
        return cls(room.rows[:0], room.vectors[:0], np.ones(0, bool), room)

    @classmethod
    def of_graph(cls, graph: Any) -> "Segment":
        flat: Any = faiss.downcast_index(_hnsw(graph).storage)
        vectors = faiss.rev_swig_ptr(flat.get_xb(), flat.ntotal * flat.d).reshape(-1, flat.d)
        rows = faiss.vector_to_array(graph.id_map)
        return cls(rows, vectors, np.ones(len(rows), bool), graph=graph)

    def extended(self, rows: Rows, vectors: Vectors) -> "Segment":
        """With further rows, each greater than those that are there. Only the newest segment may be extended."""
        start, end = len(self.rows), len(self.rows) + len(rows)
        room = self.room
        if room is None or end > len(room.rows):
            room = _Room(
                np.empty(end * 3 // 2, np.int64),
                np.empty((end * 3 // 2, self.vectors.shape[1]), np.float32),
            )
            room.rows[:start], room.vectors[:start] = self.rows, self.vectors
        room.rows[start:end], room.vectors[start:end] = rows, vectors
        alive = np.concatenate([self.alive, np.ones(len(rows), bool)])
        return Segment(room.rows[:end], room.vectors[:end], alive, room)

    def keeping(self, rows: Rows) -> "Segment":
        """What is not among these rows is not alive; without a graph, much of that is let go."""
        alive = np.isin(self.rows, rows)
        if self.graph is None and np.count_nonzero(~alive) > _TIDY_SHARE * len(alive):
            left = self.rows[alive]
            return Segment(left, self.vectors[alive], np.ones(len(left), bool))
        return replace(self, alive=alive)

    def nearest(self, queries: Vectors, count: int) -> list[Ranked]:
        """The best of each query, through the graph where that is quicker."""
        if self.graph is None or count * _GRAPH_PAYS > len(self.rows):
            return self.exact(queries, count)
        _use_threads(queries)
        ef = max(EF_SEARCH, EF_PER_NEIGHBOUR * count)
        parameters = faiss.SearchParametersHNSW(efSearch=ef)  # type: ignore[attr-defined]
        _, found = _hnsw(self.graph).search(queries, count, params=parameters)
        # fewer than were asked for: the graph has a part that this search did not reach
        return [
            self._ranked(query, places, floor=np.inf if places[-1] < 0 else None)
            for query, places in zip(queries, found, strict=True)
        ]

    def exact(self, queries: Vectors, count: int, rows: Rows | None = None) -> list[Ranked]:
        """The best of each query among all that are alive, or among those of these rows."""
        among = self._places(rows)
        count = min(count, len(among))
        if count == 0:
            nothing = np.empty(0, np.int64)
            return [self._ranked(query, nothing, floor=-np.inf) for query in queries]
        found = np.empty((len(queries), count), np.int64)
        scores = np.empty((len(queries), count), np.float32)
        selector = faiss.IDSelectorArray(among)
        _use_threads(queries)
        faiss.knn_inner_product(
            faiss.swig_ptr(queries), faiss.swig_ptr(self.vectors), self.vectors.shape[1],
            len(queries), len(self.vectors), count, faiss.swig_ptr(scores), faiss.swig_ptr(found),
            selector,
        )  # fmt: skip
        floor = -np.inf if count == len(among) else None
        return [
            self._ranked(query, places, floor) for query, places in zip(queries, found, strict=True)
        ]

    def _places(self, rows: Rows | None) -> Rows:
        """Where in the segment these rows are, or all that are alive; each place once."""
        if rows is None:
            return np.flatnonzero(self.alive)
        if not len(self.rows):
            return np.empty(0, np.int64)
        places = np.minimum(np.searchsorted(self.rows, rows), len(self.rows) - 1)
        wanted = np.zeros(len(self.rows), bool)
        wanted[places[self.rows[places] == rows]] = True
        return np.flatnonzero(wanted)

    def _ranked(self, query: Vectors, places: Rows, floor: float | None) -> Ranked:
        """``floor`` None: the worst of them, since the engine may have left out others as good."""
        places = places[places >= 0]
        # einsum adds up each row alike, so equal vectors get equal scores; the engine's ways may not
        scores = np.einsum("ij,j->i", self.vectors[places], query)
        if floor is None:
            floor = float(scores.min() + _ROUNDING)
        alive = self.alive[places]
        places, scores = places[alive], scores[alive]
        order = np.argsort(-scores, kind="stable")
        return Ranked(self.rows[places][order], scores[order], floor)


def _hnsw(graph: Any) -> Any:
    return faiss.downcast_index(graph.index)


def _use_threads(queries: Vectors) -> None:
    """One for a few queries of 1 ms: beside other work, waiting for a second thread takes 8 to 16 ms (measured)."""
    faiss.omp_set_num_threads(1 if len(queries) < _MANY_QUERIES else ALL_THREADS)
