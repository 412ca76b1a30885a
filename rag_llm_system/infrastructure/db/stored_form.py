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
        "content": document.model_dump(include=set(_CONTENT)),
        "sha256": document.sha256,
        "source": _source_fields(document.source),
    }
    return Row(document.category, document.id, document.sha256, row, _size_bytes(document, row))


def document_of(category: str, fields: Mapping[str, Any]) -> Document:
    """The document of a row. Raises StoreCorrupt naming the row when it is not one of ours."""
    own = {k: v for k, v in fields.items() if k not in {"_id", "link", "content", "sha256"}}
    try:
        source = {**fields["source"], "link": fields["link"]}
        whole = {**own, **fields["content"], "category": category, "source": source}
        return Document.model_validate(whole)
    except (KeyError, TypeError, ValidationError) as error:
        raise _not_ours(category, fields, error) from error


def source_of(category: str, fields: Mapping[str, Any]) -> Source:
    """Where a row came from; ``link`` and ``source`` are all it needs."""
    try:
        return Source.model_validate({**fields["source"], "link": fields["link"]})
    except (KeyError, TypeError, ValidationError) as error:
        raise _not_ours(category, fields, error) from error


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
        raise _not_ours("users", fields, error) from error


def _source_fields(source: Source) -> dict[str, Any]:
    fields = source.model_dump(exclude={"link"})
    # text, as a BSON date would drop the microseconds and give back another value
    return {**fields, "fetched_at": _in_utc(source.fetched_at).isoformat()}


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _refuse_not_finite(document: Document) -> None:
    for name, value in document.metadata.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise DataError(
                f"{document.link}: metadata {name!r} is {value}; give a number or leave it out"
            )


def _size_bytes(document: Document, row: Mapping[str, Any]) -> int:
    try:
        size = len(bson.encode(row))
    except (BSONError, OverflowError, UnicodeEncodeError) as error:
        reason = str(error).partition("\n")[0][:200]
        raise DataError(
            f"{document.link}: cannot be stored ({reason}); correct the text or metadata"
        ) from error
    if size > MAX_ROW_BYTES:
        raise DataError(
            f"{document.link}: {size:,} bytes, but one document may have at most {MAX_ROW_BYTES:,};"
            " split it or leave it out"
        )
    return size


def _not_ours(category: str, fields: Mapping[str, Any], error: Exception) -> StoreCorrupt:
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
