"""Takes documents out of the index: what is gone from the web, or was asked to be removed, is found no more."""

import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from rag_llm_system.application.indexing import LOOKUP_BATCH, WRITE_BATCH
from rag_llm_system.application.preprocessing.categories import (
    CATEGORIES,
    Category,
    category_named,
)
from rag_llm_system.domain.ports import VectorStore

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
    for category, document_id in ids:
        wanted[category].add(document_id)
    with _ONE_AT_A_TIME:
        there = store.collections()
        return sum(
            _remove(store, name, sorted(wanted[category]))
            for category in sorted(wanted)
            for name in _collections(category_named(category, table))
            if name in there
        )


def _collections(category: Category) -> tuple[str, str]:
    """Those that answers come from, then those that datasets are made of."""
    return category.chunk_collection, category.cleaned_collection


def _remove(store: VectorStore, name: str, documents: Sequence[str]) -> int:
    store.publish(name)  # what a killed run wrote and no reader has seen yet would come back later
    removed = 0
    for some in _batches(documents, LOOKUP_BATCH):
        points = [record.id for record in store.scan(name, where={"document_id": list(some)})]
        for batch in _batches(points, WRITE_BATCH):
            store.delete(name, batch)
        removed += len(points)
    if removed:
        store.publish(name)
    return removed


def _batches(ids: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]
