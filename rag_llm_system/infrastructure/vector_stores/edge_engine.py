"""One Qdrant Edge shard in the words of the engine. Nothing else knows the engine, and this imports little else.

Every call of the engine holds the interpreter lock until it is done, for many seconds where a graph is built, and some
end the process (a damaged file, a full disk). So it runs in a process of its own (edge_worker.py), and takes and gives
what can be sent there: numbers, texts, lists.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
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
    FloatIndexParams,
    HasIdCondition,
    HnswIndexConfig,
    IdfParams,
    KeywordIndexParams,
    MatchAny,
    MatchValue,
    Memory,
    Modifier,
    Point,
    Query,
    QueryBatchRequest,
    QueryRequest,
    RangeFloat,
    ScrollRequest,
    SearchParams,
    SparseVector,
    UpdateOperation,
)

EXACT_BELOW_KB = 30_000
"""Vectors up to this size (20,000 of 384 numbers) are searched exactly, all of them or what a filter keeps.

Measured: exact search takes 4 ms there, the graph 0.5 ms at 0.98 recall. With the engine's own 10,000 a filter that
keeps a fifth of 50,000 points finds 61 % of the best ten, with this 99 %.
"""

Terms = tuple[list[int], list[float]]
"""Numbers of terms and their weights; both lists are empty for a point that has none."""

Hit = tuple[str, float, dict[str, Any]]
"""Id, score and payload."""

Condition = tuple[Any, ...]
"""A filter as a tuple: the name of an entry of ``_CONDITIONS`` and its arguments."""

_HERE = "."  # the process runs in the shard's folder, which may be renamed meanwhile
_VECTOR = "dense"
_TERMS = "terms"
_NO_VECTOR = "unused"  # the engine wants at least one; a sparse one that no point has costs nothing
_FLAGS_KEY = "_flags"  # reserved in payloads by points.py
_LINKS, _BUILD_WIDTH = 16, 100  # the graph's M and ef_construct: Qdrant's defaults
_SEARCH_WIDTH = 128  # ef; measured recall@10 0.987 at 50,000 points, 0.978 with 64


class Engine:
    """The shard in the working directory: ``create`` or ``load`` it first.

    Vectors have length 1, so that the engine's cosine is a plain product. Field names are paths in the engine's syntax.
    """

    _shard: Any

    def create(self, dimension: int | None, *, with_terms: bool) -> None:
        """An empty shard."""
        self._shard = EdgeShard.create(_HERE, _config(dimension, with_terms))

    def load(self) -> None:
        """The shard as it was acknowledged last: the engine replays its write-ahead log."""
        self._shard = EdgeShard.load(_HERE)

    def index_payload(self, keyword_fields: Sequence[str], number_fields: Sequence[str]) -> None:
        """Add the payload indexes that are not there yet; before the first point, or its graph would not know them."""
        # Left in the files, an index is there at once; read into memory it makes opening take twice as long.
        # A float index finds integers and floats; an integer index would miss the floats.
        wanted: dict[str, Any] = dict.fromkeys(
            keyword_fields, KeywordIndexParams(memory=Memory.Cold)
        )
        wanted |= dict.fromkeys(number_fields, FloatIndexParams(memory=Memory.Cold))
        there = self._shard.info().payload_schema
        for field, kind in wanted.items():
            if field not in there:
                self._shard.update(UpdateOperation.create_field_index(field, kind))

    def upsert(self, points: Sequence[tuple[str, list[float], Terms, dict[str, Any]]]) -> None:
        self._shard.update(UpdateOperation.upsert_points([_point(*point) for point in points]))

    def delete(self, ids: Sequence[str]) -> None:
        self._shard.update(UpdateOperation.delete_points(list(ids)))

    def delete_where(self, condition: Condition) -> None:
        self._shard.update(UpdateOperation.delete_points_by_filter(_filter(condition)))

    def search(
        self,
        vectors: Sequence[list[float]],
        limit: int,
        condition: Condition | None,
        fields: Sequence[str] | None,
    ) -> list[list[Hit]]:
        """The best of each vector, best first."""
        # ACORN looks past neighbours that the filter drops, else a filtered graph falls apart
        acorn = AcornSearchParams(enable=condition is not None)
        params = SearchParams(hnsw_ef=_SEARCH_WIDTH, acorn=acorn)
        nearest = [Query.Nearest(vector, using=_VECTOR) for vector in vectors]
        return self._found(nearest, params, limit, condition, fields)

    def search_terms(
        self,
        queries: Sequence[Terms],
        limit: int,
        condition: Condition | None,
        fields: Sequence[str] | None,
    ) -> list[list[Hit]]:
        """The best of each query by the weights of the terms that it shares with a point, best first."""
        # Asked for a part of the points, here all, the engine counts those that are there. Its count for the whole is
        # as of the sparse index, which goes on counting what was deleted until it is built again. Measured with 25,000
        # points: 0.6 ms more.
        params = SearchParams(idf=IdfParams(Filter()))
        nearest = [Query.Nearest(SparseVector(*terms), using=_TERMS) for terms in queries]
        return self._found(nearest, params, limit, condition, fields)

    def page(
        self,
        start: str | None,
        limit: int,
        condition: Condition | None,
        *,
        fields: Sequence[str] | None,
        with_vectors: bool,
    ) -> list[tuple[str, list[float], Terms, dict[str, Any]]]:
        """Id, vector, terms and payload of the first points from ``start`` on, ordered by id."""
        found, _ = self._shard.scroll(
            ScrollRequest(
                limit=limit,
                offset=start,
                filter=_filter(condition),
                with_payload=True if fields is None else list(fields),
                with_vector=with_vectors,
            )
        )
        return [
            (str(one.id), _vector(one.vector), _terms(one.vector), _payload(one.payload))
            for one in found
        ]

    def count(self, condition: Condition | None) -> int:
        return int(self._shard.count(CountRequest(exact=True, filter=_filter(condition))))

    def warm(self) -> None:
        """Answer one question, so that the first one of somebody else does not wait for files."""
        found, _ = self._shard.scroll(ScrollRequest(limit=1, with_vector=True, with_payload=True))
        vectors = [_vector(one.vector) for one in found]
        self.search([vector for vector in vectors if vector], 1, None, None)

    def optimize(self) -> None:
        """Build the graph where exact search would be slow, and clear out what was deleted."""
        self._shard.optimize()

    def flush(self) -> None:
        """Until this returns, what was written survives the death of the process but not of the machine."""
        self._shard.flush()

    def _found(
        self,
        nearest: Sequence[Any],
        params: Any,
        limit: int,
        condition: Condition | None,
        fields: Sequence[str] | None,
    ) -> list[list[Hit]]:
        wanted, payload = _filter(condition), True if fields is None else list(fields)
        requests = [
            QueryRequest(query=one, filter=wanted, params=params, limit=limit, with_payload=payload)
            for one in nearest
        ]
        return [
            [(str(one.id), float(one.score), _payload(one.payload)) for one in found]
            for found in self._shard.query_batch(QueryBatchRequest(requests))
        ]


def _config(dimension: int | None, with_terms: bool) -> Any:
    dense, sparse = {}, {}
    if dimension is not None:
        dense[_VECTOR] = EdgeVectorParams(size=dimension, distance=Distance.Cosine)
    if with_terms:
        sparse[_TERMS] = EdgeSparseVectorParams(modifier=Modifier.Idf)
    if not dense and not sparse:
        sparse[_NO_VECTOR] = EdgeSparseVectorParams()
    return EdgeConfig(
        vectors=dense,
        sparse_vectors=sparse,
        hnsw_config=HnswIndexConfig(
            m=_LINKS, ef_construct=_BUILD_WIDTH, full_scan_threshold=EXACT_BELOW_KB
        ),
        optimizers=EdgeOptimizersConfig(indexing_threshold=EXACT_BELOW_KB),
        id_tracker_memory=Memory.Cold,
        max_search_threads=1,  # measured: faster than eight for one question at a time
        wal_enabled=True,
    )


def _filter(condition: Condition | None) -> Any:
    if condition is None:
        return None
    kind, *arguments = condition
    return Filter(must=[_CONDITIONS[kind](*arguments)])


def _condition(condition: Condition) -> Any:
    kind, *arguments = condition
    return _CONDITIONS[kind](*arguments)


def _texts(key: str, values: list[str]) -> Any:
    return FieldCondition(key, match=MatchAny(values))


def _flag(key: str, value: bool) -> Any:
    # version 0.9 takes MatchValue(True) for the number 1, so booleans are stored as text, too
    return FieldCondition(f"{_FLAGS_KEY}.{key}", match=MatchValue(_flag_text(value)))


def _integer(key: str, value: int) -> Any:
    return FieldCondition(key, match=MatchValue(value))


def _between(key: str, gte: float | None, lte: float | None) -> Any:
    return FieldCondition(key, range=RangeFloat(gte=gte, lte=lte))


def _any_of(conditions: list[Condition]) -> Any:
    if not conditions:
        return HasIdCondition(set())
    return Filter(should=[_condition(one) for one in conditions])


def _all_of(conditions: list[Condition]) -> Any:
    return Filter(must=[_condition(one) for one in conditions])


_CONDITIONS: dict[str, Callable[..., Any]] = {
    "texts": _texts,
    "flag": _flag,
    "integer": _integer,
    "between": _between,
    "any of": _any_of,
    "all of": _all_of,
}


def _point(point_id: str, vector: list[float], terms: Terms, payload: dict[str, Any]) -> Any:
    flags = {field: texts for field, value in payload.items() if (texts := _flag_texts(value))}
    stored = {**payload, _FLAGS_KEY: flags} if flags else payload
    vectors: dict[str, Any] = {_VECTOR: vector} if vector else {}
    if terms[0]:
        vectors[_TERMS] = SparseVector(*terms)
    return Point(point_id, vectors, stored)


def _flag_texts(value: Any) -> list[str]:
    values: Iterable[Any] = value if isinstance(value, list) else [value]
    return [_flag_text(one) for one in values if isinstance(one, bool)]


def _flag_text(value: bool) -> str:
    return "true" if value else "false"


def _vector(stored: Mapping[str, Any] | None) -> list[float]:
    return list((stored or {}).get(_VECTOR, ()))


def _terms(stored: Mapping[str, Any] | None) -> Terms:
    terms = (stored or {}).get(_TERMS)
    return (terms.indices, terms.values) if terms else ([], [])


def _payload(stored: Mapping[str, Any] | None) -> dict[str, Any]:
    return {field: value for field, value in (stored or {}).items() if field != _FLAGS_KEY}
