"""What is said to a Qdrant server and read from it, in the client's classes."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from qdrant_client import models

from rag_llm_system.domain.ports import CollectionSpec, Record
from rag_llm_system.domain.queries import Hit, Terms, Where
from rag_llm_system.infrastructure.vector_stores.filters import key_path, translate
from rag_llm_system.infrastructure.vector_stores.points import Point

_VECTOR, _TERMS = "dense", "terms"
_SPEC_KEY = "rag_llm_system"  # in the collection's metadata
_SEARCH_WIDTH = 128
_LAST_ID = UUID(int=2**128 - 1)


def vectors_config(spec: CollectionSpec) -> dict[str, models.VectorParams]:
    if spec.dimension is None:
        return {}
    return {_VECTOR: models.VectorParams(size=spec.dimension, distance=models.Distance.COSINE)}


def sparse_vectors_config(spec: CollectionSpec) -> dict[str, models.SparseVectorParams] | None:
    """The server weighs terms by how many points have them: with the formula of ``VectorStore.search_terms``."""
    if not spec.terms:
        return None
    return {_TERMS: models.SparseVectorParams(modifier=models.Modifier.IDF)}


def payload_indexes(spec: CollectionSpec) -> Mapping[str, models.PayloadSchemaType]:
    """By path. A float index finds integers and floats; an integer index would miss the floats."""
    kinds = dict.fromkeys(spec.keyword_fields, models.PayloadSchemaType.KEYWORD)
    kinds |= dict.fromkeys(spec.integer_fields, models.PayloadSchemaType.FLOAT)
    return {key_path(field): kind for field, kind in kinds.items()}


def metadata(spec: CollectionSpec) -> dict[str, Any]:
    return {_SPEC_KEY: spec.model_dump(mode="json")}


def spec_in(collection: models.CollectionInfo) -> CollectionSpec | None:
    stored = (collection.config.metadata or {}).get(_SPEC_KEY)
    return None if stored is None else CollectionSpec.model_validate(stored)


def alias_changes(
    now: Mapping[str, str], wanted: Mapping[str, str]
) -> list[models.CreateAliasOperation | models.DeleteAliasOperation]:
    """What makes the one mapping of aliases the other."""
    gone = [alias for alias, target in now.items() if wanted.get(alias) != target]
    new = {alias: target for alias, target in wanted.items() if now.get(alias) != target}
    return [
        *(
            models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=alias))
            for alias in gone
        ),
        *(
            models.CreateAliasOperation(
                create_alias=models.CreateAlias(alias_name=alias, collection_name=target)
            )
            for alias, target in new.items()
        ),
    ]


def point_struct(point: Point) -> models.PointStruct:
    vector: dict[str, Any] = {_VECTOR: point.vector} if point.vector else {}
    if point.terms:
        vector[_TERMS] = _sparse(point.terms)
    return models.PointStruct(id=point.id, vector=vector, payload=point.payload)


def vector_request(
    query: list[float], limit: int, wanted: models.Filter | None, fields: Sequence[str] | None
) -> models.QueryRequest:
    width = models.SearchParams(
        hnsw_ef=_SEARCH_WIDTH, acorn=models.AcornSearchParams(enable=wanted is not None)
    )
    return models.QueryRequest(
        query=query,
        using=_VECTOR,
        filter=wanted,
        params=width,
        limit=limit,
        with_payload=payload_selector(fields),
    )


def terms_request(
    query: Terms, limit: int, wanted: models.Filter | None, fields: Sequence[str] | None
) -> models.QueryRequest:
    return models.QueryRequest(
        query=_sparse(query),
        using=_TERMS,
        filter=wanted,
        limit=limit,
        with_payload=payload_selector(fields),
    )


def hits_in(answer: models.QueryResponse) -> list[Hit]:
    return [
        Hit(id=str(one.id), score=one.score, payload=one.payload or {}) for one in answer.points
    ]


def id_after(point_id: str) -> str | None:
    """The smallest id that is greater; None after the last. The server orders UUIDs as their lower-case texts."""
    number = UUID(point_id)
    return None if number == _LAST_ID else str(UUID(int=number.int + 1))


def payload_selector(fields: Sequence[str] | None) -> bool | list[str]:
    if fields is None:
        return True
    return [key_path(field) for field in fields] or False


def record_of(point: models.Record) -> Record:
    vectors = point.vector if isinstance(point.vector, dict) else {}
    vector: Any = vectors.get(_VECTOR, ())
    terms: Any = vectors.get(_TERMS)
    return Record(
        id=str(point.id),
        vector=tuple(vector),
        terms=dict(zip(terms.indices, terms.values, strict=True)) if terms else {},
        payload=point.payload or {},
    )


def filter_of(where: Where | None) -> models.Filter | None:
    condition = translate(where, _ServerDialect())
    assert condition is None or isinstance(condition, models.Filter)  # noqa: S101 - what all_of makes
    return condition


def _sparse(terms: Terms) -> models.SparseVector:
    return models.SparseVector(indices=list(terms), values=list(terms.values()))


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
