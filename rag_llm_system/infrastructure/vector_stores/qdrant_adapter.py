"""A Qdrant server or Qdrant Cloud, through qdrant-client over HTTP."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from qdrant_client import QdrantClient, models

from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.errors import ConfigurationError, IncompatibleCollection, UnknownName
from rag_llm_system.domain.ports import CollectionSpec, Record, refuse_other_encoder
from rag_llm_system.domain.queries import Hit, Where
from rag_llm_system.infrastructure.vector_stores.filters import key_path, translate
from rag_llm_system.infrastructure.vector_stores.points import (
    Point,
    best,
    checked_ids,
    checked_name,
    checked_points,
    checked_query,
)
from rag_llm_system.infrastructure.vector_stores.qdrant_connection import (
    CLIENT_ERRORS,
    CollectionAbsent,
    connect,
    translated,
)

_VECTOR = "dense"
_SPEC_KEY = "rag_llm_system"  # in the collection's metadata
_BATCH_POINTS = 256  # about 2 MB of JSON with 384 numbers each
_PAGE_POINTS = 512
_EXACT_BELOW_KB = 30_000  # as for Qdrant Edge, where it was measured
_SEARCH_WIDTH = 128


class QdrantAdapter:
    """Many processes may read and write at once; a write is visible when its call returns.

    A batch of points is checked as a whole, but the server takes it in requests of 256 points, each on its own.
    """

    def __init__(
        self,
        *,
        url: str = "",
        host: str = "",
        port: int = 6333,
        api_key: str = "",
        client: QdrantClient | None = None,
    ) -> None:
        """``url`` for a cloud cluster, else ``host`` and ``port``; a ``client`` replaces both.

        The first connection is made by the first call.
        """
        if client is None and bool(url) == bool(host):
            raise ConfigurationError(
                "Qdrant server: give either url (QDRANT_CLOUD_URL) or host (QDRANT_DATABASE_HOST)"
            )
        self._setting = "QDRANT_CLOUD_URL" if url else "QDRANT_DATABASE_HOST"
        self._address = urlsplit(url).hostname or f"{host}:{port}"
        self._client = client or connect(url, host, port, api_key)
        self._specs: dict[str, CollectionSpec] = {}

    def claim(self) -> None:
        """A server lets many write."""

    def ensure(self, name: str, spec: CollectionSpec) -> None:
        with self._errors(name):
            stored = self._spec(checked_name(name))
            if stored is None:
                self._create(name, spec)
            elif stored != spec:
                refuse_other_encoder(name, stored, spec)
                self._client.update_collection(name, metadata=_metadata(spec))
                self._index_payload(name, spec)
            self._specs[name] = spec

    def collections(self) -> Mapping[str, CollectionSpec]:
        """Those of this project; others on the same server are not ours to list."""
        with self._errors():
            names = sorted(one.name for one in self._client.get_collections().collections)
            found = {name: _spec_in(self._client.get_collection(name)) for name in names}
        return {name: spec for name, spec in found.items() if spec}

    def upsert(self, name: str, records: Sequence[Record]) -> int:
        with self._errors(name):
            points = checked_points(name, self._existing(name), records)
            for start in range(0, len(points), _BATCH_POINTS):
                batch = [_server_point(one) for one in points[start : start + _BATCH_POINTS]]
                self._client.upsert(name, batch, wait=True)
            return len(points)

    def search(
        self, name: str, vector: Vectors, *, limit: int, where: Where | None = None
    ) -> list[Hit]:
        wanted = _filter(where)
        try:
            with self._errors(name):
                spec = self._spec(name)
                if spec is None:
                    return []
                query = checked_query(name, spec, vector, limit)
                return best(limit, lambda number: self._nearest(name, query, number, wanted))
        except CollectionAbsent:
            return []

    def scan(self, name: str, *, where: Where | None = None) -> Iterator[Record]:
        wanted, offset = _filter(where), None
        try:
            with self._errors(name):
                if self._spec(name) is None:
                    return
                while True:
                    page, offset = self._client.scroll(
                        name,
                        scroll_filter=wanted,
                        limit=_PAGE_POINTS,
                        offset=offset,
                        with_payload=True,
                        with_vectors=False,
                    )
                    for one in page:
                        yield Record(id=str(one.id), payload=one.payload or {})
                    if offset is None:
                        return
        except CollectionAbsent:
            return

    def delete(self, name: str, ids: Sequence[str]) -> None:
        with self._errors(name):
            wanted: list[models.ExtendedPointId] = list(checked_ids(ids))
            if wanted and self._spec(name):
                self._client.delete(name, models.PointIdsList(points=wanted), wait=True)

    def count(self, name: str, *, where: Where | None = None) -> int:
        wanted = _filter(where)
        try:
            with self._errors(name):
                if self._spec(name) is None:
                    return 0
                return self._client.count(name, count_filter=wanted, exact=True).count
        except CollectionAbsent:
            return 0

    def publish(self, name: str) -> None:
        """Nothing to do: every write was made visible, and durable as the server is configured, when it returned."""
        with self._errors(name):
            self._existing(name)

    def drop(self, name: str) -> None:
        with self._errors(name):
            if self._spec(name):
                self._client.delete_collection(name)
            self._specs.pop(name, None)

    def close(self) -> None:
        self._client.close()

    def _nearest(
        self, name: str, query: list[float], number: int, wanted: models.Filter | None
    ) -> list[Hit]:
        width = models.SearchParams(
            hnsw_ef=_SEARCH_WIDTH, acorn=models.AcornSearchParams(enable=wanted is not None)
        )
        answer = self._client.query_points(
            name,
            query=query,
            using=_VECTOR,
            query_filter=wanted,
            search_params=width,
            limit=number,
            with_payload=True,
        )
        return [
            Hit(id=str(one.id), score=one.score, payload=one.payload or {}) for one in answer.points
        ]

    def _create(self, name: str, spec: CollectionSpec) -> None:
        vectors = {}
        if spec.dimension is not None:
            vectors[_VECTOR] = models.VectorParams(
                size=spec.dimension, distance=models.Distance.COSINE
            )
        self._client.create_collection(
            name,
            vectors_config=vectors,
            hnsw_config=models.HnswConfigDiff(full_scan_threshold=_EXACT_BELOW_KB),
            metadata=_metadata(spec),
        )
        if _spec_in(self._client.get_collection(name)) is None:
            self._client.delete_collection(name)
            raise ConfigurationError(
                f"the Qdrant server at {self._address} keeps no metadata of collections; "
                "it must be version 1.16 or newer"
            )
        self._index_payload(name, spec)

    def _index_payload(self, name: str, spec: CollectionSpec) -> None:
        """Before the first point, or the server's graph would not know the fields; again is harmless."""
        # A float index finds integers and floats; an integer index would miss the floats.
        wanted = dict.fromkeys(spec.keyword_fields, models.PayloadSchemaType.KEYWORD)
        wanted |= dict.fromkeys(spec.integer_fields, models.PayloadSchemaType.FLOAT)
        for field, kind in wanted.items():
            self._client.create_payload_index(name, key_path(field), field_schema=kind, wait=True)

    def _spec(self, name: str) -> CollectionSpec | None:
        """What the collection was made with, asked for once; None when it is absent."""
        if name not in self._specs:
            if not self._client.collection_exists(name):
                return None
            spec = _spec_in(self._client.get_collection(name))
            if spec is None:
                raise IncompatibleCollection(
                    f"collection {name!r} at {self._address} was not made by this system; "
                    "rename it, or use another server"
                )
            self._specs[name] = spec
        return self._specs[name]

    def _existing(self, name: str) -> CollectionSpec:
        spec = self._spec(name)
        if spec is None:
            raise UnknownName("collection", name, self.collections())
        return spec

    @contextmanager
    def _errors(self, name: str = "") -> Iterator[None]:
        try:
            yield
        except CLIENT_ERRORS as error:
            self._specs.pop(name, None)
            raise translated(error, self._address, self._setting) from error


class _ServerDialect:
    """Conditions of the filter language in the client's classes."""

    def texts(self, key: str, values: list[str]) -> models.Condition:
        return models.FieldCondition(key=key, match=models.MatchAny(any=values))

    def flag(self, key: str, value: bool) -> models.Condition:
        return models.FieldCondition(key=key, match=models.MatchValue(value=value))

    def integer(self, key: str, value: int) -> models.Condition:
        return models.FieldCondition(key=key, match=models.MatchValue(value=value))

    def between(self, key: str, gte: float | None, lte: float | None) -> models.Condition:
        return models.FieldCondition(key=key, range=models.Range(gte=gte, lte=lte))

    def any_of(self, conditions: list[models.Condition]) -> models.Condition:
        return models.Filter(should=conditions) if conditions else models.HasIdCondition(has_id=[])

    def all_of(self, conditions: list[models.Condition]) -> models.Condition:
        return models.Filter(must=conditions)


def _filter(where: Where | None) -> models.Filter | None:
    condition = translate(where, _ServerDialect())
    assert condition is None or isinstance(condition, models.Filter)  # noqa: S101 - what all_of makes
    return condition


def _server_point(point: Point) -> models.PointStruct:
    vector = {_VECTOR: point.vector} if point.vector else {}
    return models.PointStruct(id=point.id, vector=vector, payload=point.payload)


def _metadata(spec: CollectionSpec) -> dict[str, Any]:
    return {_SPEC_KEY: spec.model_dump(mode="json")}


def _spec_in(collection: models.CollectionInfo) -> CollectionSpec | None:
    stored = (collection.config.metadata or {}).get(_SPEC_KEY)
    return None if stored is None else CollectionSpec.model_validate(stored)
