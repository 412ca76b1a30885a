"""What the application needs from outside. One contract test per port runs on every adapter of it."""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal, ParamSpec, Protocol, TypeVar

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.crawling import CrawlEnd, CrawlRun, FoundLink, LinkState
from rag_llm_system.domain.documents import Author, Document, Page, RepositoryFile, Source, Value
from rag_llm_system.domain.errors import IncompatibleCollection
from rag_llm_system.domain.queries import Hit, Where

P = ParamSpec("P")
T = TypeVar("T")


class SaveReport(Value):
    """What a save did; the three add up to what was given."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0


class DocumentStore(Protocol):
    """The data warehouse: authors and raw documents, keyed by ids that follow from their links."""

    def save_author(self, author: Author) -> None:
        """Insert or replace by id."""

    def find_author(self, full_name: str) -> Author | None:
        """By name, white space and case aside; never creates one."""

    def authors(self) -> list[Author]:
        """Sorted by name."""

    def save(self, documents: Iterable[Document]) -> SaveReport:
        """Insert or replace by id, in batches; a document whose sha256 is stored already counts as unchanged."""

    def find(self, category: str, *, author_id: str | None = None) -> Iterator[Document]:
        """Stream documents ordered by id."""

    def ids_from(self, origin: str) -> list[tuple[str, str]]:
        """Category and id of every document whose source has that origin, sorted."""

    def source_of(self, category: str, link: str) -> Source | None:
        """Where the stored document of that link came from, for conditional requests; None if not stored."""

    def delete(self, category: str, ids: Sequence[str]) -> int:
        """Remove by id; the number that was there."""

    def count(self, category: str, *, author_id: str | None = None) -> int: ...

    def save_links(self, states: Iterable[LinkState]) -> None:
        """Insert or replace by id; the last of two with one id counts."""

    def find_link(self, author_id: str, link: str) -> LinkState | None: ...

    def links(
        self,
        *,
        author_id: str | None = None,
        crawl_id: str | None = None,
        found_in: str | None = None,
    ) -> Iterator[LinkState]:
        """Stream the states that meet all of these, ordered by id."""

    def delete_links(self, ids: Sequence[str]) -> int:
        """Remove by id; the number that was there."""

    def save_crawl(self, run: CrawlRun) -> None:
        """Insert or replace by id."""

    def find_crawl(self, run_id: str) -> CrawlRun | None: ...

    def close(self) -> None: ...


class CollectionSpec(Value):
    """What a collection holds. ``dimension`` None: payloads only, no vectors."""

    dimension: int | None = None
    encoder: str = ""
    keyword_fields: tuple[str, ...] = ()
    integer_fields: tuple[str, ...] = ()


def refuse_other_encoder(name: str, stored: CollectionSpec, wanted: CollectionSpec) -> None:
    """Raises IncompatibleCollection unless both specs hold vectors of the same encoder."""
    if (stored.dimension, stored.encoder) == (wanted.dimension, wanted.encoder):
        return
    raise IncompatibleCollection(
        f"collection {name!r} was made with {_encoder(stored)}, in use is {_encoder(wanted)}; set "
        "TEXT_EMBEDDING_MODEL_ID back, or rebuild: poe drop-vectors, then "
        "poe run-feature-engineering-pipeline"
    )


def _encoder(spec: CollectionSpec) -> str:
    if spec.dimension is None:
        return "no vectors"
    return f"{spec.encoder or 'an unnamed encoder'} ({spec.dimension} dimensions)"


class Record(Value):
    """One point. ``vector`` has the collection's dimension, or is empty in a collection without vectors."""

    id: str
    vector: tuple[float, ...] = ()
    payload: Mapping[str, Any]


class VectorStore(Protocol):
    """Named collections of points with payloads; scores are cosine similarities, higher is better.

    One process writes at a time (``StoreLocked`` names the holder); readers see what was last published.
    """

    def claim(self) -> None:
        """Become the writer before long work, or raise StoreLocked at once. Where many may write, nothing is done."""

    def ensure(self, name: str, spec: CollectionSpec) -> None:
        """Create the collection, or raise IncompatibleCollection when it was made with another encoder or dimension."""

    def collections(self) -> Mapping[str, CollectionSpec]: ...

    def upsert(self, name: str, records: Sequence[Record]) -> int:
        """Insert or replace whole points; how many different ones. The last record of an id counts.

        All are checked first: a bad one raises DataError and changes nothing. Here and in ``publish`` an absent
        collection raises UnknownName.
        """

    def search(
        self, name: str, vector: Vectors, *, limit: int, where: Where | None = None
    ) -> list[Hit]:
        """The ``limit`` best points that meet ``where``, best first, ties by id; [] when the collection is absent."""

    def scan(self, name: str, *, where: Where | None = None) -> Iterator[Record]:
        """Stream points ordered by id, without their vectors; nothing when the collection is absent."""

    def delete(self, name: str, ids: Sequence[str]) -> None: ...

    def count(self, name: str, *, where: Where | None = None) -> int: ...

    def publish(self, name: str) -> None:
        """Make what was written durable and visible to readers in other processes.

        Also what an earlier process wrote and did not live to publish; without any, nothing is done.
        """

    def drop(self, name: str) -> None: ...

    def close(self) -> None: ...


class Embedder(Protocol):
    """Text to vectors."""

    @property
    def model_id(self) -> str: ...

    @property
    def dimension(self) -> int: ...

    @property
    def max_tokens(self) -> int:
        """How many tokens of text one vector can stand for, special tokens not counted."""

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        """The encoder's own tokens as ``(start, end)`` characters of ``text``, in order."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Shape (len(texts), dimension), rows of length 1. A text over ``max_tokens`` raises DataError."""


class Reranker(Protocol):
    """Scores how well texts answer a question."""

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        """One score in [0, 1] per text, higher is better."""


class LLM(Protocol):
    """A language model. A whole answer joins the pieces; closing the iterator cancels."""

    @property
    def model_id(self) -> str: ...

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, temperature: float
    ) -> Iterator[str]: ...


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


SpanKind = Literal["general", "tool", "llm"]


class Span(Protocol):
    """One traced piece of work."""

    @property
    def trace_id(self) -> str: ...

    def record(self, **outputs: Any) -> None:
        """Outputs as the trace shows them: redacted, and cut where long."""


class Tracer(Protocol):
    """Traces work as nested spans. It never fails or slows what it traces."""

    def span(
        self, name: str, *, kind: SpanKind = "general", inputs: Mapping[str, Any] | None = None
    ) -> AbstractContextManager[Span]: ...

    def flush(self) -> None: ...
