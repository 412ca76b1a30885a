"""What an HTTP answer means for a crawl."""

import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import NamedTuple

import httpx

from rag_llm_system.domain.crawling import FailureKind
from rag_llm_system.domain.documents import Page
from rag_llm_system.domain.ports import Wanted
from rag_llm_system.infrastructure.fetchers import bodies
from rag_llm_system.infrastructure.fetchers.charset import encoding_of

FEED_TYPES = frozenset({"application/rss+xml", "application/atom+xml", "application/feed+json"})
PAGE_TYPES = FEED_TYPES | {
    "text/html", "application/xhtml+xml", "text/xml", "application/xml", "application/rdf+xml",
}  # fmt: skip
ACCEPT: Mapping[Wanted, str] = {
    "page": "text/html, application/xhtml+xml;q=0.9, application/xml;q=0.8, "
    "application/rss+xml;q=0.8, application/atom+xml;q=0.8, application/feed+json;q=0.8",
    "text": "text/plain, application/json;q=0.9, text/*;q=0.8, application/xml;q=0.7, */*;q=0.1",
}
# Some servers send sitemaps that are compressed as a file, not for the way.
COMPRESSED_TYPES = frozenset(
    {"application/gzip", "application/x-gzip", "application/octet-stream", ""}
)

_KINDS: Mapping[int, FailureKind] = {
    204: "empty", 205: "empty", 404: "gone", 408: "unreachable", 410: "gone", 429: "busy", 503: "busy",
}  # fmt: skip
# What tells challenges, login walls and rules for robots apart. Never cookies, nor where a redirect leads.
_KEPT_HEADERS = (
    "cf-mitigated", "content-language", "link", "retry-after", "server", "x-robots-tag",
)  # fmt: skip
_MEDIA_TYPE = re.compile(r"[\w.+-]{1,60}/[\w.+-]{1,60}", re.ASCII)
_KEPT_HEADER_CHARS = 8_192  # a list of links may be long; h11 alone lets 100 KB through
_LONGEST_WAIT_S = 366 * 86_400.0
_DRAINED_BYTES = (
    16_384  # a shorter body that nobody wants is read, so that the connection can be used again
)


class Answer(NamedTuple):
    """The head of an answer, and its body as it comes in."""

    url: httpx.URL
    status: int
    headers: httpx.Headers
    pieces: Iterator[bytes]

    @property
    def media_type(self) -> str:
        return media_type_of(self.headers.get("content-type", ""))

    @property
    def stated_type(self) -> str:
        """The media type for a message; a server may send anything as one."""
        if not self.media_type:
            return "of no stated type"
        return self.media_type if _MEDIA_TYPE.fullmatch(self.media_type) else "of an unknown type"

    @property
    def is_compressed_file(self) -> bool:
        """Whether this may be a sitemap as many sites keep them on disk."""
        return self.media_type in COMPRESSED_TYPES and self.url.path.endswith(".xml.gz")

    def body(self, max_bytes: float) -> Iterator[bytes]:
        """Without its content coding; raises UnreadableBody."""
        if max_bytes < (size_bytes := self._announced_bytes()) < math.inf:
            reason = f"{size_bytes:,.0f} bytes, larger than {max_bytes:,}"
            raise bodies.UnreadableBody("too large", reason)
        coding = self.headers.get("content-encoding", "")
        return bodies.decoded(self.pieces, coding, max_bytes=max_bytes)

    def drain(self) -> None:
        """Reads a short body, without which the connection could not be used again."""
        if self.status == HTTPStatus.NOT_MODIFIED or self._announced_bytes() <= _DRAINED_BYTES:
            bodies.head(self.pieces, _DRAINED_BYTES)

    def page(self, link: str, content: bytes, media_type: str = "") -> Page:
        return Page(
            url=link,
            final_url=str(self.url),
            status=self.status,
            content=content,
            content_type=media_type or self.media_type,
            encoding=encoding_of(content, self.headers.get("content-type", "")),
            etag=self.headers.get("etag", ""),
            last_modified=self.headers.get("last-modified", ""),
            fetched_at=datetime.now(UTC),
            headers=kept_headers(self.headers),
        )

    def _announced_bytes(self) -> float:
        """Infinite when the length is not announced."""
        stated = self.headers.get("content-length", "")
        return float(stated) if stated.isdecimal() else math.inf


def media_type_of(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def accepts(wanted: Wanted, media_type: str) -> bool:
    """Whether an answer of that type may hold what is wanted; text may come without a type."""
    if wanted == "page":
        return media_type in PAGE_TYPES
    kind, _, subtype = media_type.partition("/")
    return kind in {"", "text"} or subtype.rpartition("+")[2] in {"json", "xml"}


def failure_kind(status: int) -> FailureKind:
    """What a status that brings no page means; LinkedIn's 999 counts as a refusal."""
    if status in _KINDS:
        return _KINDS[status]
    if 500 <= status < 600:
        return "unreachable"
    return "refused" if status >= 400 else "failed"


def status_line(status: int) -> str:
    try:
        return f"HTTP {status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"HTTP {status}"


def retry_after_s(value: str) -> float | None:
    """Seconds that a Retry-After header asks for, as a number or a date (RFC 9110, 10.2.3); None if it is neither."""
    value = value.strip()
    if value.isascii() and value.isdecimal():
        return min(float(value), _LONGEST_WAIT_S)
    try:
        at = parsedate_to_datetime(value)
        seconds = (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), _LONGEST_WAIT_S)


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The few headers that a page keeps, by lower-case name."""
    return {name: headers[name][:_KEPT_HEADER_CHARS] for name in _KEPT_HEADERS if name in headers}
