"""Where documents come from: fetchers, sandboxes, repositories, crawlers."""

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Literal, ParamSpec, Protocol, TypeVar

from rag_llm_system.domain.crawling import CrawlEnd, FoundLink
from rag_llm_system.domain.documents import Author, Document, Page, RepositoryFile, Source, Value

P = ParamSpec("P")
T = TypeVar("T")

Wanted = Literal["page", "text"]
"""A page is HTML, a feed or a sitemap; text is any text, such as robots.txt or the JSON of an API."""


class Fetcher(Protocol):
    """Gets pages. Raises CrawlError, with kind and reason, for whatever is not a page."""

    def fetch(
        self, link: str, *, wanted: Wanted = "page", etag: str = "", last_modified: str = ""
    ) -> Page | None:
        """The page, or None when the server says that it has not changed since ``etag`` or ``last_modified``.

        An answer that is no success raises CrawlError; its ``page`` is the answer's text, if it has any.
        """

    def close(self) -> None: ...


class Sandbox(Protocol):
    """Runs pure functions on text that nobody trusts, within limits of time and memory."""

    def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of a module-level function whose annotated result pydantic can write as JSON.

        Raises CrawlError of kind "too large" when it takes too long or too much memory; the errors of this
        system that it raises are raised here.
        """

    def close(self) -> None: ...


class RepositorySnapshot(Value):
    """The text files of a repository at one commit, and how many of what kind were left out.

    ``etag`` is what the server calls this state, where it says so.
    """

    commit: str
    files: Sequence[RepositoryFile]
    left_out: Mapping[str, int]
    etag: str = ""


class RepositoryReader(Protocol):
    """Reads a repository, remote or local."""

    def head(self, location: str) -> str:
        """The commit a read would give, or "" where there is none."""

    def read(self, location: str) -> RepositorySnapshot: ...

    def read_if_changed(self, location: str, known: Source) -> RepositorySnapshot | None:
        """As ``read``, or None when the repository is at the commit, or has the etag, of ``known``."""


class Crawler(Protocol):
    """Turns one link into documents and further links, or raises CrawlError; never stores or retries."""

    @property
    def revision(self) -> str:
        """Changes when the same source would give other documents, so that it is read again in full."""

    def crawl(
        self, link: str, author: Author, known: Source | None
    ) -> Generator[Document | FoundLink, None, CrawlEnd]:
        """Nothing at all, and an end that says ``unchanged``, when the source is as it was at ``known``."""
