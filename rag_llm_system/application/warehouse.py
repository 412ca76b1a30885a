"""Reading the data warehouse: the documents of some authors, in parallel and in a fixed order."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from itertools import islice
from queue import Full, Queue

from rag_llm_system.application.preprocessing.categories import CATEGORIES
from rag_llm_system.domain.documents import Author, Document
from rag_llm_system.domain.errors import ConfigurationError, UnknownAuthor
from rag_llm_system.domain.ports import DocumentStore

_PARALLEL = 4
_PAGE_DOCUMENTS = 64
_PAGES_AHEAD = 4  # of each query; so much and no more of the corpus is in memory
_LOOK_UP_S = 0.1  # how soon a query notices that nobody reads on


def authors_named(names: Sequence[str] | None, store: DocumentStore) -> list[Author]:
    """The authors of these names, or all; raises UnknownAuthor listing the known ones."""
    known = store.authors()
    if names is None:
        return known
    if not names:
        raise ConfigurationError(
            "author_full_names is empty; name somebody or leave it out for all authors"
        )
    found = [(name, store.find_author(name)) for name in names]
    for name, author in found:
        if author is None:
            raise UnknownAuthor(name, (a.full_name for a in known))
    return [author for _, author in found if author is not None]


def documents_of(names: Sequence[str] | None, store: DocumentStore) -> Iterator[Document]:
    """Author by author and category by category, each ordered by id; queries run in parallel, a few pages ahead."""
    wanted = [
        (category, author.id)
        for author in authors_named(names, store)
        for category in sorted(CATEGORIES)
    ]
    reading = [_Query(store, category, author_id) for category, author_id in wanted]
    with ThreadPoolExecutor(_PARALLEL) as pool:
        # they are begun in the order in which they are read, so the one that is waited for is always running
        running = [pool.submit(copy_context().run, query.read) for query in reading]
        try:
            for query, future in zip(reading, running, strict=True):
                yield from query.documents()
                future.result()
        finally:
            for query in reading:
                query.stop()


class _Query:
    """Documents of one author and category, read by one thread and taken by another."""

    def __init__(self, store: DocumentStore, category: str, author_id: str) -> None:
        self._store = store
        self._category = category
        self._author_id = author_id
        self._pages: Queue[list[Document]] = Queue(_PAGES_AHEAD)
        self._stopped = threading.Event()

    def read(self) -> None:
        """Until the end, or until stopped; an empty page is the end, of a failed query too."""
        try:
            found = self._store.find(self._category, author_id=self._author_id)
            while page := list(islice(found, _PAGE_DOCUMENTS)):
                if not self._hand_over(page):
                    return
        finally:
            self._hand_over([])

    def documents(self) -> Iterator[Document]:
        while page := self._pages.get():
            yield from page

    def stop(self) -> None:
        self._stopped.set()

    def _hand_over(self, page: list[Document]) -> bool:
        while not self._stopped.is_set():
            try:
                self._pages.put(page, timeout=_LOOK_UP_S)
            except Full:
                continue
            return True
        return False
