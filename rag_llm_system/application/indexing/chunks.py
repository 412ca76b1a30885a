"""The chunk collections follow the cleaned ones: what to embed, what is stale, and when another encoder goes live."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from rag_llm_system.application.indexing.cleaned import LOOKUP_BATCH, CleanedSync, published
from rag_llm_system.application.indexing.collections import (
    chunk_spec,
    own_collection,
    refuse_earlier_layout,
)
from rag_llm_system.application.indexing.held import Held, held_documents
from rag_llm_system.application.indexing.reports import EmbedReport, LoadReport
from rag_llm_system.application.indexing.word_weights import reference_of, reweighed, weighed
from rag_llm_system.application.preprocessing.categories import (
    CATEGORIES,
    Category,
    category_named,
)
from rag_llm_system.application.preprocessing.dispatchers import (
    ChunkingDispatcher,
    EmbeddingDispatcher,
)
from rag_llm_system.application.preprocessing.fingerprints import (
    Reason,
    points_fingerprint,
    why_embedded,
)
from rag_llm_system.domain.chunks import Window
from rag_llm_system.domain.documents import CleanedDocument
from rag_llm_system.domain.errors import DataError
from rag_llm_system.domain.ports import Embedder, Record, VectorStore

WRITE_BATCH = 512
"""Points written at once."""

OnDocument = Callable[[int], None]


class _Stale(NamedTuple):
    """Of one category: points to remove, how many documents are gone, and how many are not whole yet."""

    points: list[str]
    gone: int
    waiting: int


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
        self._why: Counter[str] = Counter()
        self.report = EmbedReport()

    def load_cleaned(
        self,
        documents: Iterable[CleanedDocument],
        *,
        authors: Sequence[str] | None = None,
        max_removed_share: float = 1.0,
    ) -> LoadReport:
        """Make the cleaned collections hold these documents: all that there are, or all of these authors (ids).

        Raises DataError, having removed nothing, when a greater share of all would have to go.
        """
        sync = CleanedSync(self._store, self._table)
        sync.write(documents)
        return sync.report(sync.remove_gone(authors, max_removed_share))

    def embed_changed(
        self, documents: Iterable[CleanedDocument], on_document: OnDocument = lambda _: None
    ) -> Iterator[Record]:
        """Records of the documents that this encoder's collections do not hold as they are now; ``report`` counts."""
        refuse_earlier_layout(self._store, self._table)
        held = {c.name: self._held(c) for c in self._table.values()}
        replacing = self._another_is_live()
        stream = iter(documents)
        while batch := list(islice(stream, LOOKUP_BATCH)):
            changed: list[CleanedDocument] = []
            for document in batch:
                category_named(document.category, self._table)
                reason = self._why_embed(document, held[document.category], replacing=replacing)
                if reason:
                    changed.append(document)
                    self._why[reason] += 1
            self._count(documents=len(batch), unchanged_documents=len(batch) - len(changed))
            on_document(len(batch) - len(changed))
            if changed:
                # a second indexer is refused now, not after it has embedded everything
                self._store.claim()
                yield from self._embed(changed, on_document)

    def _why_embed(
        self, document: CleanedDocument, held: Mapping[str, Held], *, replacing: bool
    ) -> Reason | None:
        """None when all points are there as they must be."""
        wanted = self._chunking.fingerprint(document)
        found = held.get(document.id)
        if found is None:
            return "another encoder" if replacing else "new"
        if found.is_complete(wanted):
            return None
        if wanted in found.fingerprints:
            return "incomplete"
        return why_embedded(found.fingerprints[0], wanted)

    def _embed(
        self, documents: Sequence[CleanedDocument], on_document: OnDocument
    ) -> Iterator[Record]:
        """Windows of many documents are embedded together: short ones fill the batches of long ones."""
        waiting: dict[str, int] = {}
        windows: list[Window] = []
        for document in documents:
            chunks = self._chunking.dispatch(document)
            of_document = self._embedding.windows(chunks)
            if not of_document:
                raise DataError(f"{document.link}: {len(document.text)} characters gave no chunk")
            waiting[document.id] = len(of_document)
            windows += of_document
            self._count(embedded_documents=1, embedded=len(chunks))
        for record in self._embedding.dispatch(windows):
            yield record
            document_id = record.payload["document_id"]
            waiting[document_id] -= 1
            self._count(windows=1)
            on_document(waiting[document_id] == 0)

    def _count(self, **more: int) -> None:
        counted = {name: getattr(self.report, name) + number for name, number in more.items()}
        self.report = self.report.model_copy(update={**counted, "why": dict(self._why)})

    def load_chunks(self, records: Iterable[Record]) -> LoadReport:
        """Embedded windows into this encoder's collections, which go live when nothing is missing in them.

        New points are written and counted before the stale ones of their documents go, and those of documents that
        are not in the cleaned collections: a search in between finds the document.
        """
        refuse_earlier_layout(self._store, self._table)
        loaded = self._write(records)
        stale = {c.name: self._stale(c, loaded[c.name]) for c in self._table.values()}
        waiting = sum(one.waiting for one in stale.values())
        replacing = self._another_is_live()
        if not replacing:
            self._publish_elsewhere({category for category, one in stale.items() if one.points})
        for category, one in stale.items():
            name = self._collection(self._table[category])
            for start in range(0, len(one.points), WRITE_BATCH):
                self._store.delete(name, one.points[start : start + WRITE_BATCH])
        reweighed_chunks = sum(map(self._reweigh, self._table.values()))
        collections = self._publish(self._table.values())
        if not (replacing and waiting):
            self._go_live()
        written = sum(sum(found.values()) for found in loaded.values())
        return LoadReport(
            collections=collections,
            given=written,
            written=written,
            removed=sum(len(one.points) for one in stale.values()),
            gone=sum(one.gone for one in stale.values()),
            reweighed=reweighed_chunks,
            switched=replacing and not waiting,
            waiting=waiting,
        )

    def unsettled(self, category: Category) -> set[str]:
        """Documents whose points a complete run would write or remove: new, edited, not whole or gone."""
        held, wanted = self._held(category), self._wanted(category)
        settled = {
            one
            for one, found in held.items()
            if found.fingerprints == [wanted.get(one)] and found.is_complete(wanted[one])
        }
        return (held.keys() | wanted.keys()) - settled

    def _publish(self, categories: Iterable[Category]) -> dict[str, int]:
        return published(self._store, map(self._collection, categories))

    def _publish_elsewhere(self, losing: set[str]) -> None:
        """Publish what other categories gained before these lose points.

        Readers see one collection after the other, and a document may have changed its category, perhaps in a run that
        was killed: it must not be found in neither.
        """
        if losing:
            self._publish(c for c in self._table.values() if losing - {c.name})
            self._go_live()

    def _write(self, records: Iterable[Record]) -> dict[str, Counter[tuple[str, str]]]:
        """For each category, how many points of which document, with which fingerprint, were written."""
        loaded: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
        references: dict[str, int] = {}
        stream = iter(records)
        while batch := list(islice(stream, WRITE_BATCH)):
            groups: dict[str, list[Record]] = defaultdict(list)
            for record in batch:
                payload = record.payload
                category = category_named(payload["category"], self._table)
                groups[category.name].append(record)
                loaded[category.name][payload["document_id"], payload["fingerprint"]] += 1
            for name, group in groups.items():
                category = self._table[name]
                collection = self._collection(category)
                self._store.ensure(collection, chunk_spec(category, self._embedder))
                if name not in references:
                    references[name] = reference_of(self._store, collection, group)
                self._store.upsert(collection, [weighed(one, references[name]) for one in group])
        return loaded

    def _reweigh(self, category: Category) -> int:
        """Weigh the words of all chunks by the length that they now have in the mean; how many had another one."""
        name = self._collection(category)
        changed, done = reweighed(self._store, name), 0
        while some := list(islice(changed, WRITE_BATCH)):
            done += self._store.upsert(name, some)
        return done

    def _stale(self, category: Category, loaded: Mapping[tuple[str, str], int]) -> _Stale:
        """What to remove. Raises DataError when a loaded point is not there."""
        held = self._held(category)
        missing = sum(
            max(0, count - (held[document].counts[fingerprint] if document in held else 0))
            for (document, fingerprint), count in loaded.items()
        )
        if missing:
            raise DataError(
                f"{self._collection(category)}: {missing} of {sum(loaded.values())} points were not stored; "
                "nothing was removed, run the feature engineering pipeline again"
            )
        wanted = dict(loaded.keys()) | self._wanted(category)
        known = category.cleaned_collection in self._store.collections()
        gone = {one for one in held if one not in wanted} if known else set()
        replaced = {
            one
            for one, found in held.items()
            if one in wanted and found.is_complete(wanted[one]) and len(found.fingerprints) > 1
        }
        points = self._points(category, gone | replaced, {one: wanted[one] for one in replaced})
        whole = sum(1 for one, fp in wanted.items() if one in held and held[one].is_complete(fp))
        return _Stale(points, len(gone), len(wanted) - whole)

    def _points(
        self, category: Category, documents: set[str], keep: Mapping[str, str]
    ) -> list[str]:
        """Ids of all points of these documents but those with the fingerprint to keep."""
        found, ids = sorted(documents), []
        for start in range(0, len(found), LOOKUP_BATCH):
            some = found[start : start + LOOKUP_BATCH]
            for record in self._store.scan(
                self._collection(category),
                where={"document_id": some},
                fields=("document_id", "fingerprint"),
            ):
                if keep.get(record.payload["document_id"]) != record.payload["fingerprint"]:
                    ids.append(record.id)
        return ids

    def _wanted(self, category: Category) -> dict[str, str]:
        """The fingerprint that the points of each cleaned document must have."""
        settings = self._chunking.settings(category)
        found = self._store.scan(category.cleaned_collection, fields=("fingerprint",))
        return {r.id: points_fingerprint(r.payload["fingerprint"], settings) for r in found}

    def _go_live(self) -> None:
        """Let the documented names mean this encoder's collections."""
        there, aliases = self._store.collections(), self._store.aliases()
        targets: dict[str, str | None] = {}
        for category in self._table.values():
            name = self._collection(category)
            target = name if name in there else None
            if aliases.get(category.chunk_collection) != target:
                targets[category.chunk_collection] = target
        if targets:
            self._store.point_aliases(targets)

    def _another_is_live(self) -> bool:
        aliases = self._store.aliases()
        return any(
            aliases.get(category.chunk_collection, ours) != ours
            for category in self._table.values()
            if (ours := self._collection(category))
        )

    def _held(self, category: Category) -> dict[str, Held]:
        return held_documents(self._store, self._collection(category))

    def _collection(self, category: Category) -> str:
        return own_collection(category, self._embedder, self._store)
