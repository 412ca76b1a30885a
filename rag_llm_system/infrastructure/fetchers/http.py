"""Fetches web pages over HTTP without a browser."""

import math
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from http import HTTPStatus

import httpx

from rag_llm_system.domain.documents import Page
from rag_llm_system.domain.errors import CrawlError
from rag_llm_system.domain.ports import Wanted
from rag_llm_system.infrastructure.fetchers import answers, bodies
from rag_llm_system.infrastructure.fetchers.addresses import AddressRules
from rag_llm_system.infrastructure.fetchers.answers import Answer
from rag_llm_system.infrastructure.fetchers.connections import Connections, Trace
from rag_llm_system.infrastructure.fetchers.failures import translated
from rag_llm_system.infrastructure.fetchers.identity import USER_AGENT
from rag_llm_system.infrastructure.fetchers.sockets import CheckedBackend, Deadline
from rag_llm_system.infrastructure.fetchers.urls import redirected, url_of
from rag_llm_system.infrastructure.fetchers.watching import NOBODY, Download, Watcher

MAX_REDIRECTS = 5  # RFC 9309 asks a crawler to follow as many
MAX_BYTES = 5_000_000  # a larger page costs an HTML parser half a minute and a gigabyte (measured)
MAX_FAILURE_BYTES = 262_144  # of an answer that is no success: enough to tell what it is
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class HttpFetcher:
    """Implements Fetcher: a pool of HTTP/1.1 and HTTP/2 connections, no cookies, no proxy, no retries.

    Proxy settings of the environment are not read: a proxy would look hosts up by itself, unchecked. A file of
    certificates named by SSL_CERT_FILE is.
    ``timeout_s`` bounds a whole fetch with its redirects, ``max_bytes`` a page after decompression. The system's name
    resolver has timeouts of its own. A redirect may lead from https to http: nothing secret is sent, and ``final_url``
    shows it.
    """

    def __init__(
        self,
        *,
        rules: AddressRules,
        timeout_s: float = 20.0,
        max_bytes: int = MAX_BYTES,
        user_agent: str = USER_AGENT,
        max_connections: int = 64,
    ) -> None:
        self._deadline = Deadline()
        self._timeout_s = timeout_s
        self._max_bytes = max_bytes
        self._user_agent = user_agent
        self._connections = Connections(
            CheckedBackend(rules, self._deadline),
            self._deadline,
            tls=httpx.create_ssl_context(),
            limit=max_connections,
        )

    def fetch(
        self, link: str, *, wanted: Wanted = "page", etag: str = "", last_modified: str = ""
    ) -> Page | None:
        """The page behind a link; every redirect is checked like the link itself."""
        return self.watched_fetch(
            link, NOBODY, wanted=wanted, etag=etag, last_modified=last_modified
        )

    def watched_fetch(
        self,
        link: str,
        watcher: Watcher,
        *,
        wanted: Wanted = "page",
        etag: str = "",
        last_modified: str = "",
    ) -> Page | None:
        headers = self._request_headers(answers.ACCEPT[wanted], etag, last_modified)
        end = time.monotonic() + self._timeout_s
        with (
            self._deadline.until(end),
            translated(link),
            self._answer(link, headers, watcher) as answer,
        ):
            return self._page(link, answer, wanted) if answer else None

    def download(
        self,
        link: str,
        *,
        max_bytes: int,
        accept: str = "*/*",
        etag: str = "",
        timeout_s: float = 300.0,
    ) -> AbstractContextManager[Download | None]:
        """A file too large for the memory while the block runs, or None when it has not changed since ``etag``.

        ``timeout_s`` bounds all of it, ``max_bytes`` the file before and after its content coding is removed.
        """
        return self.watched_download(
            link, NOBODY, max_bytes=max_bytes, accept=accept, etag=etag, timeout_s=timeout_s
        )

    @contextmanager
    def watched_download(
        self,
        link: str,
        watcher: Watcher,
        *,
        max_bytes: int,
        accept: str = "*/*",
        etag: str = "",
        timeout_s: float = 300.0,
    ) -> Iterator[Download | None]:
        headers = self._request_headers(accept, etag, "")
        end = time.monotonic() + timeout_s
        with ExitStack() as opened:
            with self._deadline.until(end), translated(link):
                answer = opened.enter_context(self._answer(link, headers, watcher))
                end = self._deadline.at  # without the time that the watcher took
                chunks = answer.body(max_bytes) if answer else None
            yield answer and Download(
                final_url=str(answer.url),
                status=answer.status,
                etag=answer.headers.get("etag", ""),
                last_modified=answer.headers.get("last-modified", ""),
                content_type=answer.media_type,
                chunks=self._timed(link, chunks or iter(()), end),
            )

    def close(self) -> None:
        """Pages and files that are under way in other threads end with an error."""
        self._connections.close()

    def _timed(self, link: str, pieces: Iterator[bytes], end: float) -> Iterator[bytes]:
        """The pieces; what goes wrong between them is the caller's, whose time counts as well."""
        while True:
            with self._deadline.until(end), translated(link):
                piece = next(pieces, None)
            if piece is None:
                return
            yield piece

    @contextmanager
    def _answer(
        self, link: str, request_headers: dict[str, str], watcher: Watcher
    ) -> Iterator[Answer | None]:
        """The success at the end of the redirects, or None for "not modified"."""
        conditional = not request_headers.keys().isdisjoint({"If-None-Match", "If-Modified-Since"})
        url = url_of(link)
        trace = None if watcher is NOBODY else _tracer(watcher)
        for _ in range(MAX_REDIRECTS + 1):
            with self._connections.ask(url, request_headers, trace) as reply:
                answer = Answer(url, reply.status, httpx.Headers(reply.headers), reply.pieces)
                if answer.status not in _REDIRECTS:
                    yield self._success(link, answer, conditional=conditional)
                    return
                answer.drain()
            url = redirected(link, url, answer.headers.get("location", ""))
            before = time.monotonic()
            watcher.redirected(str(url))
            self._deadline.extend(time.monotonic() - before)
        raise CrawlError(link, f"more than {MAX_REDIRECTS} redirects", kind="failed")

    def _success(self, link: str, answer: Answer, *, conditional: bool) -> Answer | None:
        if answer.status == HTTPStatus.NOT_MODIFIED and conditional:
            answer.drain()
            return None
        kind = answers.failure_kind(answer.status)
        if 200 <= answer.status < 300 and kind != "empty":
            return answer
        raise CrawlError(
            link,
            answers.status_line(answer.status),
            kind=kind,
            retry_after_s=answers.retry_after_s(answer.headers.get("retry-after", "")),
            page=self._failure_page(link, answer),
        )

    def _failure_page(self, link: str, answer: Answer) -> Page | None:
        """What can be shown of an answer that is no success; the status alone counts if its body is unusable."""
        if not answers.accepts("text", answer.media_type):
            return None
        try:
            with translated(link):
                content = bodies.head(answer.body(math.inf), MAX_FAILURE_BYTES)
        except CrawlError:
            content = b""
        return answer.page(link, content)

    def _page(self, link: str, answer: Answer, wanted: Wanted) -> Page:
        packed = wanted == "page" and answer.is_compressed_file
        if not (packed or answers.accepts(wanted, answer.media_type)):
            raise CrawlError(link, f"not a {wanted} but {answer.stated_type}", kind="not text")
        content = b"".join(answer.body(self._max_bytes))
        if packed and content.startswith(bodies.GZIP_MAGIC):
            content = b"".join(bodies.decoded([content], "gzip", max_bytes=self._max_bytes))
        if wanted == "page" and not content.strip():
            raise CrawlError(link, "the page is empty", kind="empty")
        return answer.page(link, content, "application/xml" if packed else "")

    def _request_headers(self, accept: str, etag: str, last_modified: str) -> dict[str, str]:
        headers = {
            "User-Agent": self._user_agent,
            "Accept": accept,
            "Accept-Encoding": "gzip",
            "If-None-Match": etag,
            "If-Modified-Since": last_modified,
        }
        # what a server once sent and a header cannot carry back would only break the request
        return {name: value for name, value in headers.items() if value and _is_plain(value)}


def _tracer(watcher: Watcher) -> Trace:
    """httpcore tells it everything that it does."""

    def trace(name: str, _: object) -> None:
        if name.endswith(".send_request_headers.complete"):
            watcher.sent()
        elif name.endswith(".receive_response_headers.complete"):
            watcher.arrived()

    return trace


def _is_plain(value: str) -> bool:
    return value.isascii() and value.isprintable()
