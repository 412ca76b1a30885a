"""Vectors in memory, searched exactly: the store of tests and of small experiments. Nothing outlives the process."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import RLock
from typing import Any

import numpy as np

from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.errors import UnknownName
from rag_llm_system.domain.ports import (
    Capabilities,
    CollectionSpec,
    Record,
    refuse_other_encoder,
)
from rag_llm_system.domain.queries import Hit, Terms, Where, matches
from rag_llm_system.infrastructure.vector_stores.aliases import pointed_aliases, refuse_aliased
from rag_llm_system.infrastructure.vector_stores.filters import check
from rag_llm_system.infrastructure.vector_stores.points import (
    Point,
    checked_deletion,
    checked_ids,
    checked_name,
    checked_points,
    checked_queries,
    checked_query,
    checked_term_queries,
    selected,
)
from rag_llm_system.infrastructure.vector_stores.term_index import (
    TermIndex,
    packed,
    settled,
    unpacked,
)

_CAPABILITIES = Capabilities(
    filters="emulated",
    batch_search="native",
    aliases="native",
    approximate=False,
    readers="one process",
    writers="one process",
    durable_on="never",
)


@dataclass(frozen=True)
class _Row:
    vector: Vectors
    payload: str  # JSON, so that each reader gets objects of its own
    terms: bytes

    def fields(self, wanted: Sequence[str] | None = None) -> dict[str, Any]:
        return selected(json.loads(self.payload), wanted)


@dataclass(frozen=True)
class _Collection:
    spec: CollectionSpec
    rows: dict[str, _Row] = field(default_factory=dict)
    terms: TermIndex[str] = field(default_factory=TermIndex)

    def put(self, points: Sequence[Point]) -> None:
        for point in points:
            vector = np.array(point.vector, dtype=np.float32)
            self.rows[point.id] = _Row(vector, json.dumps(point.payload), packed(point.terms))
        self.terms.put({point.id: self.rows[point.id].terms for point in points})

    def remove(self, ids: Sequence[str]) -> None:
        for point_id in ids:
            self.rows.pop(point_id, None)
        self.terms.remove(ids)

    def found(self, where: Where | None) -> list[tuple[str, _Row]]:
        check(where)
        return [
            (point_id, row)
            for point_id, row in sorted(self.rows.items())
            if not where or matches(where, row.fields())
        ]


class MemoryVectorStore:
    """A dictionary of collections; every write is visible at once, a whole batch of it."""

    def __init__(self) -> None:
        self._collections: dict[str, _Collection] = {}
        self._aliases: dict[str, str] = {}
        self._mutex = RLock()

    @property
    def capabilities(self) -> Capabilities:
        return _CAPABILITIES

    def claim(self) -> None:
        """Nobody else can write here."""

    def ensure(self, name: str, spec: CollectionSpec) -> None:
        with self._mutex:
            there = self._find(name)
            if there is None:
                self._collections[name] = _Collection(spec)
                return
            refuse_other_encoder(name, there.spec, spec)
            self._collections[self._aliases.get(name, name)] = replace(there, spec=spec)

    def collections(self) -> Mapping[str, CollectionSpec]:
        with self._mutex:
            return {name: one.spec for name, one in sorted(self._collections.items())}

    def aliases(self) -> Mapping[str, str]:
        with self._mutex:
            return dict(self._aliases)

    def point_aliases(self, targets: Mapping[str, str | None]) -> None:
        with self._mutex:
            self._aliases = pointed_aliases(self._aliases, targets, self._collections)

    def upsert(self, name: str, records: Sequence[Record]) -> int:
        with self._mutex:
            collection = self._existing(name)
            points = checked_points(name, collection.spec, records)
            collection.put(points)
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
        with self._mutex:
            collection = self._find(name)
            if collection is None:
                return []
            query = np.array(checked_query(name, collection.spec, vector, limit), dtype=np.float32)
            return _best(collection.found(where), query[np.newaxis], limit, fields)[0]

    def search_batch(
        self,
        name: str,
        vectors: Vectors,
        *,
        limit: int,
        where: Where | None = None,
        fields: Sequence[str] | None = None,
    ) -> list[list[Hit]]:
        with self._mutex:
            collection = self._find(name)
            if collection is None:
                return [[] for _ in vectors]
            queries = checked_queries(name, collection.spec, vectors, limit)
            return _best(collection.found(where), queries, limit, fields)

    def search_terms(
        self,
        name: str,
        queries: Sequence[Terms],
        *,
        limit: int,
        where: Where | None = None,
        fields: Sequence[str] | None = None,
    ) -> list[list[Hit]]:
        with self._mutex:
            collection = self._find(name)
            if collection is None or not collection.spec.terms:
                return [[] for _ in queries]
            wanted = checked_term_queries(name, queries, limit)
            among = [point_id for point_id, _ in collection.found(where)] if where else None
            found = (collection.terms.best(query, limit, among) for query in wanted)
            return [
                [
                    Hit(id=one, score=score, payload=collection.rows[one].fields(fields))
                    for one, score in settled(ranked, limit)
                ]
                for ranked in found
            ]

    def scan(
        self,
        name: str,
        *,
        where: Where | None = None,
        after: str = "",
        fields: Sequence[str] | None = None,
        with_vectors: bool = False,
    ) -> Iterator[Record]:
        """The points that are there when the first one is taken."""
        with self._mutex:
            collection = self._find(name)
            found = collection.found(where) if collection else []
        for point_id, row in found:
            if point_id > after:
                payload = row.fields(fields)
                if with_vectors:
                    vector, terms = tuple(row.vector.tolist()), unpacked(row.terms)
                    yield Record(id=point_id, vector=vector, terms=terms, payload=payload)
                else:
                    yield Record(id=point_id, payload=payload)

    def delete(self, name: str, ids: Sequence[str]) -> None:
        with self._mutex:
            wanted, collection = checked_ids(ids), self._find(name)
            if collection:
                collection.remove(wanted)

    def delete_where(self, name: str, where: Where) -> None:
        with self._mutex:
            wanted, collection = checked_deletion(name, where), self._find(name)
            if collection:
                collection.remove([point_id for point_id, _ in collection.found(wanted)])

    def count(self, name: str, *, where: Where | None = None) -> int:
        with self._mutex:
            collection = self._find(name)
            return len(collection.found(where)) if collection else 0

    def publish(self, name: str) -> None:
        self._existing(name)

    def drop(self, name: str) -> None:
        with self._mutex:
            refuse_aliased(checked_name(name), self._aliases)
            self._collections.pop(name, None)

    def close(self) -> None:
        with self._mutex:
            self._collections.clear()
            self._aliases = {}

    def _find(self, name: str) -> _Collection | None:
        return self._collections.get(self._aliases.get(checked_name(name), name))

    def _existing(self, name: str) -> _Collection:
        collection = self._find(name)
        if collection is None:
            raise UnknownName("collection", name, self._collections)
        return collection


def _best(
    found: list[tuple[str, _Row]], queries: Vectors, limit: int, fields: Sequence[str] | None
) -> list[list[Hit]]:
    """The best of each query. ``found`` is sorted by id, so a stable order settles ties."""
    if not found:
        return [[] for _ in queries]
    # einsum adds up each row alike, so equal vectors get equal scores; a BLAS product may not
    scores = np.einsum("ij,kj->ki", np.stack([row.vector for _, row in found]), queries)
    return [
        [
            Hit(id=found[i][0], score=float(row[i]), payload=found[i][1].fields(fields))
            for i in np.argsort(-row, kind="stable")[:limit]
        ]
        for row in scores
    ]
