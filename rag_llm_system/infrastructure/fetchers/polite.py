"""A fetcher that keeps to robots.txt and to a pace, and repeats what may pass."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

from rag_llm_system.domain.documents import Page
from rag_llm_system.domain.ports import Fetcher, Wanted
from rag_llm_system.infrastructure.fetchers.identity import user_agent
from rag_llm_system.infrastructure.fetchers.politeness import Politeness, Turn
from rag_llm_system.infrastructure.fetchers.robots import Robots
from rag_llm_system.infrastructure.fetchers.urls import url_of
from rag_llm_system.infrastructure.fetchers.watching import Download, WatchedFetcher

__all__ = ["PoliteFetcher", "Politeness", "user_agent"]


class PoliteFetcher:
    """Implements Fetcher on top of another.

    Where that one tells of its requests (WatchedFetcher), every redirect stands in line and is checked like a link;
    otherwise the page that a redirect led to is checked before it is given out. ``robots`` shares what another
    PoliteFetcher has read, for a fetcher that is slow with plain text.
    """

    def __init__(
        self,
        inner: Fetcher,
        politeness: Politeness,
        *,
        obey_robots: bool = True,
        robots: Robots | None = None,
    ) -> None:
        self._inner = inner
        self._watched = inner if isinstance(inner, WatchedFetcher) else None
        self._politeness = politeness
        self._obey_robots = obey_robots
        self.robots = robots or Robots(self._fetch_robots, politeness)

    def fetch(
        self, link: str, *, wanted: Wanted = "page", etag: str = "", last_modified: str = ""
    ) -> Page | None:
        def ask(turn: Turn) -> Page | None:
            if self._watched:
                return self._watched.watched_fetch(
                    link, turn, wanted=wanted, etag=etag, last_modified=last_modified
                )
            return self._inner.fetch(link, wanted=wanted, etag=etag, last_modified=last_modified)

        if not _has_host(link):  # the inner fetcher says what is wrong with it
            return self._inner.fetch(link, wanted=wanted)
        self._admit(link)
        page = self._politeness.ask(link, ask, self._admit)
        if page and page.final_url != link and not self._watched:
            self._admit(page.final_url)
        return page

    @contextmanager
    def download(
        self,
        link: str,
        *,
        max_bytes: int,
        accept: str = "*/*",
        etag: str = "",
        timeout_s: float = 300.0,
    ) -> Iterator[Download | None]:
        """As HttpFetcher.download, in line with the pages of the host but whatever its robots.txt says.

        It is asked for by name, as a person with git would. The place at the host is kept until the block ends: what
        is fetched from the same host inside it waits for ever when ``per_host`` is 1.
        """
        watched = self._watched
        if watched is None:
            raise TypeError(f"{type(self._inner).__name__} cannot download")
        opened = ExitStack()

        def ask(turn: Turn) -> Download | None:
            return opened.enter_context(
                watched.watched_download(
                    link,
                    turn,
                    max_bytes=max_bytes,
                    accept=accept,
                    etag=etag,
                    timeout_s=timeout_s,
                )
            )

        if not _has_host(link):
            url_of(link)  # says what is wrong with it
        with self._politeness.asked(link, ask, _admit_all) as download, opened:
            yield download

    def sitemaps(self, link: str) -> list[str]:
        """The sitemaps that the robots.txt of the link's site names; raises CrawlError when it cannot be read."""
        return self.robots.rules_for(link).sitemaps

    def close(self) -> None:
        """Closes the fetcher below."""
        self._inner.close()

    def _admit(self, link: str) -> None:
        if self._obey_robots:
            self.robots.check(link)

    def _fetch_robots(self, link: str) -> Page | None:
        def ask(turn: Turn) -> Page | None:
            if self._watched:
                return self._watched.watched_fetch(link, turn, wanted="text")
            return self._inner.fetch(link, wanted="text")

        return self._politeness.ask(link, ask, _admit_all)


def _admit_all(_: str) -> None:
    """Nothing is forbidden."""


def _has_host(link: str) -> bool:
    try:
        parts = urlsplit(link)
        port = parts.port
    except ValueError:
        return False
    has_host = parts.hostname and "@" not in parts.netloc and port != 0
    return bool(has_host) and parts.scheme in {"http", "https"}
