"""Fetches web pages over HTTP without a browser."""

import ssl
import zlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from types import MappingProxyType

import httpcore
import httpx

from rag_llm_system.domain.documents import Page, canonical_link
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.infrastructure.fetchers.addresses import UnusableHost
from rag_llm_system.infrastructure.fetchers.charset import encoding_of
from rag_llm_system.infrastructure.fetchers.connections import CheckedBackend, Deadline

USER_AGENT = "rag-llm-system"
MAX_REDIRECTS = 5  # RFC 9309 asks a crawler to follow as many
MAX_BYTES = 5_000_000  # a larger page costs an HTML parser half a minute and a gigabyte (measured)
HTML_TYPES = frozenset({"text/html", "application/xhtml+xml"})
REDIRECTS = frozenset({301, 302, 303, 307, 308})
_INFLATE_BYTES = 65_536  # how much one step of decompression may put out
_NO_HOSTS: Mapping[str, str] = MappingProxyType({})

# Everything httpcore raises, and what it means for a page; a test compares this with the library.
FAILURES: dict[type[Exception], str] = {
    httpcore.TimeoutException: "no complete answer in time",
    httpcore.NetworkError: "connection failed",
    httpcore.ProtocolError: "the server broke the HTTP protocol",
    httpcore.ProxyError: "proxy error",
    httpcore.UnsupportedProtocol: "unsupported protocol",
    httpcore.ConnectionNotAvailable: "connection not available",
}


class HttpFetcher:
    """Implements Fetcher: one pool of HTTP/1.1 and HTTP/2 connections, no cookies, no proxy, no retries.

    Proxy settings of the environment are not read: a proxy would look hosts up by itself, unchecked. A file of
    certificates named by SSL_CERT_FILE is.
    ``connect_to`` maps a host name to ``address:port``, for a server without an entry in DNS.
    ``timeout_s`` bounds a whole fetch with its redirects, ``max_bytes`` a page after decompression.
    """

    def __init__(
        self,
        *,
        connect_to: Mapping[str, str] = _NO_HOSTS,
        allow_private: bool = False,
        timeout_s: float = 20.0,
        max_bytes: int = MAX_BYTES,
        user_agent: str = USER_AGENT,
    ) -> None:
        self._deadline = Deadline()
        self._timeout_s = timeout_s
        self._max_bytes = max_bytes
        self._user_agent = user_agent
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(),
            http2=True,
            max_connections=20,
            keepalive_expiry=30.0,
            network_backend=CheckedBackend(
                self._deadline, connect_to=connect_to, allow_private=allow_private
            ),
        )

    def fetch(self, link: str, *, etag: str = "", last_modified: str = "") -> Page | None:
        """The page behind a link; every redirect is checked like the link itself."""
        url = _url_of(link)
        request_headers = self._request_headers(etag, last_modified)
        self._deadline.start(self._timeout_s)
        try:
            return self._follow(link, url, request_headers)
        except UnusableHost as error:
            raise CrawlError(link, str(error)) from error
        except (zlib.error, EOFError) as error:
            raise CrawlError(link, "the compressed page is damaged or cut off") from error
        except tuple(FAILURES) as error:
            raise CrawlError(link, _reason(error)) from error

    def close(self) -> None:
        self._pool.close()

    def _follow(self, link: str, url: httpx.URL, request_headers: dict[str, str]) -> Page | None:
        conditional = not request_headers.keys().isdisjoint({"If-None-Match", "If-Modified-Since"})
        for _ in range(MAX_REDIRECTS + 1):
            with self._pool.stream(
                "GET", _core_url(url), headers=[*request_headers.items()], extensions=self._limits()
            ) as response:
                headers = httpx.Headers(response.headers)
                if response.status == HTTPStatus.NOT_MODIFIED and conditional:
                    return None
                if response.status not in REDIRECTS:
                    return self._page(link, url, response, headers)
            url = _redirected(link, url, headers.get("location", ""))
        raise CrawlError(link, f"more than {MAX_REDIRECTS} redirects")

    def _page(
        self, link: str, url: httpx.URL, response: httpcore.Response, headers: httpx.Headers
    ) -> Page:
        if not 200 <= response.status < 300:
            raise CrawlError(link, _status_line(response.status))
        content_type = headers.get("content-type", "")
        media_type = content_type.partition(";")[0].strip().lower()
        if media_type not in HTML_TYPES:
            raise CrawlError(link, f"not an HTML page but {media_type or 'of no stated type'}")
        content = self._body(link, response, headers.get("content-encoding", ""))
        return Page(
            url=link,
            final_url=str(url),
            status=response.status,
            content=content,
            content_type=media_type,
            encoding=encoding_of(content, content_type),
            etag=headers.get("etag", ""),
            last_modified=headers.get("last-modified", ""),
            fetched_at=datetime.now(UTC),
        )

    def _body(self, link: str, response: httpcore.Response, coding: str) -> bytes:
        coding = coding.strip().lower()
        if coding not in {"", "identity", "gzip", "x-gzip"}:
            # stacked codings ("gzip, gzip") turn 2 KB into gigabytes in one step; we ask for gzip only
            raise CrawlError(link, f"unsupported content coding {coding!r}")
        pieces: Iterable[bytes] = response.iter_stream()
        if "gzip" in coding:
            pieces = _gunzip(pieces)
        content = bytearray()
        for piece in pieces:
            content += piece
            if len(content) > self._max_bytes:
                raise CrawlError(link, f"larger than {self._max_bytes:,} bytes")
        if not content.strip():
            raise CrawlError(link, "the page is empty")
        return bytes(content)

    def _request_headers(self, etag: str, last_modified: str) -> dict[str, str]:
        headers = {
            "User-Agent": self._user_agent,
            "Accept": "text/html, application/xhtml+xml;q=0.9",
            "Accept-Encoding": "gzip",
            "If-None-Match": etag,
            "If-Modified-Since": last_modified,
        }
        return {name: value for name, value in headers.items() if value}

    def _limits(self) -> dict[str, dict[str, float]]:
        return {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), self._timeout_s)}


def _url_of(link: str) -> httpx.URL:
    """The parsed link. Messages show its canonical form, which has no user-info."""
    try:
        url, shown = httpx.URL(link.strip()), canonical_link(link)
    except (httpx.InvalidURL, ValueError):
        shown = "a link with '@'" if "@" in link else link
        raise CrawlError(shown, "malformed link") from None  # the cause may quote a password
    if fault := _fault(url):
        raise CrawlError(shown, fault)
    return url.copy_with(fragment=None)


def _redirected(link: str, url: httpx.URL, location: str) -> httpx.URL:
    try:
        target = url.join(location)
    except httpx.InvalidURL:
        raise CrawlError(link, "redirected to a malformed link") from None
    if fault := "no target" if not location else _fault(target):
        raise CrawlError(link, f"redirected, but: {fault}")
    return target.copy_with(fragment=None)


def _fault(url: httpx.URL) -> str:
    if url.scheme not in {"http", "https"}:
        return f"only http and https pages can be fetched, not {url.scheme!r}"
    if url.userinfo:
        return "links with a user name or password are not fetched"
    return "" if url.host else "the link names no host"


def _core_url(url: httpx.URL) -> httpcore.URL:
    return httpcore.URL(
        scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
    )


def _gunzip(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Decompresses in small steps, so that a bomb is noticed before it fills the memory.

    What follows the compressed page is ignored, as browsers do; a page cut off raises EOFError.
    """
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    for chunk in chunks:
        data, piece = chunk, b""
        while not inflater.eof and (data or len(piece) == _INFLATE_BYTES):
            piece = inflater.decompress(data, _INFLATE_BYTES)
            data = inflater.unconsumed_tail
            yield piece
    if not inflater.eof:
        raise EOFError("gzip stream ended early")


def _reason(error: Exception) -> str:
    origin = next(iter(error.args), None)  # httpcore wraps the error of the socket
    if isinstance(origin, ssl.SSLCertVerificationError):
        return f"TLS certificate refused: {origin.verify_message}"
    if isinstance(origin, ssl.SSLError):
        return "TLS handshake failed"
    return next(reason for kind, reason in FAILURES.items() if isinstance(error, kind))


def _status_line(status: int) -> str:
    try:
        return f"HTTP {status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"HTTP {status}"
