"""Finds the crawler of a link in one table, keyed by host, by scheme, or "*" for any other page."""

import re
from collections.abc import Generator, Iterator, Mapping
from typing import Protocol
from urllib.parse import SplitResult, urlsplit

from rag_llm_system.domain.documents import Author, Document, Source, canonical_link
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.domain.redaction import redact

LeftOut = Mapping[str, int]
"""How much of a source was left out, by reason."""

ANY_PAGE = "*"
_WEB = frozenset({"http", "https"})
_NOT_IN_A_LINK = re.compile(r"[\x00-\x1f\x7f]")


class LinkCrawler(Protocol):
    """The Crawler port, and the two things more that a crawl of many links has to know."""

    def crawl(
        self, link: str, author: Author, known: Source | None
    ) -> Generator[Document, None, LeftOut]:
        """The documents; the generator's own value counts what was left out."""

    def known_by(self, link: str) -> tuple[str, str] | None:
        """Category and link of the stored document whose source tells whether the link has changed."""


class CrawlerDispatcher:
    """A table of crawlers: ``{"github.com": ..., "file": ..., "*": ...}``."""

    def __init__(self, table: Mapping[str, LinkCrawler]) -> None:
        self._table = dict(table)

    def crawler_for(self, link: str) -> LinkCrawler:
        """The longest listed parent of a web page's host wins, then "*"; other links go by their scheme.

        Raises CrawlError, never showing a password, when a link is malformed or nothing is listed for it.
        """
        parts = parse_link(link)
        keys = _host_keys(parts.hostname or "") if parts.scheme in _WEB else iter([parts.scheme])
        for key in keys:
            if key in self._table:
                return self._table[key]
        raise CrawlError(shown_link(link), f"no crawler for this link; there are: {self._kinds()}")

    def _kinds(self) -> str:
        return ", ".join(
            "any other web page" if key == ANY_PAGE else key if "." in key else f"{key}:"
            for key in sorted(self._table, reverse=True)
        )


def parse_link(link: str) -> SplitResult:
    """The parts of a link, or a CrawlError saying why it is none."""
    try:
        parts = urlsplit(link.strip())
        shown = canonical_link(link)
    except ValueError:
        raise CrawlError(
            shown_link(link), "malformed link"
        ) from None  # its text may hold a password
    if _NOT_IN_A_LINK.search(link.strip()):
        raise CrawlError(ascii(shown), "malformed link: control characters")
    if not parts.scheme:
        raise CrawlError(shown_link(link), "no link: it must start with a scheme such as https:")
    if "@" in parts.netloc:
        raise CrawlError(shown, "links with a user name or password are refused")
    if parts.scheme in _WEB and (not parts.hostname or " " in link.strip()):
        raise CrawlError(
            shown_link(link), "malformed link: it must be https://<host>/... without blanks"
        )
    return parts


def shown_link(link: str) -> str:
    """A link as messages and progress may show it: without user-info, even if it is malformed."""
    try:
        if urlsplit(link.strip()).netloc:
            return redact(canonical_link(link))
    except ValueError:
        pass  # malformed: what stands before an @ may be a password
    return "a link with '@'" if "@" in link else link.strip()


def _host_keys(host: str) -> Iterator[str]:
    """``a.b.example`` then ``b.example``, then "*"; a name without a dot is never a host's key."""
    labels = host.split(".")
    for start in range(len(labels) - 1):
        yield ".".join(labels[start:])
    yield ANY_PAGE
