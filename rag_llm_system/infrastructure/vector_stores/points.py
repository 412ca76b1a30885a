"""What every adapter checks before it touches its engine, so that a bad point changes nothing anywhere."""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt

from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.errors import DataError
from rag_llm_system.domain.ports import CollectionSpec, Record
from rag_llm_system.domain.queries import Hit, Terms, Where

FLAGS_KEY = "_flags"
"""Reserved in payloads: Qdrant Edge keeps a second form of the booleans there."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
_SMALLEST_NORM = float(np.finfo(np.float32).tiny)
_INT64 = range(-(2**63), 2**63)
_TERM_NUMBERS = range(2**32)


@dataclass(frozen=True)
class Point:
    """A record as an engine takes it: a vector of length 1 (or empty) and a payload of plain JSON types.

    ``terms`` are ordered by number, and their weights are numbers of 32 bits.
    """

    id: str
    vector: list[float]
    payload: dict[str, Any]
    terms: dict[int, float] = field(default_factory=dict)


def checked_name(name: str) -> str:
    """The name of a collection, which is also the name of a folder."""
    if not _NAME.fullmatch(name):
        raise DataError(
            f"collection name {name!r}: use letters, digits, '_' and '-', at most 128, not starting with a sign"
        )
    return name


def checked_ids(ids: Sequence[str]) -> list[str]:
    """Ids in the one form in which they are stored and returned."""
    for one in ids:
        if not _is_uuid(one):
            raise DataError(
                f"point id {one!r} is not a UUID in lower case with dashes; derive it with uuid5"
            )
    return list(ids)


def checked_points(name: str, spec: CollectionSpec, records: Sequence[Record]) -> list[Point]:
    """The points to write, the last of equal ids only. Raises DataError naming the first bad record."""
    checked_ids([record.id for record in records])
    vectors = _unit_vectors(name, spec, records)
    points = {
        record.id: Point(
            record.id,
            vector,
            _plain(record.id, record.payload),
            _record_terms(name, spec, record),
        )
        for record, vector in zip(records, vectors, strict=True)
    }
    return list(points.values())


def checked_query(name: str, spec: CollectionSpec, vector: Vectors, limit: int) -> list[float]:
    """The query as a vector of length 1."""
    numbers = np.asarray(vector, dtype=np.float64)
    wanted = _searched_dimension(name, spec, limit)
    if numbers.shape != (wanted,):
        raise DataError(f"query vector for {name!r} has the shape {numbers.shape}, not ({wanted},)")
    row: list[float] = _unit_queries(name, numbers[np.newaxis])[0].tolist()
    return row


def checked_queries(name: str, spec: CollectionSpec, vectors: Vectors, limit: int) -> Vectors:
    """The queries of a batch as rows of length 1."""
    numbers = np.asarray(vectors, dtype=np.float64)
    wanted = _searched_dimension(name, spec, limit)
    if numbers.ndim != 2 or numbers.shape[1] != wanted:
        raise DataError(
            f"query vectors for {name!r} have the shape {numbers.shape}, not (n, {wanted})"
        )
    return _unit_queries(name, numbers)


def checked_term_queries(name: str, queries: Sequence[Terms], limit: int) -> list[dict[int, float]]:
    """The queries of a search for terms, each ordered by number; one without terms finds nothing."""
    _check_limit(name, limit)
    return [_checked_terms(f"query for {name!r}", query) for query in queries]


def checked_deletion(name: str, where: Where) -> Where:
    """The condition of what is to be deleted, which must say something."""
    if not where:
        raise DataError(
            f"deleting from {name!r} by no condition would remove all of it; drop it if that is meant"
        )
    return where


def best(limit: int, fetch: Callable[[int], list[Hit]]) -> list[Hit]:
    """The ``limit`` best hits, ties by id, of an engine that cuts a tie anywhere.

    ``fetch(n)`` gives the n best, best first. More is asked for until the tie at the cut is complete: the same text
    in several documents gives equal vectors, so ties are common.
    """
    asked = limit + 1
    while True:
        hits = fetch(asked)
        if len(hits) < asked or hits[limit - 1].score > hits[-1].score:
            return sorted(hits, key=lambda hit: (-hit.score, hit.id))[:limit]
        asked *= 2


def selected(payload: Mapping[str, Any], fields: Sequence[str] | None) -> dict[str, Any]:
    """These top-level fields of a payload, as far as it has them; None: all."""
    if fields is None:
        return dict(payload)
    return {name: payload[name] for name in fields if name in payload}


def _searched_dimension(name: str, spec: CollectionSpec, limit: int) -> int:
    _check_limit(name, limit)
    if spec.dimension is None:
        raise DataError(f"collection {name!r} holds no vectors to search; scan it instead")
    return spec.dimension


def _check_limit(name: str, limit: int) -> None:
    if limit < 1:
        raise DataError(f"search in {name!r}: limit is {limit}, it must be at least 1")


def _unit_queries(name: str, rows: npt.NDArray[np.float64]) -> Vectors:
    units, norms = _normalised(rows)
    if not all(_is_usable(norm) for norm in norms):
        raise DataError(f"query vector for {name!r} is zero or not finite")
    return units


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _unit_vectors(
    name: str, spec: CollectionSpec, records: Sequence[Record]
) -> Sequence[list[float]]:
    dimension = spec.dimension or 0
    for record in records:
        if len(record.vector) != dimension:
            raise DataError(
                f"record {record.id}: its vector has {len(record.vector)} numbers, "
                f"collection {name!r} holds {dimension}"
            )
    if not dimension or not records:
        return [[] for _ in records]
    units, norms = _normalised(np.array([record.vector for record in records], dtype=np.float64))
    for record, norm in zip(records, norms, strict=True):
        if not _is_usable(norm):
            raise DataError(f"record {record.id}: its vector is zero or not finite")
    rows: list[list[float]] = units.tolist()
    return rows


def _normalised(rows: npt.NDArray[np.float64]) -> tuple[Vectors, npt.NDArray[np.float64]]:
    """Rows of length 1 and the lengths they had; a row without a usable length is not to be used."""
    with np.errstate(all="ignore"):
        norms = np.linalg.norm(rows, axis=1)
        return (rows / norms[:, np.newaxis]).astype(np.float32), norms


def _is_usable(norm: float) -> bool:
    return bool(np.isfinite(norm)) and norm >= _SMALLEST_NORM


def _record_terms(name: str, spec: CollectionSpec, record: Record) -> dict[int, float]:
    if record.terms and not spec.terms:
        raise DataError(
            f"record {record.id} has terms, collection {name!r} was made without; build it again with terms"
        )
    return _checked_terms(f"record {record.id}", record.terms)


def _checked_terms(whose: str, terms: Terms) -> dict[int, float]:
    numbers = sorted(terms)
    with np.errstate(over="ignore"):
        weights = np.array([terms[number] for number in numbers], dtype=np.float32)
    checked = dict(zip(numbers, weights.tolist(), strict=True))
    for number, weight in checked.items():
        if number not in _TERM_NUMBERS:
            raise DataError(f"{whose}: the term {number} is not a number of 32 bits")
        if not 0 < weight < math.inf:
            raise DataError(
                f"{whose}: the weight of term {number} is {terms[number]}, it must be finite and over 0"
            )
    return checked


def _plain(record_id: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Through JSON and back, so that every engine sees, and returns, the same types."""
    if FLAGS_KEY in payload:
        raise DataError(f"record {record_id}: the payload key {FLAGS_KEY!r} is reserved; rename it")
    try:
        text = json.dumps(dict(payload), allow_nan=False, ensure_ascii=False)
        text.encode()  # a lone surrogate is text to Python only
        plain: dict[str, Any] = json.loads(text, parse_int=_int64)
    except (TypeError, ValueError) as error:
        raise DataError(f"record {record_id}: its payload is not plain JSON: {error}") from error
    return plain


def _int64(digits: str) -> int:
    number = int(digits)
    if number not in _INT64:
        raise ValueError(f"{digits} does not fit into 64 bits")
    return number
