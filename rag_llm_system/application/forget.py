"""Forgetting: what is gone from the web, or was asked to be removed, is found no more."""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from rag_llm_system.application.indexing.chunks import WRITE_BATCH
from rag_llm_system.application.indexing.cleaned import LOOKUP_BATCH
from rag_llm_system.application.indexing.collections import chunk_collections
from rag_llm_system.application.preprocessing.categories import (
    CATEGORIES,
    Category,
    category_named,
)
from rag_llm_system.domain.crawling import link_state_id
from rag_llm_system.domain.documents import Value, canonical_link, document_id
from rag_llm_system.domain.errors import ConfigurationError
from rag_llm_system.domain.ports import DocumentStore, VectorStore

# threads of a crawl take turns: a store may close what it has open for reading when it begins to write
_ONE_AT_A_TIME = threading.Lock()


def remove_from_index(
    ids: Sequence[tuple[str, str]],
    store: VectorStore,
    table: Mapping[str, Category] = CATEGORIES,
) -> int:
    """Remove the points of these documents, given as category and id, and publish; how many there were.

    Where nothing of them is indexed, nothing is claimed or written. Raises StoreLocked while another process indexes:
    it might put them back.
    """
    wanted: dict[str, set[str]] = defaultdict(set)
    for category, one in ids:
        wanted[category].add(one)
    with _ONE_AT_A_TIME:
        there = store.collections()
        return sum(
            _remove(store, name, sorted(wanted[category]))
            for category in sorted(wanted)
            for name in _collections(category_named(category, table), store)
            if name in there
        )


class ForgetReport(Value):
    """How much of a link was removed; ``vectors`` are the texts that a cache of vectors had."""

    link: str
    documents: int
    points: int
    vectors: int


def forget_link(
    link: str,
    documents: DocumentStore,
    store: VectorStore,
    *,
    forget_texts: Callable[[Iterable[str]], int],
    table: Mapping[str, Category] = CATEGORIES,
) -> ForgetReport:
    """Remove every document of a link (of a repository: all its files) from the data warehouse and the index.

    The data warehouse comes last: a run that is killed is completed by the next. ``forget_texts`` removes texts from
    the caches of vectors and says how many were there. Raises ConfigurationError when nothing of the link is stored.
    """
    canonical = canonical_link(link)
    ids = sorted(
        {*documents.ids_from(canonical), *((name, document_id(name, canonical)) for name in table)}
    )
    texts = set(_embedded_texts(ids, store, table))
    points = remove_from_index(ids, store, table)
    vectors = forget_texts(sorted(texts))
    removed = sum(documents.delete(category, [one]) for category, one in ids)
    states = [link_state_id(author.id, canonical) for author in documents.authors()]
    if not documents.delete_links(states) and not removed and not points:
        raise ConfigurationError(
            f"nothing is stored of {canonical}; a document is named by the link that was crawled, or its own "
            "(poe call-rag-retrieval-module shows it)"
        )
    return ForgetReport(link=canonical, documents=removed, points=points, vectors=vectors)


def _embedded_texts(
    ids: Sequence[tuple[str, str]], store: VectorStore, table: Mapping[str, Category]
) -> Iterator[str]:
    """What the encoder was given of these documents, whichever encoder it was."""
    fields = ("chunk_id", "header", "content", "window_start", "window_end")
    for category, document in ids:
        for name in chunk_collections(category_named(category, table), store):
            found = [
                r.payload for r in store.scan(name, where={"document_id": document}, fields=fields)
            ]
            firsts = {p["chunk_id"]: p for p in found if "content" in p}
            for payload in found:
                if first := firsts.get(payload["chunk_id"]):
                    window = slice(payload["window_start"], payload["window_end"])
                    yield first.get("header", "") + first["content"][window]


def _collections(category: Category, store: VectorStore) -> list[str]:
    """Those that answers come from, of whichever encoder, then that of which datasets are made."""
    return [*chunk_collections(category, store), category.cleaned_collection]


def _remove(store: VectorStore, name: str, documents: Sequence[str]) -> int:
    store.publish(name)  # what a killed run wrote and no reader has seen yet would come back later
    removed = 0
    for some in _batches(documents, LOOKUP_BATCH):
        found = store.scan(name, where={"document_id": list(some)}, fields=())
        points = [record.id for record in found]
        for batch in _batches(points, WRITE_BATCH):
            store.delete(name, batch)
        removed += len(points)
    if removed:
        store.publish(name)
    return removed


def _batches(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]
