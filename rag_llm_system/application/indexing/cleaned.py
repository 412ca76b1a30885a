"""The cleaned collections follow the data warehouse: what is new, edited or gone there is so here."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from rag_llm_system.application.indexing.collections import cleaned_spec
from rag_llm_system.application.indexing.reports import LoadReport
from rag_llm_system.application.preprocessing.categories import (
    CATEGORIES,
    Category,
    category_named,
)
from rag_llm_system.application.preprocessing.fingerprints import why_cleaned, words_of
from rag_llm_system.domain.documents import CleanedDocument
from rag_llm_system.domain.errors import DataError
from rag_llm_system.domain.ports import Record, VectorStore

LOOKUP_BATCH = 64
"""Documents whose state is asked of the store at once."""

REMOVABLE = 20
"""So many documents may always go; above that, ``max_removed_share`` decides."""


class CleanedSync:
    """One run over the cleaned documents of some authors, or of all."""

    def __init__(self, store: VectorStore, table: Mapping[str, Category]) -> None:
        self._store = store
        self._table = table
        self._given: dict[str, set[str]] = {category: set() for category in table}
        self._new_texts: Counter[str] = Counter()
        self._why: Counter[str] = Counter()
        self._documents = 0

    def write(self, documents: Iterable[CleanedDocument]) -> None:
        """Insert or replace what differs from the stored, in batches."""
        stream = iter(documents)
        while batch := list(islice(stream, LOOKUP_BATCH)):
            self._documents += len(batch)
            by_category: dict[str, list[CleanedDocument]] = defaultdict(list)
            for document in batch:
                category_named(document.category, self._table)
                self._given[document.category].add(document.id)
                by_category[document.category].append(document)
            for category, group in sorted(by_category.items()):
                self._write_changed(self._table[category], group)

    def _write_changed(self, category: Category, group: Sequence[CleanedDocument]) -> None:
        name = category.cleaned_collection
        ids = [document.id for document in group]
        found = self._store.scan(name, where={"document_id": ids}, fields=("fingerprint",))
        stored = {record.id: str(record.payload["fingerprint"]) for record in found}
        changed = [d for d in group if stored.get(d.id) != d.fingerprint]
        if not changed:
            return
        self._store.ensure(name, cleaned_spec(category))
        self._store.upsert(name, [_cleaned_record(document) for document in changed])
        for document in changed:
            reason = why_cleaned(stored.get(document.id), document.fingerprint)
            self._why[reason] += 1
            if reason == "new":
                self._new_texts[words_of(document.fingerprint)] += 1

    def remove_gone(self, authors: Sequence[str] | None, max_removed_share: float) -> int:
        """Remove what was not given, of these authors alone where they are named; how many there were.

        Raises DataError, and removes nothing, when that is more than the share of all: a data warehouse that was
        emptied, or another one by mistake, shall not empty the index.
        """
        gone = {category: self._gone(category, authors) for category in self._table.values()}
        number = sum(map(len, gone.values()))
        before = number + self._documents - self._why["new"]
        if number > max(REMOVABLE, max_removed_share * before):
            raise DataError(
                f"{number} of {before} documents of the index are no longer in the data warehouse; nothing was "
                "removed. If that is meant, allow it: --set max_removed_share=1"
            )
        for category, removed in gone.items():
            self._count_moved(removed.values())
            ids = list(removed)
            for start in range(0, len(ids), LOOKUP_BATCH):
                self._store.delete(category.cleaned_collection, ids[start : start + LOOKUP_BATCH])
        return number

    def _gone(self, category: Category, authors: Sequence[str] | None) -> dict[str, str]:
        """Id to fingerprint of what is stored and was not given."""
        where = None if authors is None else {"author_id": list(authors)}
        found = self._store.scan(category.cleaned_collection, where=where, fields=("fingerprint",))
        given = self._given[category.name]
        return {r.id: str(r.payload["fingerprint"]) for r in found if r.id not in given}

    def _count_moved(self, fingerprints: Iterable[str]) -> None:
        for fingerprint in fingerprints:
            text = words_of(fingerprint)
            if self._new_texts[text]:
                self._new_texts[text] -= 1
                self._why["new"] -= 1
                self._why["moved"] += 1

    def report(self, gone: int) -> LoadReport:
        """Publishes, also what an earlier run wrote and did not live to publish."""
        written = self._why.total()
        return LoadReport(
            collections=published(
                self._store, [c.cleaned_collection for c in self._table.values()]
            ),
            given=self._documents,
            written=written,
            unchanged=self._documents - written,
            removed=gone,
            gone=gone,
            why=dict(sorted((+self._why).items())),
        )


def published(store: VectorStore, names: Iterable[str]) -> dict[str, int]:
    """Publish those of these collections that exist; their sizes."""
    there = sorted(set(names) & set(store.collections()))
    for name in there:
        store.publish(name)
    return {name: store.count(name) for name in there}


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
