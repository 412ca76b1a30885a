"""One link of a crawl: fetch what changed, store it, and say what is now known of the link."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice

from rag_llm_system.application.crawlers.dispatcher import CrawlerDispatcher
from rag_llm_system.application.crawlers.options import CrawlOptions
from rag_llm_system.application.crawlers.report import Outcome
from rag_llm_system.domain.crawling import CrawlEnd, FoundLink, LinkState
from rag_llm_system.domain.documents import Author, Document, Source, canonical_link
from rag_llm_system.domain.errors import CrawlError, DataError
from rag_llm_system.domain.ports import Crawler, DocumentStore, SaveReport

BATCH_DOCUMENTS = 100  # files of repositories are at most 512 KiB, so a batch stays near 50 MB

Ids = Sequence[tuple[str, str]]
"""Documents by category and id."""

Visited = tuple[LinkState, Outcome]
"""The new state of a link, and what was done."""


class Visitor:
    """Visits links for one author; several threads may do so at once."""

    def __init__(
        self,
        author: Author,
        dispatcher: CrawlerDispatcher,
        store: DocumentStore,
        options: CrawlOptions,
    ) -> None:
        self._author = author
        self._dispatcher = dispatcher
        self._store = store
        self._options = options

    def visit(self, state: LinkState) -> Visited:
        """Raises only what stops the whole crawl, such as a lost store."""
        visit = _Visit(state, self._options.max_found_links)
        try:
            crawler = self._dispatcher.crawler_for(state.link)
            known = self._known(state, crawler)
            documents = visit.documents(crawler.crawl(state.link, self._author, known))
            while batch := list(islice(documents, BATCH_DOCUMENTS)):
                visit.saved = _sum(visit.saved, self._store.save(batch))
        except CrawlError as error:
            return self._failed(state, visit, error)
        except DataError as error:  # a document that no store takes, such as one of 20 MB
            refused = CrawlError(state.link, str(error), kind="damaged")
            return self._failed(state, visit, refused)
        stale = self._stale(state, visit)
        outcome = visit.outcome().model_copy(update=self._leaving(stale))
        return visit.succeeded(crawler.revision), outcome

    def _failed(self, state: LinkState, visit: "_Visit", error: CrawlError) -> Visited:
        stale = self._stored(state) if error.kind == "gone" else []
        outcome = visit.outcome_of_failure(error).model_copy(update=self._leaving(stale))
        return visit.failed(error, removed=bool(outcome.leaving)), outcome

    def _leaving(self, stale: Ids) -> dict[str, object]:
        remove = self._options.when_gone == "remove"
        return {"gone": len(stale), "leaving": tuple(stale) if remove else ()}

    def _known(self, state: LinkState, crawler: Crawler) -> Source | None:
        """What the server said last time, if what it gave then is still stored and would be made the same way."""
        if state.source is None or state.revision != crawler.revision:
            return None
        if state.anchor and self._store.source_of(*state.anchor) is None:
            return None
        return state.source

    def _stored(self, state: LinkState) -> Ids:
        return self._store.ids_from(canonical_link(state.link)) if state.documents else []

    def _stale(self, state: LinkState, visit: "_Visit") -> Ids:
        """Documents that the link gave before and gave no more."""
        if visit.end.unchanged or not state.documents:
            return []
        if state.documents == 1 and visit.count == 1 and visit.anchor == state.anchor:
            return []  # the usual page: the same document as before
        return [one for one in self._stored(state) if one not in visit.given]


class _Visit:
    """What a visit has seen so far."""

    def __init__(self, state: LinkState, max_found_links: int) -> None:
        self._before = state
        self._room = max_found_links
        self._left_out: Counter[str] = Counter()
        self.saved = SaveReport()
        self.given: set[tuple[str, str]] = set()
        self.found: dict[str, None] = {}
        self.count = 0
        self.anchor: tuple[str, str] | None = None
        self.end = CrawlEnd()

    def documents(self, items: Iterator[Document | FoundLink]) -> Iterator[Document]:
        """The documents among the items; links are kept apart, and the generator's own value is the end."""
        while True:
            try:
                item = next(items)
            except StopIteration as stop:
                self.end = stop.value or CrawlEnd()
                return
            if isinstance(item, FoundLink):
                self._find(item.link)
            else:
                self.count += 1
                self.given.add((item.category, item.id))
                self.anchor = (item.category, item.link)
                yield item

    def _find(self, link: str) -> None:
        if link in self.found:
            return
        if len(self.found) < self._room:
            self.found[link] = None
        else:
            self._left_out["links over max_found_links"] += 1

    def succeeded(self, revision: str) -> LinkState:
        unchanged = self.end.unchanged
        facts = {
            "status": "unchanged" if unchanged else "fetched",
            "source": self.end.source or (self._before.source if unchanged else None),
            "documents": self._before.documents if unchanged else self.count,
            "anchor": self._before.anchor if unchanged else self.anchor,
            "revision": revision,
            "attempts": 0,
            "kind": None,
            "reason": "",
            "checked_at": datetime.now(UTC),
        }
        return self._before.model_copy(update=facts)

    def failed(self, error: CrawlError, *, removed: bool) -> LinkState:
        """What was known stays, unless it was removed: the next crawl may find the page again as it was."""
        nothing = {"source": None, "documents": 0, "anchor": None} if removed else {}
        facts = {
            **nothing,
            "status": "gone" if error.kind == "gone" else "failed",
            "attempts": self._before.attempts + 1,
            "kind": error.kind,
            "reason": _storable(error.reason),
            "checked_at": datetime.now(UTC),
        }
        return self._before.model_copy(update=facts)

    def outcome(self) -> Outcome:
        saved = self.saved
        if self.end.unchanged:
            saved = _sum(saved, SaveReport(unchanged=1))
        return Outcome(
            link=self._before.link,
            status="unchanged" if self.end.unchanged else "fetched",
            saved=saved,
            found=tuple(self.found),
            left_out=self._left_out + Counter(self.end.left_out),
        )

    def outcome_of_failure(self, error: CrawlError) -> Outcome:
        return Outcome(
            link=self._before.link,
            status="gone" if error.kind == "gone" else "failed",
            saved=self.saved,
            left_out=self._left_out,
            kind=error.kind,
            reason=_storable(error.reason),
        )


def _storable(reason: str) -> str:
    """Without the halves of surrogate pairs that a hostile server may have sent."""
    return reason.encode("utf-8", "replace").decode("utf-8")


def _sum(one: SaveReport, other: SaveReport) -> SaveReport:
    return SaveReport(
        new=one.new + other.new,
        changed=one.changed + other.changed,
        unchanged=one.unchanged + other.unchanged,
    )
