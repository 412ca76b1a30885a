"""Every error this system raises on purpose.

RagSystemError
  ConfigurationError        the operator must change a setting, a config file or a command
    UnknownName             a name that no table lists: category, backend, crawler, pipeline
    MissingExtra            the backend's optional dependency is not installed
    MissingFile             a file or folder that was named is not there
    UnknownAuthor           nobody of that name is in the data warehouse
    IncompatibleCollection  a collection was made with another encoder or dimension
  CrawlError                one source could not be read; the others go on
  DataError                 counts do not add up, or a row is not what it must be
  BackendError              a store or a model did not answer, or answered with an error
    StoreUnavailable        no connection
    StoreLocked             another process writes to it
    StoreCorrupt            what is on disk is not what was written
    StorageFull             the disk took no more
    Overloaded              too many requests wait already; the same may be asked again later
    DeadlineExceeded        the time that was given is over

Each message is one line that names the thing, what was wrong with it and what to do.
"""

from collections.abc import Iterable

from rag_llm_system.domain.crawling import FailureKind
from rag_llm_system.domain.documents import Page


class RagSystemError(Exception):
    """Root: one ``except`` at an edge catches what we foresaw and nothing else."""


class ConfigurationError(RagSystemError):
    """The operator must change a setting, a config file or a command."""


class UnknownName(ConfigurationError):
    """A name that its table does not list."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        super().__init__(f"unknown {kind} {name!r}; known: {', '.join(sorted(known))}")


class MissingExtra(ConfigurationError):
    """The library behind a backend is not installed."""

    def __init__(self, name: str, extra: str) -> None:
        super().__init__(f"{name!r} needs an optional library: pip install -e '.[{extra}]'")


class MissingFile(ConfigurationError):
    """A file or folder that was named is not there."""


class UnknownAuthor(ConfigurationError):
    """Nobody of that name is in the data warehouse."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        names = ", ".join(repr(n) for n in sorted(known)) or "none yet; run the ETL first"
        super().__init__(f"unknown author {name!r}; in the data warehouse: {names}")


class IncompatibleCollection(ConfigurationError):
    """A collection was made with another encoder or dimension than the one in use."""


class CrawlError(RagSystemError):
    """One source could not be read; a crawl of several goes on.

    ``page`` is what the server answered instead, where there is something to look at; ``retry_after_s`` what
    it asked for.
    """

    def __init__(
        self,
        link: str,
        reason: str,
        *,
        kind: FailureKind = "failed",
        retry_after_s: float | None = None,
        page: Page | None = None,
    ) -> None:
        super().__init__(f"{link}: {reason}")
        self.link, self.reason, self.kind = link, reason, kind
        self.retry_after_s, self.page = retry_after_s, page


class DataError(RagSystemError):
    """Counts do not add up, or a row is not what it must be."""


class BackendError(RagSystemError):
    """A store or a model did not answer, or answered with an error."""


class StoreUnavailable(BackendError):
    """No connection to the store."""


class StoreLocked(BackendError):
    """Another process is writing to the store."""


class StoreCorrupt(BackendError):
    """What lies on disk is not what was written."""


class StorageFull(BackendError):
    """The disk took no more; what was stored before is kept."""


class Overloaded(BackendError):
    """Too many requests wait already; the same may be asked again after ``retry_after_s`` seconds."""

    def __init__(self, message: str, *, retry_after_s: float = 2.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class DeadlineExceeded(BackendError):
    """The time that was given is over."""
