"""The terms of a FAISS collection in memory, shared by the threads of a process."""

from collections.abc import Sequence
from threading import Lock

import numpy as np

from rag_llm_system.domain.queries import Terms
from rag_llm_system.infrastructure.vector_stores.faiss_segment import Ranked
from rag_llm_system.infrastructure.vector_stores.faiss_tables import Rows, Snapshot, State
from rag_llm_system.infrastructure.vector_stores.term_index import TermIndex


class CurrentTerms:
    """Read from the tables by the first search for terms, brought up to date by each one after a write."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._index: TermIndex[int] = TermIndex()
        self._state = State(0, 0)

    def best(
        self, snapshot: Snapshot, queries: Sequence[Terms], count: int | None, among: Rows | None
    ) -> list[Ranked] | None:
        """The ``count`` best rows of each query (None: all) and what ties with the last of them.

        None when a later state than the snapshot's is there already.
        """
        with self._lock:
            if snapshot.state < self._state:
                return None
            self._catch_up(snapshot)
            rows = None if among is None else among.tolist()
            wanted = len(self._index) if count is None else count
            return [_ranked(self._index.best(query, wanted, rows)) for query in queries]

    def _catch_up(self, snapshot: Snapshot) -> None:
        if snapshot.state.revision != self._state.revision:
            self._index.remove(self._index.keys() - set(snapshot.rows().tolist()))
        if snapshot.state.last_row != self._state.last_row:
            self._index.put(snapshot.terms(self._state.last_row))
        self._state = snapshot.state


def _ranked(found: list[tuple[int, float]]) -> Ranked:
    rows = np.array([row for row, _ in found], dtype=np.int64)
    scores = np.array([score for _, score in found], dtype=np.float64)
    return Ranked(rows, scores, floor=-np.inf)
