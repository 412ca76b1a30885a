"""Documents -> chunks -> vectors -> store, touching only what changed.

Whether a document is indexed is read from the store itself: its points carry the fingerprint of
everything that decides them, and how many they must be. So a run that was killed is completed by the next.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice

from rag_llm_system.application.preprocessing.categories import (
    CATEGORIES,
    Category,
    category_named,
)
from rag_llm_system.application.preprocessing.dispatchers import (
    ChunkingDispatcher,
    EmbeddingDispatcher,
)
from rag_llm_system.domain.chunks import Window
from rag_llm_system.domain.documents import CleanedDocument, Value
from rag_llm_system.domain.errors import DataError
from rag_llm_system.domain.ports import (
    CollectionSpec,
    Embedder,
    Record,
    VectorStore,
    refuse_other_encoder,
)

LOOKUP_BATCH = 64
"""Documents whose state is asked of the store at once."""

WRITE_BATCH = 512
"""Points written at once."""

_KEYWORDS = ("document_id", "chunk_id", "author_id", "platform")

OnDocument = Callable[[int], None]


class EmbedReport(Value):
    """``documents`` equals ``embedded_documents`` plus ``unchanged_documents``."""

    documents: int = 0
    embedded_documents: int = 0
    unchanged_documents: int = 0
    chunks: int = 0
    embedded: int = 0
    windows: int = 0


class LoadReport(Value):
    """``given`` equals ``written`` plus ``unchanged``; ``removed`` points had become stale."""

    collections: Mapping[str, int] = {}
    given: int = 0
    written: int = 0
    unchanged: int = 0
    removed: int = 0


class Indexer:
    """The use cases of one vector store and one encoder."""

    def __init__(
        self, store: VectorStore, embedder: Embedder, table: Mapping[str, Category] = CATEGORIES
    ) -> None:
        self._store = store
        self._table = table
        self._embedder = embedder
        self._chunking = ChunkingDispatcher(embedder, table)
        self._embedding = EmbeddingDispatcher(embedder)
        self.report = EmbedReport()

    def embed_changed(
        self, documents: Iterable[CleanedDocument], on_document: OnDocument = lambda _: None
    ) -> Iterator[Record]:
        """Records of the documents that the store does not hold as they are now; ``report`` counts.

        Raises IncompatibleCollection before anything is embedded, when the store's vectors are another encoder's.
        """
        check_encoder(self._store, self._embedder)
        stream = iter(documents)
        while batch := list(islice(stream, LOOKUP_BATCH)):
            yield from self._embed_batch(batch, on_document)

    def _embed_batch(
        self, batch: Sequence[CleanedDocument], on_document: OnDocument
    ) -> Iterator[Record]:
        """Windows of many documents are embedded together: short ones fill the batches of long ones."""
        indexed = self._indexed(batch)
        changed = [d for d in batch if indexed.get(d.id) != self._chunking.fingerprint(d)]
        self._count(documents=len(batch), unchanged_documents=len(batch) - len(changed))
        on_document(len(batch) - len(changed))
        if changed:
            self._store.claim()  # a second indexer is refused now, not after it has embedded everything
        waiting: dict[str, int] = {}
        windows: list[Window] = []
        for document in changed:
            chunks = self._chunking.dispatch(document)
            of_document = self._embedding.windows(chunks)
            if not of_document:
                raise DataError(f"{document.link}: {len(document.text)} characters gave no chunk")
            waiting[document.id] = len(of_document)
            windows += of_document
            self._count(embedded_documents=1, chunks=len(chunks), embedded=len(chunks))
        for record in self._embedding.dispatch(windows):
            yield record
            document_id = record.payload["document_id"]
            waiting[document_id] -= 1
            self._count(windows=1)
            on_document(waiting[document_id] == 0)

    def _count(self, **more: int) -> None:
        now = self.report.model_dump()
        self.report = EmbedReport(**{k: v + more.get(k, 0) for k, v in now.items()})

    def _indexed(self, batch: Sequence[CleanedDocument]) -> dict[str, str]:
        """The fingerprint of each document all of whose points are in the store."""
        by_category: dict[str, list[str]] = defaultdict(list)
        for document in batch:
            by_category[document.category].append(document.id)
        whole: dict[str, str] = {}
        for category, ids in sorted(by_category.items()):
            collection = category_named(category, self._table).chunk_collection
            points: dict[str, list[tuple[str, int]]] = defaultdict(list)
            for record in self._store.scan(collection, where={"document_id": ids}):
                payload = record.payload
                points[payload["document_id"]].append(
                    (payload["fingerprint"], payload["document_windows"])
                )
            for document_id, found in points.items():
                if len(set(found)) == 1 and found[0][1] == len(found):
                    whole[document_id] = found[0][0]
        return whole

    def load_cleaned(self, documents: Iterable[CleanedDocument]) -> LoadReport:
        """Cleaned documents into ``cleaned_<category>``, without vectors: datasets are made of them."""
        report = LoadReport()
        stream = iter(documents)
        while batch := list(islice(stream, LOOKUP_BATCH)):
            for name, group in _grouped(batch, self._table).items():
                spec = self.spec(name)
                self._store.ensure(name, spec)
                stored = {
                    r.id: r.payload["fingerprint"]
                    for r in self._store.scan(name, where={"document_id": [d.id for d in group]})
                }
                changed = [d for d in group if stored.get(d.id) != d.fingerprint]
                if changed:
                    self._store.upsert(name, [_cleaned_record(d) for d in changed])
                report = _added(report, given=len(group), written=len(changed))
        return self._finished(report, [c.cleaned_collection for c in self._table.values()])

    def load_chunks(self, records: Iterable[Record]) -> LoadReport:
        """Embedded windows into ``<category>_chunks_embedded``.

        New points are written and counted before the stale ones of the same documents go, so a search
        in between finds the document.
        """
        report = LoadReport()
        stream = iter(records)
        fresh: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        while batch := list(islice(stream, WRITE_BATCH)):
            groups: dict[str, list[Record]] = defaultdict(list)
            for record in batch:
                category = category_named(record.payload["category"], self._table)
                groups[category.chunk_collection].append(record)
                ids = fresh[category.chunk_collection][record.payload["document_id"]]
                ids.add(record.id)
            for name, group in groups.items():
                self._store.ensure(name, self.spec(name))
                self._store.upsert(name, group)
                report = _added(report, given=len(group), written=len(group))
        removed = sum(self._remove_stale(name, ids) for name, ids in sorted(fresh.items()))
        report = _added(report, removed=removed)
        return self._finished(report, [c.chunk_collection for c in self._table.values()])

    def _remove_stale(self, name: str, fresh: Mapping[str, set[str]]) -> int:
        """Points of re-embedded documents that are not among the new ones; all new ones must be there."""
        documents = sorted(fresh)
        removed = 0
        for at in range(0, len(documents), LOOKUP_BATCH):
            ids = documents[at : at + LOOKUP_BATCH]
            wanted = set().union(*(fresh[i] for i in ids))
            there = {r.id for r in self._store.scan(name, where={"document_id": ids})}
            if missing := wanted - there:
                raise DataError(
                    f"{name}: {len(missing)} of {len(wanted)} points were not stored; "
                    "nothing was removed, run the feature engineering pipeline again"
                )
            if stale := sorted(there - wanted):
                self._store.delete(name, stale)
            removed += len(stale)
        return removed

    def _finished(self, report: LoadReport, collections: Iterable[str]) -> LoadReport:
        """Publish, also what an earlier run wrote and did not live to publish."""
        there = sorted(set(collections) & set(self._store.collections()))
        for name in there:
            self._store.publish(name)
        return report.model_copy(
            update={
                "collections": {name: self._store.count(name) for name in there},
                "unchanged": report.given - report.written,
            }
        )

    def spec(self, collection: str) -> CollectionSpec:
        """What a collection of ours must look like with this encoder."""
        category = next(
            c
            for c in self._table.values()
            if collection in {c.chunk_collection, c.cleaned_collection}
        )
        keywords = (*_KEYWORDS, *category.filterable)
        if collection == category.cleaned_collection:
            return CollectionSpec(keyword_fields=keywords)
        return CollectionSpec(
            dimension=self._embedder.dimension,
            encoder=self._embedder.model_id,
            keyword_fields=keywords,
            integer_fields=("window",),
        )


def check_encoder(store: VectorStore, embedder: Embedder) -> None:
    """Raise IncompatibleCollection when a collection was made with another encoder or dimension."""
    ours = CollectionSpec(dimension=embedder.dimension, encoder=embedder.model_id)
    for name, spec in store.collections().items():
        if spec.dimension is not None:
            refuse_other_encoder(name, spec, ours)


def cleaned_documents(
    store: VectorStore, table: Mapping[str, Category] = CATEGORIES
) -> Iterator[CleanedDocument]:
    """Everything in the cleaned collections, category by category, ordered by id."""
    for category in table.values():
        for record in store.scan(category.cleaned_collection):
            fields = {k: v for k, v in record.payload.items() if k != "document_id"}
            yield CleanedDocument.model_validate({**fields, "id": record.id})


def _cleaned_record(document: CleanedDocument) -> Record:
    fields = document.model_dump(exclude={"id"})
    return Record(id=document.id, payload={**fields, "document_id": document.id})


def _grouped(
    batch: Sequence[CleanedDocument], table: Mapping[str, Category]
) -> dict[str, list[CleanedDocument]]:
    groups: dict[str, list[CleanedDocument]] = defaultdict(list)
    for document in batch:
        groups[category_named(document.category, table).cleaned_collection].append(document)
    return groups


def _added(report: LoadReport, **more: int) -> LoadReport:
    return report.model_copy(update={k: getattr(report, k) + v for k, v in more.items()})
