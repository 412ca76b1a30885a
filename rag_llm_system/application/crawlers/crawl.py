"""The use case: crawl links, store what they hold, report what happened to each."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from itertools import islice

from pydantic import Field

from rag_llm_system.application.crawlers.dispatcher import (
    CrawlerDispatcher,
    LeftOut,
    LinkCrawler,
    parse_link,
    shown_link,
)
from rag_llm_system.domain.documents import Author, Document, Value, canonical_link
from rag_llm_system.domain.errors import ConfigurationError, CrawlError
from rag_llm_system.domain.ports import DocumentStore, SaveReport, Tracer

BATCH_DOCUMENTS = 100  # files of repositories are at most 512 KiB, so a batch stays near 50 MB
Progress = Callable[[int, int, str], None]


class DomainCount(Value):
    """What became of the links of one domain."""

    attempted: int = 0
    succeeded: int = 0
    failed: int = 0


class CrawlFailure(Value):
    link: str
    reason: str


class CrawlReport(Value):
    """What a crawl did, in the order of its links.

    ``unchanged`` counts documents that are stored as they are, and one for each link that had not been modified.
    What a link gave before it failed is stored and counted.
    """

    domains: Mapping[str, DomainCount]
    failures: Sequence[CrawlFailure] = ()
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    left_out: Mapping[str, int] = Field(default_factory=dict)


class _Outcome(Value):
    link: str
    saved: SaveReport
    left_out: Mapping[str, int] = Field(default_factory=dict)
    failure: str | None = None


def crawl_links(
    links: Iterable[str],
    author: Author,
    *,
    dispatcher: CrawlerDispatcher,
    store: DocumentStore,
    tracer: Tracer | None = None,
    on_link: Progress | None = None,
) -> CrawlReport:
    """Crawl each link once and store its documents. A link that fails does not stop the others; the store does.

    ``on_link`` is told the number of a link, how many there are, and the link, before it is crawled.
    """
    unique = _unique(links)
    if not unique:
        raise ConfigurationError("there are no links to crawl; name at least one")
    outcomes = []
    for number, link in enumerate(unique, start=1):
        shown = shown_link(link)
        if on_link:
            on_link(number, len(unique), shown)
        span = tracer.span("crawl_link", inputs={"link": shown}) if tracer else nullcontext()
        with span as traced:
            outcome = _crawl_link(link, author, dispatcher, store)
            if traced:
                traced.record(**outcome.model_dump(exclude={"link"}))
        outcomes.append(outcome)
    return _report(outcomes)


def _crawl_link(
    link: str, author: Author, dispatcher: CrawlerDispatcher, store: DocumentStore
) -> _Outcome:
    saved = SaveReport()
    try:
        crawler = dispatcher.crawler_for(link)
        documents = _Documents(crawler, link, author, store)
        for batch in _batches(documents):
            saved = _sum(saved, store.save(batch))
    except CrawlError as error:
        return _Outcome(link=link, saved=saved, failure=error.reason)
    if saved == SaveReport():
        saved = SaveReport(
            unchanged=1
        )  # a crawler that finds nothing raises, so it was not modified
    return _Outcome(link=link, saved=saved, left_out=documents.left_out)


class _Documents:
    """The documents of a link; when all were taken, ``left_out`` says how much was not among them."""

    def __init__(
        self, crawler: LinkCrawler, link: str, author: Author, store: DocumentStore
    ) -> None:
        stored = crawler.known_by(link)
        known = store.source_of(*stored) if stored else None
        self._documents = crawler.crawl(link, author, known)
        self.left_out: LeftOut = {}

    def __iter__(self) -> Iterator[Document]:
        self.left_out = yield from self._documents


def _batches(documents: Iterable[Document]) -> Iterator[list[Document]]:
    stream = iter(documents)
    while batch := list(islice(stream, BATCH_DOCUMENTS)):
        yield batch


def _unique(links: Iterable[str]) -> list[str]:
    """Each link once, in order; two spellings of one link are one."""
    unique: dict[str, str] = {}
    for link in links:
        unique.setdefault(_identity(link), link.strip())
    return list(unique.values())


def _identity(link: str) -> str:
    try:
        return canonical_link(parse_link(link).geturl())
    except CrawlError:
        return link.strip()


def _report(outcomes: Sequence[_Outcome]) -> CrawlReport:
    attempted, failed = Counter[str](), Counter[str]()
    left_out = Counter[str]()
    for outcome in outcomes:
        attempted[_domain(outcome.link)] += 1
        failed[_domain(outcome.link)] += outcome.failure is not None
        left_out.update(outcome.left_out)
    saved = SaveReport()
    for outcome in outcomes:
        saved = _sum(saved, outcome.saved)
    return CrawlReport(
        domains={
            domain: DomainCount(
                attempted=count, succeeded=count - failed[domain], failed=failed[domain]
            )
            for domain, count in attempted.items()
        },
        failures=tuple(
            CrawlFailure(link=shown_link(outcome.link), reason=outcome.failure)
            for outcome in outcomes
            if outcome.failure is not None
        ),
        **saved.model_dump(),
        left_out=dict(sorted(left_out.items())),
    )


def _domain(link: str) -> str:
    try:
        parts = parse_link(link)
    except CrawlError:
        return "malformed"
    return parts.hostname or parts.scheme


def _sum(one: SaveReport, other: SaveReport) -> SaveReport:
    return SaveReport(
        new=one.new + other.new,
        changed=one.changed + other.changed,
        unchanged=one.unchanged + other.unchanged,
    )
