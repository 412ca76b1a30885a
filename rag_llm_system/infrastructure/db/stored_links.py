"""The stored form of the state of links and of crawls: what rows of ``links`` and ``crawls`` look like."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from rag_llm_system.domain.crawling import CrawlRun, LinkState
from rag_llm_system.infrastructure.db.stored_form import (
    CRAWLS,
    LINKS,
    iso_in_utc,
    not_ours,
    size_bytes_of,
)


@dataclass(frozen=True)
class LinkRow:
    """The state of a link as it is stored; ``fields`` holds ``_id`` and no nulls."""

    id: str
    fields: Mapping[str, Any]
    size_bytes: int

    @property
    def key(self) -> str:
        return self.id


def link_row_of(state: LinkState) -> LinkRow:
    """The row of a state; moments are text. Raises DataError naming the link when no MongoDB could store it."""
    row: dict[str, Any] = {"_id": state.id, **state.model_dump(exclude_none=True)}
    if state.checked_at is not None:
        row["checked_at"] = iso_in_utc(state.checked_at)
    if state.source is not None:
        row["source"]["fetched_at"] = iso_in_utc(state.source.fetched_at)
    if state.anchor is not None:
        row["anchor"] = list(state.anchor)
    return LinkRow(state.id, row, size_bytes_of(state.link, row))


def link_state_of(fields: Mapping[str, Any]) -> LinkState:
    """The state of a row. Raises StoreCorrupt naming the row when it is not one of ours."""
    try:
        return LinkState.model_validate({k: v for k, v in fields.items() if k != "_id"})
    except (TypeError, ValidationError) as error:
        raise not_ours(LINKS, fields, error) from error


def crawl_row_of(run: CrawlRun) -> dict[str, Any]:
    moments = {"started_at": run.started_at, "finished_at": run.finished_at}
    stored = {name: iso_in_utc(moment) for name, moment in moments.items() if moment is not None}
    return {"_id": run.id, "author_id": run.author_id, **stored}


def crawl_of(fields: Mapping[str, Any]) -> CrawlRun:
    """The crawl of a row. Raises StoreCorrupt naming the row when it is not one of ours."""
    try:
        own = {k: v for k, v in fields.items() if k != "_id"}
        return CrawlRun.model_validate({**own, "id": fields["_id"]})
    except (KeyError, TypeError, ValidationError) as error:
        raise not_ours(CRAWLS, fields, error) from error
