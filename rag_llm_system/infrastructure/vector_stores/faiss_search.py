"""Search in a FAISS collection. For vectors: by comparing all where that is quick, else by the graph, where that can
be checked.

A graph cannot filter: it would look among the nearest for what may be far away. So a condition that leaves few points
is looked up in the tables and those points are compared one by one. One that leaves many is met by some of the nearest
points, as a rule; when too few of these meet it, those that do are looked up after all.

For terms: all that share one are scored, of those that can meet the condition by its indexed fields. The other fields
are compared from the best on, until there are enough.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.queries import Hit, Terms, Where, matches
from rag_llm_system.infrastructure.vector_stores.faiss_current_terms import CurrentTerms
from rag_llm_system.infrastructure.vector_stores.faiss_filters import (
    Selection,
    indexed_fields,
    selection,
)
from rag_llm_system.infrastructure.vector_stores.faiss_segment import Ranked
from rag_llm_system.infrastructure.vector_stores.faiss_tables import Rows, Snapshot
from rag_llm_system.infrastructure.vector_stores.faiss_view import View
from rag_llm_system.infrastructure.vector_stores.points import selected

_TIES = 16
"""Asked for beyond the limit: with fewer equal scores where the limit cuts, the answer is known to be complete."""
_PER_HIT, _AT_LEAST = 8, 64
"""Of the nearest points, how many are tried for each that must meet a condition, and how many in any case."""
_FEW_READ = 1_000
"""So many payloads are read rather than trying the nearest points first; it takes 10 ms."""


@dataclass(frozen=True)
class Asked:
    """What is asked of one state of a collection."""

    snapshot: Snapshot
    limit: int
    where: Where | None
    fields: Sequence[str] | None

    def chosen(self) -> Selection | None:
        """The condition, where there is one."""
        if not self.where:
            return None
        return selection(self.where, indexed_fields(self.snapshot.spec))

    def hits(self, ranked: Ranked, where: Where | None) -> list[Hit] | None:
        """The best that meet ``where``, ties by id; None when others as good may be missing."""
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
                    kept = selected(payload, self.fields)
                    found.append(Hit(id=stored[row].id, score=score, payload=kept))
        if not self._enough(found, ranked.floor):
            return None
        return sorted(found, key=lambda hit: (-hit.score, hit.id))[: self.limit]

    def _enough(self, found: list[Hit], next_score: float) -> bool:
        """Whether nothing that scores ``next_score`` or less can be among the best."""
        if next_score == -inf:
            return True
        return len(found) >= self.limit and found[self.limit - 1].score > next_score


@dataclass(frozen=True)
class Search:
    """For vectors. Up to ``compared`` points that meet the condition are all compared."""

    asked: Asked
    view: View
    compared: int

    def answers(self, queries: Vectors) -> list[list[Hit]]:
        """The hits of each query, best first, ties by id."""
        chosen, limit = self.asked.chosen(), self.asked.limit
        rows = self._few(chosen) if chosen else None
        if rows is not None:
            return [self._exact(query, rows) for query in queries]
        count = max(_AT_LEAST, _PER_HIT * limit) if chosen else limit + _TIES
        answers = []
        for query, ranked in zip(queries, self.view.nearest(queries, count), strict=True):
            hits = self.asked.hits(ranked, self.asked.where)
            if hits is None:
                if chosen and rows is None:
                    rows = self.asked.snapshot.select(chosen)
                hits = self._exact(query, rows)
            answers.append(hits)
        return answers

    def _few(self, chosen: Selection) -> Rows | None:
        at_most = min(_FEW_READ, self.compared) if chosen.rest else self.compared
        return self.asked.snapshot.select_few(chosen, at_most)

    def _exact(self, query: Vectors, rows: Rows | None) -> list[Hit]:
        """Of all points, or of these rows, which are known to meet the condition."""
        count = self.asked.limit + _TIES
        while (hits := self.asked.hits(self.view.exact(query, count, rows), None)) is None:
            count *= 4
        return hits


def terms_found(
    asked: Asked, terms: CurrentTerms, queries: Sequence[Terms]
) -> list[list[Hit]] | None:
    """The hits of each query, best first, ties by id; None when what was asked is of an earlier state."""
    chosen = asked.chosen()
    among = asked.snapshot.by_values(chosen) if chosen else None
    rest = chosen.rest if chosen else None
    ranked = terms.best(asked.snapshot, queries, None if rest else asked.limit, among)
    if ranked is None:
        return None
    # everything that may be among the best is there, so there always is an answer
    return [asked.hits(one, rest) or [] for one in ranked]
