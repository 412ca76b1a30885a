"""Links as the HTTP fetcher requests them: parsed once, refused when they could be read in two ways."""

import re
from urllib.parse import urlsplit

import httpx

from rag_llm_system.domain.crawling import Fault
from rag_llm_system.domain.documents import canonical_link
from rag_llm_system.domain.errors import CrawlError

# what a resolver takes; "%" would start the zone of an IPv6 address, a backslash ends the host for browsers only
_HOST = re.compile(r"[\w.-]+|[\da-f:.]+", re.ASCII)
_USER_INFO = Fault(kind="unsafe", reason="links with a user name or password are not fetched")


def url_of(link: str) -> httpx.URL:
    """The parsed link. Messages show its canonical form, which has no user-info."""
    try:
        url, shown = httpx.URL(link.strip()), canonical_link(link)
        named_user = "@" in urlsplit(link).netloc
    except (httpx.InvalidURL, ValueError):
        shown = "a link with '@'" if "@" in link else link
        raise CrawlError(
            shown, "malformed link", kind="malformed"
        ) from None  # the cause may quote a password
    if fault := _USER_INFO if named_user else _fault(url):
        raise CrawlError(shown, fault.reason, kind=fault.kind)
    return url.copy_with(fragment=None)


def redirected(link: str, url: httpx.URL, location: str) -> httpx.URL:
    """Where a redirect leads; raises CrawlError where a link would."""
    try:
        target = url.join(location)
    except httpx.InvalidURL:
        raise CrawlError(link, "redirected to a malformed link", kind="failed") from None
    fault = _fault(target) if location else Fault(kind="failed", reason="no target")
    if fault:
        raise CrawlError(link, f"redirected, but: {fault.reason}", kind=fault.kind)
    return target.copy_with(fragment=None)


def _fault(url: httpx.URL) -> Fault | None:
    if url.scheme not in {"http", "https"}:
        reason = f"only http and https pages can be fetched, not {url.scheme[:20]!r}"
        return Fault(kind="unsafe", reason=reason)
    if url.userinfo:
        return _USER_INFO
    host = url.raw_host.decode("ascii")
    if not host:
        return Fault(kind="malformed", reason="the link names no host")
    if url.port == 0:  # httpcore would take the default port instead
        return Fault(kind="malformed", reason="there is no port 0")
    if not _HOST.fullmatch(host):
        return Fault(kind="unsafe", reason=f"{host[:80]!r} is not a host name or address")
    return None
