"""The stored form of authors and documents: what a row of the data warehouse looks like."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import bson
from bson.errors import BSONError
from pydantic import ValidationError

from rag_llm_system.domain.documents import Author, Document, Source
from rag_llm_system.domain.errors import DataError, StoreCorrupt

MAX_ROW_BYTES = 16 * 1024 * 1024  # MongoDB's limit for one document
USERS, LINKS, CRAWLS = "users", "links", "crawls"
OWN_COLLECTIONS = frozenset({USERS, LINKS, CRAWLS})
"""Collections that hold no documents; every other one is a category of them."""
_CONTENT = ("title", "subtitle", "text")


@dataclass(frozen=True)
class Row:
    """A document as it is stored; ``fields`` holds ``_id`` and no nulls."""

    category: str
    id: str
    sha256: str
    fields: Mapping[str, Any]
    size_bytes: int

    @property
    def key(self) -> tuple[str, str]:
        return self.category, self.id

    @property
    def fields_beside_content(self) -> dict[str, Any]:
        """What may differ between two documents with the same sha256."""
        return {k: v for k, v in self.fields.items() if k not in {"_id", "sha256", "content"}}


def row_of(document: Document) -> Row:
    """The row of a document. Raises DataError naming the link when no MongoDB could store it."""
    fields = document.model_dump(include={"platform", "author_id", "author_full_name", "metadata"})
    _refuse_not_finite(document)
    row = {
        "_id": document.id,
        **fields,
        "link": document.link,
        "origin": document.source.origin,
        "content": document.model_dump(include=set(_CONTENT)),
        "sha256": document.sha256,
        "source": _source_fields(document.source),
    }
    return Row(
        document.category, document.id, document.sha256, row, size_bytes_of(document.link, row)
    )


def document_of(category: str, fields: Mapping[str, Any]) -> Document:
    """The document of a row. Raises StoreCorrupt naming the row when it is not one of ours."""
    elsewhere = {"_id", "link", "origin", "content", "sha256"}
    own = {k: v for k, v in fields.items() if k not in elsewhere}
    try:
        source = _whole_source(fields)
        whole = {**own, **fields["content"], "category": category, "source": source}
        return Document.model_validate(whole)
    except (KeyError, TypeError, ValidationError) as error:
        raise not_ours(category, fields, error) from error


def source_of(category: str, fields: Mapping[str, Any]) -> Source:
    """Where a row came from; ``link``, ``origin`` and ``source`` are all it needs."""
    try:
        return Source.model_validate(_whole_source(fields))
    except (KeyError, TypeError, ValidationError) as error:
        raise not_ours(category, fields, error) from error


def author_row_of(author: Author) -> dict[str, str]:
    return {
        "_id": author.id,
        "first_name": author.first_name,
        "last_name": author.last_name,
        "full_name": author.full_name,
    }


def author_of(fields: Mapping[str, Any]) -> Author:
    try:
        return Author(id=fields["_id"], full_name=fields["full_name"])
    except (KeyError, ValidationError) as error:
        raise not_ours(USERS, fields, error) from error


def iso_in_utc(moment: datetime) -> str:
    """A moment as text, as a BSON date would drop the microseconds; one without time zone is taken as UTC."""
    return (moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()


def _source_fields(source: Source) -> dict[str, Any]:
    """Without what is a field of the row, where it can be asked for."""
    fields = source.model_dump(exclude={"link", "origin"})
    return {**fields, "fetched_at": iso_in_utc(source.fetched_at)}


def _whole_source(fields: Mapping[str, Any]) -> dict[str, Any]:
    # rows of before there were origins have none
    return {**fields["source"], "link": fields["link"], "origin": fields.get("origin", "")}


def _refuse_not_finite(document: Document) -> None:
    for name, value in document.metadata.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise DataError(
                f"{document.link}: metadata {name!r} is {value}; give a number or leave it out"
            )


def size_bytes_of(link: str, row: Mapping[str, Any]) -> int:
    """How large a row is as BSON. Raises DataError naming the link when it is too large, or cannot be BSON."""
    try:
        size = len(bson.encode(row))
    except (BSONError, OverflowError, UnicodeEncodeError) as error:
        reason = str(error).partition("\n")[0][:200]
        raise DataError(
            f"{link}: cannot be stored ({reason}); correct the text or metadata"
        ) from error
    if size > MAX_ROW_BYTES:
        raise DataError(
            f"{link}: {size:,} bytes, but one document may have at most {MAX_ROW_BYTES:,};"
            " split it or leave it out"
        )
    return size


def not_ours(category: str, fields: Mapping[str, Any], error: Exception) -> StoreCorrupt:
    """The error for a row of a collection that cannot be read, naming both and what is wrong."""
    if isinstance(error, ValidationError):
        wrong = "; ".join(
            f"{'.'.join(map(str, e['loc']))}: {e['msg']}"
            for e in error.errors(include_input=False, include_url=False)
        )
    else:
        wrong = f"missing or misplaced: {error}"
    return StoreCorrupt(
        f"row {fields.get('_id')!r} of collection {category!r} is not one of ours ({wrong});"
        " delete it and crawl its link again"
    )
