"""A fetch is one or more requests; whoever rations them is told of each."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from rag_llm_system.domain.documents import Page
from rag_llm_system.domain.ports import Fetcher, Wanted


@dataclass(frozen=True)
class Download:
    """An answer whose body is read while it arrives, its content coding removed; ``chunks`` raises CrawlError."""

    final_url: str
    status: int
    etag: str
    last_modified: str
    content_type: str
    chunks: Iterator[bytes]


class Watcher(Protocol):
    """Is told of the single requests of a fetch."""

    def sent(self) -> None:
        """A request is on its way."""

    def arrived(self) -> None:
        """The head of its answer is here."""

    def redirected(self, link: str) -> None:
        """Another will follow, to that link. May wait, which the fetch's time does not count, or raise CrawlError."""


@runtime_checkable
class WatchedFetcher(Fetcher, Protocol):
    """A Fetcher that tells of each of its requests."""

    def watched_fetch(
        self,
        link: str,
        watcher: Watcher,
        *,
        wanted: Wanted = "page",
        etag: str = "",
        last_modified: str = "",
    ) -> Page | None: ...

    def watched_download(
        self,
        link: str,
        watcher: Watcher,
        *,
        max_bytes: int,
        accept: str = "*/*",
        etag: str = "",
        timeout_s: float = 300.0,
    ) -> AbstractContextManager[Download | None]: ...


class _Nobody:
    """Watches nothing."""

    def sent(self) -> None:
        """Not counted."""

    def arrived(self) -> None:
        """Not counted."""

    def redirected(self, link: str) -> None:
        """Every link may follow."""


NOBODY = _Nobody()
