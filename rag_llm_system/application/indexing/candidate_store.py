"""The vector store as it would be with a change that is not accepted yet."""

from collections.abc import Iterator, Mapping, Sequence

from rag_llm_system.application.indexing.collections import twin_of
from rag_llm_system.application.indexing.kept import copy_points, keep
from rag_llm_system.application.indexing.reports import Candidate
from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.ports import Capabilities, CollectionSpec, Record, VectorStore
from rag_llm_system.domain.queries import Hit, Terms, Where

_NOTHING = Candidate()


class Change(Value):
    """What a run is about to do to a live collection: to which documents, and whether in a copy of it."""

    documents: frozenset[str] = frozenset()
    beside: bool = True


class CandidateStore:
    """A VectorStore whose reads see the candidate, whose writes make it, and whose aliases move here alone.

    Before the first write to a live collection there is a copy, which the write goes to, or what it replaces is kept,
    as ``changes`` says; a live collection that is not named there is copied.
    """

    def __init__(
        self,
        store: VectorStore,
        candidate: Candidate = _NOTHING,
        changes: Mapping[str, Change] = {},
    ) -> None:
        self._store = store
        self._changes = changes
        self._beside = dict(candidate.beside)
        self._kept: dict[str, set[str]] = {name: set() for name in candidate.in_place}
        self._pointed = dict(candidate.pointed)
        self._live = set(store.aliases().values())

    @property
    def candidate(self) -> Candidate:
        return Candidate(
            beside=self._beside, in_place=tuple(sorted(self._kept)), pointed=self._pointed
        )

    @property
    def capabilities(self) -> Capabilities:
        return self._store.capabilities

    def claim(self) -> None:
        self._store.claim()

    def ensure(self, name: str, spec: CollectionSpec) -> None:
        self._store.ensure(self._to_write(name), spec)

    def collections(self) -> Mapping[str, CollectionSpec]:
        return self._store.collections()

    def aliases(self) -> Mapping[str, str]:
        aliases = {**self._store.aliases(), **self._pointed}
        return {alias: name for alias, name in aliases.items() if name is not None}

    def point_aliases(self, targets: Mapping[str, str | None]) -> None:
        self._pointed.update(targets)

    def upsert(self, name: str, records: Sequence[Record]) -> int:
        target = self._to_write(name)
        if (kept := self._kept.get(name)) is not None:
            self._keep(name, {record.payload["document_id"] for record in records} - kept)
        return self._store.upsert(target, records)

    def search(
        self,
        name: str,
        vector: Vectors,
        *,
        limit: int,
        where: Where | None = None,
        fields: Sequence[str] | None = None,
    ) -> list[Hit]:
        place = self._place(name)
        return self._store.search(place, vector, limit=limit, where=where, fields=fields)

    def search_batch(
        self,
        name: str,
        vectors: Vectors,
        *,
        limit: int,
        where: Where | None = None,
        fields: Sequence[str] | None = None,
    ) -> list[list[Hit]]:
        place = self._place(name)
        return self._store.search_batch(place, vectors, limit=limit, where=where, fields=fields)

    def search_terms(
        self,
        name: str,
        queries: Sequence[Terms],
        *,
        limit: int,
        where: Where | None = None,
        fields: Sequence[str] | None = None,
    ) -> list[list[Hit]]:
        place = self._place(name)
        return self._store.search_terms(place, queries, limit=limit, where=where, fields=fields)

    def scan(
        self,
        name: str,
        *,
        where: Where | None = None,
        after: str = "",
        fields: Sequence[str] | None = None,
        with_vectors: bool = False,
    ) -> Iterator[Record]:
        return self._store.scan(
            self._place(name), where=where, after=after, fields=fields, with_vectors=with_vectors
        )

    def delete(self, name: str, ids: Sequence[str]) -> None:
        self._store.delete(self._to_write(name), ids)

    def delete_where(self, name: str, where: Where) -> None:
        self._store.delete_where(self._to_write(name), where)

    def count(self, name: str, *, where: Where | None = None) -> int:
        return self._store.count(self._place(name), where=where)

    def publish(self, name: str) -> None:
        self._store.publish(self._place(name))

    def drop(self, name: str) -> None:
        self._store.drop(self._place(name))

    def close(self) -> None:
        """The store is its owner's to close."""

    def _place(self, name: str) -> str:
        collection = self.aliases().get(name, name)
        return self._beside.get(collection, collection)

    def _to_write(self, name: str) -> str:
        if name in self._live and name not in self._beside and name not in self._kept:
            change = self._changes.get(name, Change())
            if change.beside:
                self._beside[name] = twin_of(name)
                copy_points(self._store, name, twin_of(name))
            else:
                self._keep(name, set(change.documents))
        return self._place(name)

    def _keep(self, name: str, documents: set[str]) -> None:
        if documents:
            keep(self._store, name, documents)
        self._kept.setdefault(name, set()).update(documents)
