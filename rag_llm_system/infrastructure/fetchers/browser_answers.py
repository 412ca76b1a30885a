"""What a browser's visit means for a crawl."""

from collections.abc import Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import urldefrag, urlsplit

from rag_llm_system.domain.crawling import Fault
from rag_llm_system.domain.documents import Page
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.infrastructure.fetchers.answers import (
    failure_kind,
    kept_headers,
    retry_after_s,
    status_line,
)
from rag_llm_system.infrastructure.fetchers.browser_log import Response
from rag_llm_system.infrastructure.fetchers.browser_session import HTML_TYPES, Visit
from rag_llm_system.infrastructure.fetchers.egress_relay import Refused

_PORTS = {"http": 80, "https": 443}
_REFUSED_BY_PROXY: frozenset[int] = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.BAD_GATEWAY})
# What the browser calls errors that mean more than "no page came"
_FAULTS = {
    "ERR_DISALLOWED_URL_SCHEME": Fault(
        kind="unsafe", reason="led to a scheme that is not the web's"
    ),
    "ERR_INVALID_AUTH_CREDENTIALS": Fault(kind="refused", reason=status_line(401)),
    "ERR_TOO_MANY_REDIRECTS": Fault(kind="unreachable", reason="too many redirects"),
    "ERR_UNKNOWN_URL_SCHEME": Fault(kind="unsafe", reason="led to a scheme that is not the web's"),
    "ERR_UNSAFE_PORT": Fault(kind="unsafe", reason="the browser does not connect to this port"),
}


def page_of(link: str, visit: Visit) -> Page:
    """The page that a visit brought; raises CrawlError when that is none, or no success."""
    if fault := _fault(link, visit):
        raise CrawlError(link, fault.reason, kind=fault.kind)
    assert visit.response is not None  # noqa: S101 - else it was a fault
    page = _page(link, visit, visit.response)
    status, media_type = visit.response.status, visit.response.media_type
    kind = failure_kind(status)
    if not 200 <= status < 300 or kind == "empty":
        wait_s = retry_after_s(page.headers.get("retry-after", ""))
        raise CrawlError(link, status_line(status), kind=kind, retry_after_s=wait_s, page=page)
    if media_type not in HTML_TYPES:
        stated = media_type or "of no stated type"
        raise CrawlError(link, f"not an HTML page but {stated}", kind="not text")
    if not visit.html.strip():
        raise CrawlError(link, "the page is empty", kind="empty")
    return page


def _fault(link: str, visit: Visit) -> Fault | None:
    """Why there is no answer of the site to speak of."""
    if visit.too_large:
        return Fault(kind="too large", reason=visit.too_large)
    if refused := _refusal(link, visit):
        elsewhere = (refused.host, refused.port) != _host_and_port(link)
        reason = f"led elsewhere, but: {refused.reason}" if elsewhere else refused.reason
        return Fault(kind=refused.kind, reason=reason)
    if visit.has_error_page:
        return _fault_of(visit.error)
    if not visit.url:
        return _nothing_came(visit)
    if urlsplit(visit.url).scheme not in _PORTS:
        shown = visit.url[:80]
        return Fault(kind="unsafe", reason=f"led to {shown!r}, which is not a web page")
    if visit.response is None:
        return Fault(kind="failed", reason="the browser shows a page that no server sent")
    return None


def _refusal(link: str, visit: Visit) -> Refused | None:
    """What our proxy had against the page itself, and not against a part of it."""
    response = None if visit.has_error_page else visit.response
    if visit.url and response and response.status not in _REFUSED_BY_PROXY:
        return None
    return _last(visit.refused, _host_and_port(visit.url or link))


def _last(refused: Sequence[Refused], asked: tuple[str, int]) -> Refused | None:
    return next((one for one in reversed(refused) if (one.host, one.port) == asked), None)


def _nothing_came(visit: Visit) -> Fault:
    """The browser stays where it was: a download, an answer without content, or no answer."""
    if visit.has_download:
        kind = visit.response.media_type if visit.response else ""
        return Fault(kind="not text", reason=f"a download, not a page ({kind or 'of no type'})")
    if visit.response and failure_kind(visit.response.status) == "empty":
        return Fault(kind="empty", reason=status_line(visit.response.status))
    return _fault_of(visit.error)


def _fault_of(error: str) -> Fault:
    reason = f"the browser got no page: {error or 'no error named'}"
    if error.startswith("ERR_CERT"):
        reason = f"TLS certificate refused: {error}"
    elif error.startswith(("ERR_SSL", "ERR_BAD_SSL")):
        reason = f"TLS handshake failed: {error}"
    return _FAULTS.get(error, Fault(kind="unreachable", reason=reason))


def _page(link: str, visit: Visit, response: Response) -> Page:
    return Page(
        url=link,
        final_url=urldefrag(visit.url).url,
        status=response.status,
        content=visit.html.encode("utf-8", "replace"),
        content_type=response.media_type,
        encoding="utf-8",
        etag="",
        last_modified="",
        fetched_at=datetime.now(UTC),
        headers=kept_headers(response.headers),
        via="browser",
    )


def _host_and_port(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return (parts.hostname or "").lower(), parts.port or _PORTS.get(parts.scheme.lower(), 0)
