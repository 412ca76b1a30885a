"""Vectors in memory, searched exactly: the store of tests and of small experiments. Nothing outlives the process."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.errors import UnknownName
from rag_llm_system.domain.ports import CollectionSpec, Record, refuse_other_encoder
from rag_llm_system.domain.queries import Hit, Where, matches
from rag_llm_system.infrastructure.vector_stores.filters import check
from rag_llm_system.infrastructure.vector_stores.points import (
    checked_ids,
    checked_name,
    checked_points,
    checked_query,
)


@dataclass(frozen=True)
class _Row:
    vector: Vectors
    payload: str  # JSON, so that each reader gets objects of its own


@dataclass(frozen=True)
class _Collection:
    spec: CollectionSpec
    rows: dict[str, _Row] = field(default_factory=dict)

    def found(self, where: Where | None) -> list[tuple[str, _Row]]:
        check(where)
        return [
            (point_id, row)
            for point_id, row in sorted(self.rows.items())
            if matches(where, json.loads(row.payload))
        ]


class MemoryVectorStore:
    """A dictionary of collections; every write is visible at once."""

    def __init__(self) -> None:
        self._collections: dict[str, _Collection] = {}

    def claim(self) -> None:
        """Nobody else can write here."""

    def ensure(self, name: str, spec: CollectionSpec) -> None:
        there = self._collections.get(checked_name(name))
        if there is None:
            self._collections[name] = _Collection(spec)
            return
        refuse_other_encoder(name, there.spec, spec)
        self._collections[name] = replace(there, spec=spec)

    def collections(self) -> Mapping[str, CollectionSpec]:
        return {name: one.spec for name, one in sorted(self._collections.items())}

    def upsert(self, name: str, records: Sequence[Record]) -> int:
        collection = self._existing(name)
        points = checked_points(name, collection.spec, records)
        for point in points:
            collection.rows[point.id] = _Row(
                np.array(point.vector, dtype=np.float32), json.dumps(point.payload)
            )
        return len(points)

    def search(
        self, name: str, vector: Vectors, *, limit: int, where: Where | None = None
    ) -> list[Hit]:
        collection = self._collections.get(name)
        if collection is None:
            return []
        query = np.array(checked_query(name, collection.spec, vector, limit), dtype=np.float32)
        found = collection.found(where)
        if not found:
            return []
        # einsum adds up each row alike, so equal vectors get equal scores; a BLAS product may not
        scores = np.einsum("ij,j->i", np.stack([row.vector for _, row in found]), query)
        order = np.argsort(-scores, kind="stable")[:limit]  # stable: found is sorted by id
        return [
            Hit(id=found[i][0], score=float(scores[i]), payload=json.loads(found[i][1].payload))
            for i in order
        ]

    def scan(self, name: str, *, where: Where | None = None) -> Iterator[Record]:
        collection = self._collections.get(name)
        for point_id, row in collection.found(where) if collection else ():
            yield Record(id=point_id, payload=json.loads(row.payload))

    def delete(self, name: str, ids: Sequence[str]) -> None:
        collection = self._collections.get(name)
        for point_id in checked_ids(ids):
            if collection:
                collection.rows.pop(point_id, None)

    def count(self, name: str, *, where: Where | None = None) -> int:
        collection = self._collections.get(name)
        return len(collection.found(where)) if collection else 0

    def publish(self, name: str) -> None:
        self._existing(name)

    def drop(self, name: str) -> None:
        self._collections.pop(name, None)

    def close(self) -> None:
        self._collections.clear()

    def _existing(self, name: str) -> _Collection:
        if name not in self._collections:
            raise UnknownName("collection", name, self._collections)
        return self._collections[name]
