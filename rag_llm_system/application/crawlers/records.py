"""Reads documents from a JSON-lines file: one record, one document."""

import json
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from rag_llm_system.application.crawlers.dispatcher import parse_link
from rag_llm_system.application.crawlers.local_files import local_path
from rag_llm_system.domain.crawling import CrawlEnd
from rag_llm_system.domain.documents import Author, Document, Metadata, Source, canonical_link
from rag_llm_system.domain.errors import CrawlError

_REQUIRED = ("category", "link", "text")
_OPTIONAL = ("title", "subtitle", "platform")
# The crawl itself says who wrote a document and where it came from; a record cannot.
_RESERVED = frozenset(Document.model_fields) - {*_REQUIRED, *_OPTIONAL}


class RecordsCrawler:
    """Crawls ``file:<path>.jsonl``; a relative path starts at ``base``.

    A record has ``category``, ``link`` and ``text``, perhaps ``title``, ``subtitle`` and ``platform``; its other
    fields become metadata. The whole file is checked before the first document is given out.
    """

    revision = "records-1"

    def __init__(self, base: Path, *, allow_local: bool) -> None:
        self._base = base
        self._allow_local = allow_local

    def crawl(
        self,
        link: str,
        author: Author,
        known: Source | None,  # noqa: ARG002 - the port's
    ) -> Generator[Document, None, CrawlEnd]:
        path = local_path(link, base=self._base, allow_local=self._allow_local)
        if path.suffix.lower() != ".jsonl":
            reason = "not a file of records; use file:<path>.jsonl"
            raise CrawlError(link, reason, kind="malformed")
        end = Source(link=canonical_link(link), fetched_at=datetime.now(UTC))
        documents: dict[str, Document] = {}
        lines: dict[str, int] = {}
        for number, line in enumerate(_lines(link, path), start=1):
            if not line.strip():
                continue
            document = _document(_Line(link, number), line, author, end)
            if document.id in documents:
                first = lines[document.id]
                _Line(link, number).refuse("link", f"stands in line {first} already")
            documents[document.id], lines[document.id] = document, number
        if not documents:
            raise CrawlError(link, "the file holds no records", kind="empty")
        yield from documents.values()
        return CrawlEnd(source=end)


class _Line:
    """A place in the file, for messages."""

    def __init__(self, link: str, number: int) -> None:
        self._link, self._number = link, number

    def refuse(self, field: str, wrong: str) -> NoReturn:
        reason = f"line {self._number}, field {field!r} {wrong}"
        raise CrawlError(self._link, reason, kind="damaged")

    def refuse_line(self, wrong: str) -> NoReturn:
        raise CrawlError(self._link, f"line {self._number} {wrong}", kind="damaged")


def _lines(link: str, path: Path) -> list[str]:
    try:
        return path.read_text("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise CrawlError(link, f"not UTF-8 at byte {error.start}", kind="damaged") from error
    except OSError as error:
        raise CrawlError(link, f"cannot read the file: {error.strerror}") from error


def _document(place: _Line, line: str, author: Author, file: Source) -> Document:
    record = _record(place, line)
    texts = {name: _text(place, record, name) for name in (*_REQUIRED, *_OPTIONAL)}
    for name in _REQUIRED:
        if not texts[name].strip():
            place.refuse(name, "is missing or empty")
    link = texts.pop("link").strip()
    try:
        parts = parse_link(link)
    except CrawlError as error:
        place.refuse("link", f"is not usable: {error.reason}")
    platform = texts.pop("platform") or (parts.hostname or parts.scheme).removeprefix("www.")
    return Document(
        **texts,
        platform=platform,
        author_id=author.id,
        author_full_name=author.full_name,
        source=Source(link=link, origin=file.link, fetched_at=file.fetched_at),
        metadata=_metadata(place, record),
    )


def _record(place: _Line, line: str) -> dict[str, Any]:
    try:
        record = json.loads(line, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        place.refuse_line(f"is not JSON: {error}")
    if not isinstance(record, dict):
        place.refuse_line("is not a JSON object")
    return record


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _text(place: _Line, record: dict[str, Any], name: str) -> str:
    value = record.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        place.refuse(name, f"must be text, not {type(value).__name__}")
    return value


def _metadata(place: _Line, record: dict[str, Any]) -> Metadata:
    """The remaining fields; null means absent."""
    rest = {name: value for name, value in record.items() if value is not None}
    for name in (*_REQUIRED, *_OPTIONAL):
        rest.pop(name, None)
    for name, value in rest.items():
        if name in _RESERVED:
            place.refuse(name, "is set by the crawl; remove it")
        is_texts = isinstance(value, list) and all(isinstance(item, str) for item in value)
        if not is_texts and not isinstance(value, str | int | float | bool):
            place.refuse(name, "must be text, a number, true, false or a list of texts")
    return rest
