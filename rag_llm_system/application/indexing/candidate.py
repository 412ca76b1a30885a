"""A change of the index that is judged before it counts: ``load_candidate``, then ``go_live`` or ``take_back``.

A great change of a live collection is written into a copy beside it, its twin; the aliases move there when it was
accepted, those of all categories in one step. What was live until then stays until the next change: a search that
began in it ends in it. A small change is written in place, where a copy would cost more than the change itself; what
it replaces is kept beside first (``kept.py``). What is not live, a first index or that of another encoder, is written
as it is, and goes live when it was accepted.

Nothing of this is remembered anywhere but in the store: what a run that died left unjudged the next one takes back.
"""

from collections.abc import Iterable, Mapping

from rag_llm_system.application.indexing.candidate_store import CandidateStore, Change
from rag_llm_system.application.indexing.chunks import Indexer
from rag_llm_system.application.indexing.collections import own_collection, twin_of
from rag_llm_system.application.indexing.kept import absent_before, documents_in, kept_of, put_back
from rag_llm_system.application.indexing.reports import Candidate, LoadReport
from rag_llm_system.application.preprocessing.categories import CATEGORIES, Category
from rag_llm_system.domain.ports import Embedder, Record, VectorStore

IN_PLACE_SHARE = 0.05
"""Of a category's documents: up to here a change is written in place. A copy of 8,000 points takes Qdrant Edge 5 s; of
30,000, with the graph that searches them, 65 s (two processor cores)."""


def load_candidate(
    store: VectorStore,
    embedder: Embedder,
    records: Iterable[Record],
    table: Mapping[str, Category] = CATEGORIES,
) -> LoadReport:
    """As ``Indexer.load_chunks``, but answers still come from what is live; the report's ``candidate`` says how."""
    indexer = Indexer(store, embedder, table)
    changes = {
        own_collection(category, embedder, store): _change(store, category, indexer)
        for category in table.values()
    }
    view = CandidateStore(store, changes=changes)
    report = Indexer(view, embedder, table).load_chunks(records)
    return report.model_copy(update={"candidate": view.candidate})


def go_live(store: VectorStore, candidate: Candidate) -> None:
    """Let answers come from the candidate, from all of its collections at once."""
    before = store.aliases()
    wanted = {**before, **candidate.pointed}
    targets = {alias: candidate.beside.get(name or "", name) for alias, name in wanted.items()}
    changed = {alias: name for alias, name in targets.items() if before.get(alias) != name}
    if changed:
        store.point_aliases(changed)
    for collection in candidate.in_place:
        store.drop(kept_of(collection))
    for alias in changed.keys() & before.keys():
        if (spare := twin_of(before[alias])) != changed[alias]:
            store.drop(spare)  # of the encoder that was live, from before its last change


def take_back(store: VectorStore, candidate: Candidate | None = None) -> list[str]:
    """Leave the index as it was before the candidate (None: before one whose run died); the collections put back."""
    for twin in sorted(candidate.beside.values()) if candidate else ():
        store.drop(twin)
    return put_back(store)


def documents_before(store: VectorStore, candidate: Candidate) -> set[str]:
    """Ids of the documents in the index that the candidate is to replace."""
    found: set[str] = set()
    for collection in store.aliases().values():
        added = absent_before(store, collection) if collection in candidate.in_place else set()
        found |= documents_in(store, collection) - added
    return found


def _change(store: VectorStore, category: Category, indexer: Indexer) -> Change:
    documents = frozenset(indexer.unsettled(category))
    small = len(documents) <= IN_PLACE_SHARE * store.count(category.cleaned_collection)
    return Change(documents=documents, beside=not small)
