"""What a change in place replaces, kept in a collection beside until the change was judged.

That collection has the documents' points as they were, and a mark for each document, written when its points are
there: a document without points has its mark alone, and to put it back is to remove what it has now. All of it is
published before the first of these documents is touched, and to put documents back twice does no harm, so a process may
die at any moment.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from uuid import UUID, uuid5

from rag_llm_system.application.indexing.cleaned import LOOKUP_BATCH
from rag_llm_system.domain.ports import CollectionSpec, Record, VectorStore

COPY_BATCH = 512
"""Points copied at once."""

_BEFORE = "_before"
_POINTS_BEFORE = "points_before"


def kept_of(collection: str) -> str:
    return collection + _BEFORE


def copy_points(store: VectorStore, source: str, target: str) -> None:
    """All points, with vectors and terms, into a new collection of the same kind."""
    store.drop(target)
    store.ensure(target, store.collections()[source])
    points = store.scan(source, with_vectors=True)
    while batch := list(islice(points, COPY_BATCH)):
        store.upsert(target, batch)


def keep(store: VectorStore, collection: str, documents: Iterable[str]) -> None:
    """Keep the points of these documents as they are now, in addition to what is kept already."""
    spec, target = store.collections()[collection], kept_of(collection)
    store.ensure(target, spec)
    for some in _batches(sorted(documents)):
        found = list(store.scan(collection, where={"document_id": some}, with_vectors=True))
        points = Counter(record.payload["document_id"] for record in found)
        if found:
            store.upsert(target, found)
        store.upsert(target, [_mark(one, points[one], spec) for one in some])
    store.publish(target)


def put_back(store: VectorStore) -> list[str]:
    """Undo every change in place that was not judged; the collections that it touched.

    Nothing of this system writes to a live collection while something is kept of it, but what removes documents that
    shall be found no more: those are removed from what is kept as well.
    """
    there = store.collections()
    undone = [name.removesuffix(_BEFORE) for name in sorted(there) if name.endswith(_BEFORE)]
    for collection in undone:
        for some in _batches(sorted(_marks(store, collection))):
            _put_back(store, collection, some)
        store.publish(collection)
        store.drop(kept_of(collection))
    return undone


def absent_before(store: VectorStore, collection: str) -> set[str]:
    """The documents that the change in place added."""
    return {document for document, points in _marks(store, collection).items() if not points}


def documents_in(store: VectorStore, collection: str) -> set[str]:
    return {r.payload["document_id"] for r in store.scan(collection, fields=("document_id",))}


def _put_back(store: VectorStore, collection: str, documents: Sequence[str]) -> None:
    where = {"document_id": documents}
    kept = store.scan(kept_of(collection), where=where, with_vectors=True)
    before = [record for record in kept if _POINTS_BEFORE not in record.payload]
    stay = {record.id for record in before}
    if before:
        store.upsert(collection, before)
    now = [record.id for record in store.scan(collection, where=where, fields=())]
    store.delete(collection, [one for one in now if one not in stay])


def _marks(store: VectorStore, collection: str) -> dict[str, int]:
    """How many points each document had that is kept."""
    found = store.scan(kept_of(collection), fields=("document_id", _POINTS_BEFORE))
    payloads = [record.payload for record in found]
    return {p["document_id"]: p[_POINTS_BEFORE] for p in payloads if _POINTS_BEFORE in p}


def _mark(document: str, points: int, spec: CollectionSpec) -> Record:
    vector = (1.0, *(0.0,) * ((spec.dimension or 1) - 1))
    payload = {"document_id": document, _POINTS_BEFORE: points}
    return Record(id=str(uuid5(UUID(document), _POINTS_BEFORE)), vector=vector, payload=payload)


def _batches(documents: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(documents), LOOKUP_BATCH):
        yield list(documents[start : start + LOOKUP_BATCH])
