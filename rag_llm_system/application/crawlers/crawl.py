"""The use case: crawl links, store what they hold, keep the state of each, report what happened.

A crawl that was killed is continued by the next one of the same links: what it had finished is not asked again.
A crawl of links that were crawled before asks their servers only for what has changed.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import nullcontext
from contextvars import copy_context
from datetime import UTC, datetime, timedelta
from itertools import groupby
from uuid import uuid5

from rag_llm_system.application.crawlers.dispatcher import (
    CrawlerDispatcher,
    parse_link,
    shown_link,
)
from rag_llm_system.application.crawlers.frontier import Frontier
from rag_llm_system.application.crawlers.options import CrawlOptions
from rag_llm_system.application.crawlers.report import CrawlReport, Outcome, report_of
from rag_llm_system.application.crawlers.visit import Ids, Visited, Visitor
from rag_llm_system.domain.crawling import RETRYABLE, CrawlRun, LinkState
from rag_llm_system.domain.documents import NAMESPACE, Author, canonical_link
from rag_llm_system.domain.errors import ConfigurationError, CrawlError
from rag_llm_system.domain.ports import DocumentStore, Tracer

CONTINUE_WITHIN = timedelta(days=1)
"""An interrupted crawl older than this starts anew: its pages may have changed since."""

AHEAD = 2
"""Links of a host in work for each that may be fetched at once: while one is parsed and stored, the next is fetched.
How many requests a host gets at once is up to the fetchers."""

MAX_DEPTH = 4
"""Links found in links: a sitemap index, a sitemap, a page; one more for a feed in between."""

Progress = Callable[[int, int, Outcome], None]
Forget = Callable[[Ids], object]
"""Removes documents from the index."""


def crawl_links(
    links: Iterable[str],
    author: Author,
    *,
    dispatcher: CrawlerDispatcher,
    store: DocumentStore,
    options: CrawlOptions = CrawlOptions(),  # noqa: B008 - frozen
    tracer: Tracer | None = None,
    on_link: Progress | None = None,
    forget: Forget = lambda _: None,
) -> CrawlReport:
    """Crawl each link once. A link that fails does not stop the others; the store does, and so does Ctrl-C.

    ``on_link`` is told after each link how many are done, how many there are by now, and what became of it.
    ``forget`` removes documents from the index when ``options.when_gone`` says so.
    """
    unique = _unique(links)
    if not unique:
        raise ConfigurationError("there are no links to crawl; name at least one")
    started = time.perf_counter()
    run = _begun(store, author, unique)
    visitor = Visitor(author, dispatcher, store, options)
    crawl = _Crawl(run, store, options, visitor, tracer)
    crawl.add(unique)
    try:
        crawl.work(on_link)
        removed = crawl.remove_leaving(forget)
    except BaseException:
        dispatcher.stop()  # wakes the workers that wait for their host's turn
        raise
    finally:
        crawl.close()
    store.save_crawl(run.model_copy(update={"finished_at": datetime.now(UTC)}))
    return report_of(
        crawl.outcomes(),
        removed=removed,
        continued=crawl.continued,
        seconds=time.perf_counter() - started,
    )


class _Crawl:
    """A run in progress: which links wait, which are visited, what came of them."""

    def __init__(
        self,
        run: CrawlRun,
        store: DocumentStore,
        options: CrawlOptions,
        visitor: Visitor,
        tracer: Tracer | None,
    ) -> None:
        self._run = run
        self._store = store
        self._options = options
        self._visitor = visitor
        self._tracer = tracer
        self._frontier = Frontier(options.per_host * AHEAD)
        self._pool = ThreadPoolExecutor(options.concurrency, thread_name_prefix="crawl")
        self._running: dict[Future[Visited], LinkState] = {}
        self._known = {state.id: state for state in store.links(author_id=run.author_id)}
        self._found_before: dict[str, list[str]] = {}
        for state in self._known.values():
            if state.found_in and state.status != "gone":
                self._found_before.setdefault(state.found_in, []).append(state.link)
        self._order: dict[str, int] = {}
        self._outcomes: dict[str, Outcome] = {}
        self._leaving: list[Visited] = []
        self._done = 0
        self.continued = 0

    def add(self, links: Sequence[str], *, found_in: str = "", depth: int = 0) -> None:
        """Put links into the frontier, and into the store as pending; what this run has done already is skipped."""
        pending = []
        for link in links:
            try:
                parse_link(link)
            except CrawlError as error:
                self._refuse(link, error)
                continue
            state = self._pending(link, found_in, depth)
            if self._done_before(state.id):
                if self._frontier.skip(state):
                    self.continued += 1
                    self._continue(self._known[state.id])
            elif self._frontier.add(state):
                self._order[state.id] = len(self._order)
                pending.append(state)
        if pending:
            self._store.save_links(pending)

    def work(self, on_link: Progress | None) -> None:
        """Visit links until none is left."""
        while self._fill() or self._running:
            done, _ = wait(self._running, return_when=FIRST_COMPLETED)
            finished = [self._finish(future) for future in done]
            # after the links they gave: a crawl killed in between reads the source again instead of losing them
            self._store.save_links([after for after, outcome in finished if not outcome.leaving])
            for _, outcome in finished:
                self._done += 1
                if on_link:
                    on_link(self._done, len(self._order), outcome)

    def remove_leaving(self, forget: Forget) -> int:
        """Remove all at once what is gone, as publishing an index takes time; how many there were.

        First from the index, last from the links' states: a crawl killed in between does the rest when continued.
        """
        ids = sorted({one for _, outcome in self._leaving for one in outcome.leaving})
        removed = 0
        if ids:
            forget(ids)
        for category, group in groupby(ids, key=lambda one: one[0]):
            removed += self._store.delete(category, [one for _, one in group])
        self._store.save_links([after for after, _ in self._leaving])
        return removed

    def close(self) -> None:
        """Wait for the links in work; those not begun are left to the next run."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def outcomes(self) -> list[Outcome]:
        """In the order in which the links were named or found."""
        return [self._outcomes[one] for one in sorted(self._outcomes, key=self._order.__getitem__)]

    def _refuse(self, link: str, error: CrawlError) -> None:
        """What is no link has no state: it cannot be crawled later either, and may hold a password."""
        self._order[link] = len(self._order)
        self._outcomes[link] = Outcome(
            link=link, status="failed", kind=error.kind, reason=error.reason
        )
        self._done += 1

    def _pending(self, link: str, found_in: str, depth: int) -> LinkState:
        fresh = LinkState(author_id=self._run.author_id, link=_identity(link))
        before = self._known.get(fresh.id, fresh)
        return before.model_copy(
            update={
                "crawl_id": self._run.crawl_id,
                "status": "pending",
                "found_in": found_in,
                "depth": depth,
            }
        )

    def _done_before(self, state_id: str) -> bool:
        """Whether an interrupted run, which this one continues, has finished the link."""
        known = self._known.get(state_id)
        if known is None or known.crawl_id != self._run.crawl_id or known.status == "pending":
            return False
        return known.kind not in RETRYABLE

    def _continue(self, source: LinkState) -> None:
        """What a source of links had given before the interruption is a part of this run."""
        found = self._found_before.get(source.link, [])
        if found and source.depth < MAX_DEPTH:
            self.add(found, found_in=source.link, depth=source.depth + 1)

    def _fill(self) -> bool:
        while len(self._running) < self._options.concurrency:
            state = self._frontier.take()
            if state is None:
                break
            context = copy_context()
            self._running[self._pool.submit(context.run, self._visit, state)] = state
        return bool(self._running)

    def _visit(self, state: LinkState) -> Visited:
        shown = shown_link(state.link)
        span = (
            self._tracer.span("crawl_link", inputs={"link": shown})
            if self._tracer
            else nullcontext()
        )
        with span as traced:
            after, outcome = self._visitor.visit(state)
            if traced:
                traced.record(
                    **outcome.model_dump(
                        exclude={"link", "found", "leaving"}, exclude_defaults=True
                    )
                )
        return after, outcome

    def _finish(self, future: Future[Visited]) -> Visited:
        state = self._running.pop(future)
        after, outcome = future.result()
        self._frontier.done(state)
        self._outcomes[state.id] = outcome
        self._known[after.id] = after
        if after.depth < MAX_DEPTH:
            self.add(self._found(after, outcome), found_in=after.link, depth=after.depth + 1)
        if outcome.leaving:
            self._leaving.append((after, outcome))
        return after, outcome

    def _found(self, after: LinkState, outcome: Outcome) -> list[str]:
        """The links found now, then those of earlier crawls: a feed shows only its newest, and pages may change."""
        earlier = sorted(self._found_before.get(after.link, []))
        links = list(dict.fromkeys([*outcome.found, *earlier]))
        return links[: self._options.max_found_links]


def _begun(store: DocumentStore, author: Author, links: Sequence[str]) -> CrawlRun:
    """The interrupted run of these links, or a new one."""
    identities = "\n".join(sorted(_identity(link) for link in links))
    run_id = str(uuid5(NAMESPACE, f"crawl:{author.id}:{identities}"))
    now = datetime.now(UTC)
    before = store.find_crawl(run_id)
    if before and before.finished_at is None and now - before.started_at < CONTINUE_WITHIN:
        return before
    run = CrawlRun(id=run_id, author_id=author.id, started_at=now)
    store.save_crawl(run)
    return run


def _unique(links: Iterable[str]) -> list[str]:
    """Each link once, in order; two spellings of one link are one."""
    unique: dict[str, str] = {}
    for link in links:
        unique.setdefault(_identity(link), link.strip())
    return list(unique.values())


def _identity(link: str) -> str:
    try:
        parse_link(link)
    except CrawlError:
        return link.strip()
    return canonical_link(link)
