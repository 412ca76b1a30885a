"""What Chroma keeps of a payload to filter by, and the conditions of the filter language in its terms.

Chroma's metadata are texts, numbers and flags; a payload is any JSON. Of the indexed fields, what Chroma can compare
exactly is kept beside the payload. A value of another kind leaves a mark instead::

    text:<field>          a keyword field that is one text
    has:["field","text"]  1 for each member of a keyword field that is a list of texts
    number:<field>        an integer field that is one number, as a float
    other:<field>         "list" beside ``has:``, "any" for a value that only Python can compare

Chroma's own lists are not used: those of a dropped collection stay and pass to new points (1.5.9).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rag_llm_system.domain.ports import CollectionSpec
from rag_llm_system.domain.queries import Range, Where

Native = dict[str, Any]
"""A condition, or the metadata of a point, as Chroma takes it."""

_EXACT = 2**53  # below it every integer is a float of the same value
_LISTED_TEXTS = (
    8  # members of lists are looked up one by one, 0.6 ms each at 10,000 points; texts all at once
)


@dataclass(frozen=True)
class Plan:
    """Which points Chroma can tell: those that meet ``certain`` do meet the condition.

    Of those that meet ``doubtful``, None being all points, Python decides. No other point meets the condition.
    """

    certain: Native | None
    doubtful: Native | None


def keys_of(payload: Mapping[str, Any], spec: CollectionSpec) -> Native:
    """What is kept of a payload to filter by."""
    kept: Native = {}
    for field in spec.keyword_fields:
        kept |= _text_keys(field, payload.get(field))
    for field in spec.integer_fields:
        kept |= _number_keys(field, payload.get(field))
    return kept


def plan(where: Where, spec: CollectionSpec) -> Plan:
    """The condition has been checked and is not empty."""
    certain: list[Native] = []
    doubtful: list[Native] = []
    for field, condition in where.items():
        found = _field(field, condition, spec)
        if found is not None:
            certain.append(found[0])
            doubtful.append(found[1])
    if len(certain) == len(where):
        return Plan(_all_of(certain), _any_of(doubtful))
    pairs = zip(certain, doubtful, strict=True)
    return Plan(None, _all_of([_any_of(list(pair)) for pair in pairs]) if certain else None)


def _text_keys(field: str, value: Any) -> Native:
    if isinstance(value, str):
        return {f"text:{field}": value}
    if value in (None, []):
        return {}
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return {f"other:{field}": "list"} | {_member(field, one): 1 for one in value}
    return {f"other:{field}": "any"}


def _number_keys(field: str, value: Any) -> Native:
    if _is_exact(value):
        return {f"number:{field}": float(value)}
    return {} if value in (None, []) else {f"other:{field}": "any"}


def _member(field: str, text: str) -> str:
    return "has:" + json.dumps([field, text], ensure_ascii=False)


def _is_exact(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _EXACT


def _field(field: str, condition: Any, spec: CollectionSpec) -> tuple[Native, Native] | None:
    """Whom Chroma knows to meet one field's condition, and whom it does not know; None when it can tell nothing."""
    several = isinstance(condition, Sequence) and not isinstance(condition, str)
    wanted = list(condition) if several else [condition]
    if field in spec.keyword_fields and wanted and all(isinstance(one, str) for one in wanted):
        return _texts(field, sorted(set(wanted)))
    if field in spec.integer_fields and wanted and all(_is_exact_range(one) for one in wanted):
        return _numbers(field, wanted), {f"other:{field}": "any"}
    return None


def _texts(field: str, wanted: list[str]) -> tuple[Native, Native]:
    one: Native = {f"text:{field}": {"$in": wanted}}
    if len(wanted) > _LISTED_TEXTS:
        return one, {f"other:{field}": {"$in": ["any", "list"]}}
    listed: list[Native] = [{_member(field, text): 1} for text in wanted]
    return _any_of([one, *listed]), {f"other:{field}": "any"}


def _numbers(field: str, wanted: list[float | Range]) -> Native:
    key = f"number:{field}"
    equal = [float(one) for one in wanted if not isinstance(one, Range)]
    terms: list[Native] = [{key: {"$in": equal}}] if equal else []
    for one in wanted:
        if isinstance(one, Range):
            terms.append(_all_of([{key: {sign: end}} for sign, end in _ends(one)]))
    return _any_of(terms)


def _is_exact_range(one: Any) -> bool:
    if isinstance(one, Range):
        return all(end is None or _is_exact(end) for end in (one.gte, one.lte))
    return _is_exact(one)


def _ends(wanted: Range) -> Iterator[tuple[str, float]]:
    if wanted.lte is not None:
        yield "$lte", float(wanted.lte)
    if wanted.gte is not None or wanted.lte is None:
        yield "$gte", float(-_EXACT if wanted.gte is None else wanted.gte)


def _all_of(terms: list[Native]) -> Native:
    return terms[0] if len(terms) == 1 else {"$and": terms}


def _any_of(terms: list[Native]) -> Native:
    return terms[0] if len(terms) == 1 else {"$or": terms}
