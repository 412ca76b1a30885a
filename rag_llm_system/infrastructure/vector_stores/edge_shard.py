"""One Qdrant Edge shard: our points and filters in the engine's words. Nothing else knows the engine."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from qdrant_edge import (
    AcornSearchParams,
    CountRequest,
    Distance,
    EdgeConfig,
    EdgeOptimizersConfig,
    EdgeShard,
    EdgeSparseVectorParams,
    EdgeVectorParams,
    FieldCondition,
    Filter,
    HasIdCondition,
    HnswIndexConfig,
    MatchAny,
    MatchValue,
    PayloadSchemaType,
    Query,
    QueryRequest,
    RangeFloat,
    ScrollRequest,
    SearchParams,
    UpdateOperation,
)
from qdrant_edge import Point as EdgePoint

from rag_llm_system.domain.ports import CollectionSpec, Record
from rag_llm_system.domain.queries import Hit, Where
from rag_llm_system.infrastructure.vector_stores.filters import key_path, translate
from rag_llm_system.infrastructure.vector_stores.points import FLAGS_KEY, Point, best

EXACT_BELOW_KB = 30_000
"""Vectors up to this size (20,000 of 384 numbers) are searched exactly, all of them or what a filter keeps.

Measured: exact search takes 4 ms there, the graph 0.5 ms at 0.98 recall, and building it stops the process for 4 s.
With the engine's own 10,000 a filter that keeps a fifth of 50,000 points finds 61 % of the best ten, with this 99 %.
"""

_VECTOR = "dense"
_NO_VECTOR = "unused"  # the engine wants at least one; a sparse one that no point has costs nothing
_BATCH_POINTS = (
    1_000  # measured: 100 or 1,000 make no difference, and a call holds the interpreter lock
)
_PAGE_POINTS = 512
_LINKS, _BUILD_WIDTH = 16, 100  # the graph's M and ef_construct: Qdrant's defaults
_SEARCH_WIDTH = 128  # ef; measured recall@10 0.987 at 50,000 points, 0.978 with 64


class Shard:
    """An open shard. Vectors have length 1, so that the engine's cosine is a plain product."""

    def __init__(self, shard: Any, spec: CollectionSpec) -> None:
        self._shard = shard
        self.spec = spec

    @classmethod
    def create(cls, folder: Path, spec: CollectionSpec) -> "Shard":
        """An empty shard; its payload indexes exist before the first point, or its graph would not know them."""
        shard = cls(EdgeShard.create(str(folder), _config(spec)), spec)
        shard.index_payload()
        shard.flush()
        return shard

    @classmethod
    def load(cls, folder: Path, spec: CollectionSpec) -> "Shard":
        """The shard as it was acknowledged last: the engine replays its write-ahead log."""
        return cls(EdgeShard.load(str(folder)), spec)

    def index_payload(self) -> None:
        """Add the payload indexes of the spec that are not there yet."""
        # A float index finds integers and floats; an integer index would miss the floats.
        wanted = dict.fromkeys(self.spec.keyword_fields, PayloadSchemaType.Keyword)
        wanted |= dict.fromkeys(self.spec.integer_fields, PayloadSchemaType.Float)
        there = self._shard.info().payload_schema
        for field, kind in wanted.items():
            if key_path(field) not in there:
                self._shard.update(UpdateOperation.create_field_index(key_path(field), kind))

    def upsert(self, points: Sequence[Point]) -> None:
        for start in range(0, len(points), _BATCH_POINTS):
            batch = [_edge_point(one) for one in points[start : start + _BATCH_POINTS]]
            self._shard.update(UpdateOperation.upsert_points(batch))

    def delete(self, ids: Sequence[str]) -> None:
        if ids:
            self._shard.update(UpdateOperation.delete_points(list(ids)))

    def search(self, vector: list[float], limit: int, where: Where | None) -> list[Hit]:
        wanted = _filter(where)
        # ACORN looks past neighbours that the filter drops, else a filtered graph falls apart
        width = SearchParams(hnsw_ef=_SEARCH_WIDTH, acorn=AcornSearchParams(enable=bool(where)))

        def fetch(number: int) -> list[Hit]:
            request = QueryRequest(
                query=Query.Nearest(vector, using=_VECTOR),
                filter=wanted,
                params=width,
                limit=number,
                with_payload=True,
            )
            return [
                Hit(id=str(found.id), score=float(found.score), payload=_payload(found.payload))
                for found in self._shard.query(request)
            ]

        return best(limit, fetch)

    def pages(self, where: Where | None) -> Iterator[list[Record]]:
        """All points ordered by id, without vectors, a page per call to the engine."""
        wanted, offset = _filter(where), None
        while True:
            page, offset = self._shard.scroll(
                ScrollRequest(limit=_PAGE_POINTS, offset=offset, filter=wanted, with_payload=True)
            )
            yield [Record(id=str(one.id), payload=_payload(one.payload)) for one in page]
            if offset is None:
                return

    def count(self, where: Where | None = None) -> int:
        return int(self._shard.count(CountRequest(exact=True, filter=_filter(where))))

    def flush(self) -> None:
        """Until this returns, what was written survives the death of the process but not of the machine."""
        self._shard.flush()

    def optimize(self) -> None:
        """Build the graph where exact search would be slow. Holds the interpreter lock until it is done."""
        size_bytes = 4 * (self.spec.dimension or 0) * self._shard.info().points_count
        if size_bytes > EXACT_BELOW_KB * 1024:
            self._shard.optimize()

    def close(self) -> None:
        self._shard.close()


class _EdgeDialect:
    """Conditions of the filter language in the engine's classes."""

    def texts(self, key: str, values: list[str]) -> Any:
        return FieldCondition(key, match=MatchAny(values))

    def flag(self, key: str, value: bool) -> Any:
        # version 0.9 takes MatchValue(True) for the number 1, so booleans are stored as text, too
        return FieldCondition(f"{FLAGS_KEY}.{key}", match=MatchValue(_flag_text(value)))

    def integer(self, key: str, value: int) -> Any:
        return FieldCondition(key, match=MatchValue(value))

    def between(self, key: str, gte: float | None, lte: float | None) -> Any:
        return FieldCondition(key, range=RangeFloat(gte=gte, lte=lte))

    def any_of(self, conditions: list[Any]) -> Any:
        return Filter(should=conditions) if conditions else HasIdCondition(set())

    def all_of(self, conditions: list[Any]) -> Any:
        return Filter(must=conditions)


def _config(spec: CollectionSpec) -> Any:
    dense = {}
    if spec.dimension is not None:
        dense[_VECTOR] = EdgeVectorParams(size=spec.dimension, distance=Distance.Cosine)
    return EdgeConfig(
        vectors=dense,
        sparse_vectors={} if dense else {_NO_VECTOR: EdgeSparseVectorParams()},
        hnsw_config=HnswIndexConfig(
            m=_LINKS, ef_construct=_BUILD_WIDTH, full_scan_threshold=EXACT_BELOW_KB
        ),
        optimizers=EdgeOptimizersConfig(indexing_threshold=EXACT_BELOW_KB),
        max_search_threads=1,  # measured: faster than eight for one question at a time
        wal_enabled=True,
    )


def _filter(where: Where | None) -> Any:
    return translate(where, _EdgeDialect())


def _edge_point(point: Point) -> Any:
    vector: dict[str, Any] = {_VECTOR: point.vector} if point.vector else {}
    flags = {
        field: texts for field, value in point.payload.items() if (texts := _flag_texts(value))
    }
    payload = {**point.payload, FLAGS_KEY: flags} if flags else point.payload
    return EdgePoint(point.id, vector, payload)


def _flag_texts(value: Any) -> list[str]:
    values: Iterable[Any] = value if isinstance(value, list) else [value]
    return [_flag_text(one) for one in values if isinstance(one, bool)]


def _flag_text(value: bool) -> str:
    return "true" if value else "false"


def _payload(stored: Mapping[str, Any] | None) -> dict[str, Any]:
    return {field: value for field, value in (stored or {}).items() if field != FLAGS_KEY}
