"""Finds the crawler of a link in one table, keyed by host, by scheme, or "*" for any other page."""

import re
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import SplitResult, urlsplit

from rag_llm_system.domain.documents import canonical_link
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.domain.ports import Crawler
from rag_llm_system.domain.redaction import redact

ANY_PAGE = "*"
_WEB = frozenset({"http", "https"})
_NOT_IN_A_LINK = re.compile(r"[\x00-\x1f\x7f]")


class CrawlerDispatcher:
    """A table of crawlers: ``{"github.com": ..., "file": ..., "*": ...}``.

    ``stop`` makes crawlers that wait, for instance for their host's turn, give up at once.
    """

    def __init__(
        self, table: Mapping[str, Crawler], *, stop: Callable[[], None] = lambda: None
    ) -> None:
        self._table = dict(table)
        self._stop = stop

    def stop(self) -> None:
        self._stop()

    def crawler_for(self, link: str) -> Crawler:
        """The longest listed parent of a web page's host wins, then "*"; other links go by their scheme.

        Raises CrawlError, never showing a password, when a link is malformed or nothing is listed for it.
        """
        parts = parse_link(link)
        keys = _host_keys(parts.hostname or "") if parts.scheme in _WEB else iter([parts.scheme])
        for key in keys:
            if key in self._table:
                return self._table[key]
        raise CrawlError(
            shown_link(link),
            f"no crawler for this link; there are: {self._kinds()}",
            kind="malformed",
        )

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
        # without its cause, whose text may hold a password
        raise CrawlError(shown_link(link), "malformed link", kind="malformed") from None
    if _NOT_IN_A_LINK.search(link.strip()):
        raise CrawlError(ascii(shown), "malformed link: control characters", kind="malformed")
    if not parts.scheme:
        raise CrawlError(
            shown_link(link),
            "no link: it must start with a scheme such as https:",
            kind="malformed",
        )
    if "@" in parts.netloc:
        raise CrawlError(shown, "links with a user name or password are refused", kind="unsafe")
    if parts.scheme in _WEB and (not parts.hostname or " " in link.strip()):
        raise CrawlError(
            shown_link(link),
            "malformed link: it must be https://<host>/... without blanks",
            kind="malformed",
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
