"""What is kept as Chroma's metadata: of a collection its spec, and of a point all of it.

::

    spec     the collection's, as JSON

    point    its vector, as base64, a line break and its payload as JSON
    terms    its terms, as base64; a point without terms has no such key
    ...      what it is filtered by (chroma_filters.py)
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np

from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.ports import CollectionSpec, Record
from rag_llm_system.domain.queries import Hit
from rag_llm_system.infrastructure.vector_stores.chroma_filters import Native
from rag_llm_system.infrastructure.vector_stores.points import Point, selected
from rag_llm_system.infrastructure.vector_stores.term_index import packed, unpacked

_SPEC_KEY, _POINT_KEY, _TERMS_KEY = "spec", "point", "terms"

Found = TypeVar("Found", Hit, Record)


def keys_of_spec(spec: CollectionSpec) -> Native:
    return {_SPEC_KEY: spec.model_dump_json()}


def spec_in(kept: Native) -> CollectionSpec:
    return CollectionSpec.model_validate_json(kept[_SPEC_KEY])


def keys_of_point(point: Point) -> Native:
    """From these alone a point can be restored."""
    vector = b64encode(np.array(point.vector, dtype="<f4").tobytes()).decode()
    keys = {_POINT_KEY: vector + "\n" + json.dumps(point.payload, ensure_ascii=False)}
    if point.terms:
        keys[_TERMS_KEY] = b64encode(packed(point.terms)).decode()
    return keys


def restoring(kept: Native) -> Native:
    """Of a point's metadata what :func:`keys_of_point` made."""
    return {key: kept[key] for key in (_POINT_KEY, _TERMS_KEY) if key in kept}


def vector_in(kept: Native) -> Vectors:
    encoded, _, _ = kept[_POINT_KEY].partition("\n")
    return np.frombuffer(b64decode(encoded), dtype="<f4")


def payload_in(kept: Native) -> dict[str, Any]:
    _, _, text = kept[_POINT_KEY].partition("\n")
    payload: dict[str, Any] = json.loads(text)
    return payload


def packed_terms_in(kept: Native) -> bytes:
    return b64decode(kept.get(_TERMS_KEY, ""))


def record_in(point_id: str, kept: Native, *, with_vectors: bool) -> Record:
    if not with_vectors:
        return Record(id=point_id, payload=payload_in(kept))
    return Record(
        id=point_id,
        vector=tuple(vector_in(kept).tolist()),
        terms=unpacked(packed_terms_in(kept)),
        payload=payload_in(kept),
    )


def with_fields(found: Sequence[Found], fields: Sequence[str] | None) -> list[Found]:
    """The same with these fields of their payloads only."""
    if fields is None:
        return list(found)
    return [one.model_copy(update={"payload": selected(one.payload, fields)}) for one in found]
