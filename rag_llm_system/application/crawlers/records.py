"""Reads documents from a JSON-lines file: one record, one document."""

import json
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import unquote

from rag_llm_system.application.crawlers.dispatcher import LeftOut, parse_link
from rag_llm_system.domain.documents import Author, Document, Metadata, Source
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

    def __init__(self, base: Path, *, allow_local: bool) -> None:
        self._base = base
        self._allow_local = allow_local

    def crawl(
        self,
        link: str,
        author: Author,
        known: Source | None,  # noqa: ARG002 - the port's
    ) -> Generator[Document, None, LeftOut]:
        path = self._path(link)
        fetched_at = datetime.now(UTC)
        documents: dict[str, Document] = {}
        lines: dict[str, int] = {}
        for number, line in enumerate(_lines(link, path), start=1):
            if not line.strip():
                continue
            document = _document(_Line(link, number), line, author, fetched_at)
            if document.id in documents:
                first = lines[document.id]
                _Line(link, number).refuse("link", f"stands in line {first} already")
            documents[document.id], lines[document.id] = document, number
        if not documents:
            raise CrawlError(link, "the file holds no records")
        yield from documents.values()
        return {}

    def known_by(self, link: str) -> tuple[str, str] | None:  # noqa: ARG002 - the port's
        """Nothing: reading a local file costs less than asking whether it changed."""
        return None

    def _path(self, link: str) -> Path:
        parts = parse_link(link)
        if not self._allow_local:
            raise CrawlError(
                link, "local files are not allowed here; the config must say allow_local: true"
            )
        if parts.scheme != "file" or parts.netloc or not parts.path.endswith(".jsonl"):
            raise CrawlError(link, "not a file of records; use file:<path>.jsonl")
        return self._base / unquote(parts.path)


class _Line:
    """A place in the file, for messages."""

    def __init__(self, link: str, number: int) -> None:
        self._link, self._number = link, number

    def refuse(self, field: str, wrong: str) -> NoReturn:
        raise CrawlError(self._link, f"line {self._number}, field {field!r} {wrong}")

    def refuse_line(self, wrong: str) -> NoReturn:
        raise CrawlError(self._link, f"line {self._number} {wrong}")


def _lines(link: str, path: Path) -> list[str]:
    try:
        return path.read_text("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise CrawlError(link, f"not UTF-8 at byte {error.start}") from error
    except OSError as error:
        raise CrawlError(link, f"cannot read the file: {error.strerror}") from error


def _document(place: _Line, line: str, author: Author, fetched_at: datetime) -> Document:
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
        source=Source(link=link, fetched_at=fetched_at),
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
