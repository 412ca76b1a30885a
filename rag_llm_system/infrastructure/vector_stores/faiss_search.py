"""Search in a FAISS collection: by comparing all where that is quick, else by the graph, where that can be checked.

A graph cannot filter: it would look among the nearest for what may be far away. So a condition that leaves few points
is looked up in the tables and those points are compared one by one. One that leaves many is met by some of the nearest
points, as a rule; when too few of these meet it, those that do are looked up after all.
"""

import json
from dataclasses import dataclass
from math import inf

from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.queries import Hit, Where, matches
from rag_llm_system.infrastructure.vector_stores.faiss_segment import Ranked
from rag_llm_system.infrastructure.vector_stores.faiss_tables import Rows, Snapshot
from rag_llm_system.infrastructure.vector_stores.faiss_terms import (
    Selection,
    indexed_fields,
    selection,
)
from rag_llm_system.infrastructure.vector_stores.faiss_view import View

_TIES = 16
"""Asked for beyond the limit: with fewer equal scores where the limit cuts, the answer is known to be complete."""
_PER_HIT, _AT_LEAST = 8, 64
"""Of the nearest points, how many are tried for each that must meet a condition, and how many in any case."""
_FEW_READ = 1_000
"""So many payloads are read rather than trying the nearest points first; it takes 10 ms."""


@dataclass(frozen=True)
class Search:
    """What is asked of one state of a collection. Up to ``compared`` points that meet ``where`` are all compared."""

    snapshot: Snapshot
    view: View
    limit: int
    where: Where | None
    compared: int

    def answers(self, queries: Vectors) -> list[list[Hit]]:
        """The hits of each query, best first, ties by id."""
        chosen = None
        if self.where:
            chosen = selection(self.where, indexed_fields(self.snapshot.spec))
        rows = self._few(chosen) if chosen else None
        if rows is not None:
            return [self._exact(query, rows) for query in queries]
        count = max(_AT_LEAST, _PER_HIT * self.limit) if chosen else self.limit + _TIES
        answers = []
        for query, ranked in zip(queries, self.view.nearest(queries, count), strict=True):
            hits = self._hits(ranked, self.where)
            if hits is None:
                if chosen and rows is None:
                    rows = self.snapshot.select(chosen)
                hits = self._exact(query, rows)
            answers.append(hits)
        return answers

    def _few(self, chosen: Selection) -> Rows | None:
        at_most = min(_FEW_READ, self.compared) if chosen.rest else self.compared
        return self.snapshot.select_few(chosen, at_most)

    def _exact(self, query: Vectors, rows: Rows | None) -> list[Hit]:
        """Of all points, or of these rows, which are known to meet the condition."""
        count = self.limit + _TIES
        while (hits := self._hits(self.view.exact(query, count, rows), None)) is None:
            count *= 4
        return hits

    def _hits(self, ranked: Ranked, where: Where | None) -> list[Hit] | None:
        """The best that meet ``where``; None when others as good may be missing."""
        found: list[Hit] = []
        step = max(self.limit, _TIES)
        for start in range(0, len(ranked.rows), step):
            if self._enough(found, float(ranked.scores[start])):
                break
            rows = ranked.rows[start : start + step].tolist()
            stored = self.snapshot.stored(rows)
            for row, score in zip(rows, ranked.scores[start : start + step].tolist(), strict=True):
                payload = json.loads(stored[row].payload)
                if matches(where, payload):
                    found.append(Hit(id=stored[row].id, score=score, payload=payload))
        if not self._enough(found, ranked.floor):
            return None
        return sorted(found, key=lambda hit: (-hit.score, hit.id))[: self.limit]

    def _enough(self, found: list[Hit], next_score: float) -> bool:
        """Whether nothing that scores ``next_score`` or less can be among the best."""
        if next_score == -inf:
            return True
        return len(found) >= self.limit and found[self.limit - 1].score > next_score
