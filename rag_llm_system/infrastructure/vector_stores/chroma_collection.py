"""One collection of Chroma: points in, points found."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import nsmallest
from itertools import chain, islice
from operator import itemgetter
from typing import TypeVar

import numpy as np
from chromadb.api.models.Collection import Collection

from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.ports import CollectionSpec, Record
from rag_llm_system.domain.queries import Hit, Terms, Where, matches
from rag_llm_system.infrastructure.vector_stores.chroma_filters import (
    Native,
    keys_of,
    plan,
)
from rag_llm_system.infrastructure.vector_stores.chroma_metadata import (
    keys_of_point,
    packed_terms_in,
    payload_in,
    record_in,
    restoring,
    vector_in,
    with_fields,
)
from rag_llm_system.infrastructure.vector_stores.filters import check
from rag_llm_system.infrastructure.vector_stores.points import Point, best
from rag_llm_system.infrastructure.vector_stores.term_index import TermIndex, packed, settled

_PAGE_POINTS = 512
_BATCH_POINTS = 1_000  # Chroma takes 5,461, and writes its graph to the disk after 1,000
_GATHERED_POINTS = 2_000
"""Up to as many that meet a filter are compared one by one: exact, and as fast as the filtered graph, which
missed 8 % of them in 100,000 points."""

_NO_VECTOR = [1.0]  # Chroma wants one for every point

T = TypeVar("T")
_Ranked = tuple[float, str, Native]


class ChromaCollection:
    """Not safe for threads: the adapter lets one in at a time.

    Chroma's open engine does not search for terms: an index of them is read from the points by the first search that
    needs it, and follows the writes from then on. There are no others than this object's.
    """

    def __init__(
        self, engine: Collection, spec: CollectionSpec, *, before_write: Callable[[], None]
    ) -> None:
        self._engine = engine
        self._before_write = before_write
        self.spec = spec
        self._terms: TermIndex[str] | None = None

    def upsert(self, points: Sequence[Point]) -> None:
        """Each point is replaced in one step: Chroma merges metadata, so what it loses is named with None."""
        self._before_write()
        index, self._terms = self._terms, None  # read again if a write fails
        for batch in _batches(points, _BATCH_POINTS):
            ids = [point.id for point in batch]
            there = self._engine.get(ids=ids, include=["metadatas"])
            before = dict(zip(there["ids"], there["metadatas"], strict=True))
            self._engine.upsert(
                ids=ids,
                embeddings=[point.vector or _NO_VECTOR for point in batch],
                metadatas=[
                    dict.fromkeys(before.get(point.id, ()))
                    | keys_of(point.payload, self.spec)
                    | keys_of_point(point)
                    for point in batch
                ],
            )
            if index is not None:
                index.put({point.id: packed(point.terms) for point in batch})
        self._terms = index

    def change_spec(self, spec: CollectionSpec, marked: Native) -> None:
        """Keep of every payload what the new spec filters by. The mark on the collection comes last: broken off, it
        is all done again."""
        self._before_write()
        for ids in _batches(self._ids(None), _BATCH_POINTS):
            there = self._engine.get(ids=ids, include=["metadatas"])
            kept = [
                dict.fromkeys(before) | keys_of(payload_in(before), spec) | restoring(before)
                for before in there["metadatas"]
            ]
            self._engine.update(ids=there["ids"], metadatas=kept)
        self._engine.modify(metadata=marked)
        self.spec = spec

    def build_graph(self) -> None:
        """Again, from the points."""
        for ids in _batches(self._ids(None), _BATCH_POINTS):
            there = self._engine.get(ids=ids, include=["metadatas"])
            vectors = [vector_in(kept).tolist() or _NO_VECTOR for kept in there["metadatas"]]
            self._engine.upsert(ids=there["ids"], embeddings=vectors)

    def delete(self, ids: Sequence[str]) -> None:
        self._before_write()
        index, self._terms = self._terms, None
        for batch in _batches(ids, _BATCH_POINTS):
            self._engine.delete(ids=batch)
            if index is not None:
                index.remove(batch)
        self._terms = index

    def count(self, where: Where | None) -> int:
        check(where)
        number: int = self._engine.count() if not where else len(self.ids(where))
        return number

    def ids(self, where: Where | None) -> list[str]:
        """Of all points that meet the condition, in no order."""
        check(where)
        if not where:
            return self._ids(None)
        planned = plan(where, self.spec)
        certain = [] if planned.certain is None else self._ids(planned.certain)
        return certain + self._decided(planned.doubtful, where)

    def pages(
        self,
        where: Where | None,
        after: str,
        *,
        fields: Sequence[str] | None,
        with_vectors: bool,
    ) -> Iterator[list[Record]]:
        """The points that are there at the first page, as they are when their own is read, ordered by id."""
        wanted = sorted(one for one in self.ids(where) if one > after)
        for ids in _batches(wanted, _PAGE_POINTS):
            yield with_fields(self._page(ids, where, with_vectors=with_vectors), fields)

    def search(
        self, queries: Vectors, limit: int, where: Where | None, fields: Sequence[str] | None
    ) -> list[list[Hit]]:
        """The best of each query, a row of length 1."""
        check(where)
        return [with_fields(hits, fields) for hits in self._searched(queries, limit, where)]

    def search_terms(
        self,
        queries: Sequence[Terms],
        limit: int,
        where: Where | None,
        fields: Sequence[str] | None,
    ) -> list[list[Hit]]:
        """The best of each query."""
        among = self.ids(where) if where else None
        if self._terms is None:
            self._terms = self._read_terms()
        found = [settled(self._terms.best(one, limit, among), limit) for one in queries]
        hits = []
        for ranked in found:
            pages = _batches([one for one, _ in ranked], _PAGE_POINTS)
            payloads = {r.id: r.payload for ids in pages for r in self._page(ids, None)}
            hits.append([Hit(id=i, score=score, payload=payloads[i]) for i, score in ranked])
        return [with_fields(one, fields) for one in hits]

    def _searched(self, queries: Vectors, limit: int, where: Where | None) -> list[list[Hit]]:
        if not where:
            return [best(limit, self._nearest(query, None)) for query in queries]
        planned = plan(where, self.spec)
        gathered = self._decided(planned.doubtful, where)
        if planned.certain is None:
            return self._best_of(gathered, queries, limit)
        certain = self._ids(planned.certain, limit=_GATHERED_POINTS + 1)
        if len(certain) <= _GATHERED_POINTS:
            return self._best_of(certain + gathered, queries, limit)
        searched = [best(limit, self._nearest(query, planned.certain)) for query in queries]
        others = self._best_of(gathered, queries, limit)
        return [_ranked(a + b, limit) for a, b in zip(searched, others, strict=True)]

    def _read_terms(self) -> TermIndex[str]:
        index: TermIndex[str] = TermIndex()
        for ids in _batches(self._ids(None), _BATCH_POINTS):
            there = self._engine.get(ids=ids, include=["metadatas"])
            terms = map(packed_terms_in, there["metadatas"])
            index.put(dict(zip(there["ids"], terms, strict=True)))
        return index

    def _ids(self, native: Native | None, *, limit: int | None = None) -> list[str]:
        ids: list[str] = self._engine.get(where=native, limit=limit, include=[])["ids"]
        return ids

    def _page(
        self, ids: Sequence[str], where: Where | None, *, with_vectors: bool = False
    ) -> list[Record]:
        """Those of the points that are still there and still meet the condition, ordered by id."""
        found = self._engine.get(ids=list(ids), include=["metadatas"])
        records = [
            record_in(one, kept, with_vectors=with_vectors)
            for one, kept in zip(found["ids"], found["metadatas"], strict=True)
        ]
        met = [record for record in records if matches(where, record.payload)]
        return sorted(met, key=lambda record: record.id)

    def _decided(self, doubtful: Native | None, where: Where) -> list[str]:
        """Of the points that Chroma cannot tell of, those that meet the condition."""
        pages = _batches(self._ids(doubtful), _PAGE_POINTS)
        return [one.id for ids in pages for one in self._page(ids, where)]

    def _nearest(self, query: Vectors, native: Native | None) -> Callable[[int], list[Hit]]:
        def fetch(number: int) -> list[Hit]:
            found = self._engine.query(
                query_embeddings=[query],
                n_results=number,
                where=native,
                include=["distances", "metadatas"],
            )
            rows = zip(found["ids"][0], found["distances"][0], found["metadatas"][0], strict=True)
            return [Hit(id=i, score=1.0 - d, payload=payload_in(kept)) for i, d, kept in rows]

        return fetch

    def _best_of(self, ids: Sequence[str], queries: Vectors, limit: int) -> list[list[Hit]]:
        """Exactly the best of these points for each query."""
        found: list[list[_Ranked]] = [[] for _ in queries]
        for page in _batches(ids, _PAGE_POINTS):
            points = self._engine.get(ids=page, include=["metadatas"])
            vectors = np.stack([vector_in(kept) for kept in points["metadatas"]])
            # einsum adds up each row alike, so equal vectors get equal scores; a BLAS product may not
            distances = -np.einsum("ij,kj->ki", vectors, queries)
            for n, row in enumerate(distances.tolist()):
                ranked = zip(row, points["ids"], points["metadatas"], strict=True)
                found[n] = nsmallest(limit, chain(found[n], ranked), key=itemgetter(0, 1))
        return [
            [
                Hit(id=one, score=-distance, payload=payload_in(kept))
                for distance, one, kept in ranked
            ]
            for ranked in found
        ]


def _ranked(hits: list[Hit], limit: int) -> list[Hit]:
    return sorted(hits, key=lambda hit: (-hit.score, hit.id))[:limit]


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
