"""Reading the data warehouse: the documents of some authors, in parallel and in a fixed order."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

from rag_llm_system.application.preprocessing.categories import CATEGORIES
from rag_llm_system.domain.documents import Author, Document
from rag_llm_system.domain.errors import ConfigurationError, UnknownAuthor
from rag_llm_system.domain.ports import DocumentStore

_PARALLEL = 4


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
    """Author by author and category by category, each ordered by id; queries run in parallel."""
    wanted = [
        (category, author.id)
        for author in authors_named(names, store)
        for category in sorted(CATEGORIES)
    ]

    def query(category: str, author_id: str) -> list[Document]:
        return list(store.find(category, author_id=author_id))

    with ThreadPoolExecutor(_PARALLEL) as pool:
        running = [pool.submit(copy_context().run, query, c, a) for c, a in wanted]
        for future in running:
            yield from future.result()
