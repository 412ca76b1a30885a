"""Indexes a generation into a store and is killed on the way: ``python -m … STORE FOLDER GENERATION [POINT]``.

It says on its output when it begins and before each call that writes, so that a parent can kill it inside of one.
"""

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from rag_llm_system.application.indexing import Indexer, chunks, cleaned
from rag_llm_system.domain.ports import VectorStore
from rag_llm_system.infrastructure.vector_stores.factory import VectorStoreFactory
from tests.integration.killed_indexing_corpus import Generation, generations

Moment = Literal["before", "after"]
WRITES = {"ensure", "upsert", "delete", "delete_where", "publish"}
WRITE_BATCH, LOOKUP_BATCH = 32, 3  # a few documents fill several batches


@dataclass(frozen=True)
class Point:
    """The ``nth`` such call, of the store on one kind of collection, or of the run's own stages."""

    moment: Moment
    call: str
    of: str
    nth: int = 1


POINTS = {
    "before anything is made": Point("before", "ensure", "cleaned"),
    "when the first collection is made": Point("after", "ensure", "cleaned"),
    "between upserts of cleaned documents": Point("after", "upsert", "cleaned", 2),
    "between deletes of cleaned documents": Point("after", "delete", "cleaned"),
    "before cleaned documents are published": Point("before", "publish", "cleaned"),
    "between publications of cleaned documents": Point("after", "publish", "cleaned"),
    "before embedding": Point("before", "embed", "run"),
    "after embedding": Point("after", "embed", "run"),
    "when the first chunk collection is made": Point("after", "ensure", "chunks"),
    "between upserts of chunks": Point("after", "upsert", "chunks", 2),
    "before stale chunks are deleted": Point("before", "delete", "chunks"),
    "between deletes of stale chunks": Point("after", "delete", "chunks"),
    "before chunks are published": Point("before", "publish", "chunks"),
    "between publications of chunks": Point("after", "publish", "chunks"),
    "before the aliases are pointed": Point("before", "point_aliases", "chunks"),
    "when the aliases are pointed": Point("after", "point_aliases", "chunks"),
    "at the end": Point("after", "load", "run"),
}


class Watch:
    """Counts calls, says them, and kills its process at the point."""

    def __init__(self, point: Point | None) -> None:
        self._point = point
        self._seen: dict[tuple[str, str, str], int] = {}

    def reach(self, moment: Moment, call: str, of: str) -> None:
        nth = self._seen[moment, call, of] = self._seen.get((moment, call, of), 0) + 1
        if moment == "before":
            sys.stdout.write(f"{call} {of}\n")
            sys.stdout.flush()
        if Point(moment, call, of, nth) == self._point:
            os.kill(os.getpid(), signal.SIGKILL)


class WatchedStore:
    """The store, with each call that writes announced to the watch."""

    def __init__(self, store: VectorStore, watch: Watch) -> None:
        self._store, self._watch = store, watch

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if name in WRITES:
            return lambda collection, *rest: self._call(
                name, kind_of(collection), lambda: method(collection, *rest)
            )
        if name == "point_aliases":
            return lambda targets: self._call(name, "chunks", lambda: method(targets))
        return method

    def _call(self, name: str, of: str, write: Callable[[], Any]) -> Any:
        self._watch.reach("before", name, of)
        result = write()
        self._watch.reach("after", name, of)
        return result


def kind_of(collection: str) -> str:
    return "cleaned" if collection.startswith("cleaned_") else "chunks"


def index(generation: Generation, store: VectorStore, watch: Watch) -> None:
    indexer = Indexer(
        cast(VectorStore, WatchedStore(store, watch)), generation.encoder, generation.table
    )
    documents = list(generation.cleaned().values())
    indexer.load_cleaned(documents)
    watch.reach("before", "embed", "run")
    records = list(indexer.embed_changed(documents))
    watch.reach("after", "embed", "run")
    indexer.load_chunks(records)
    watch.reach("after", "load", "run")


def main(backend: str, folder: str, number: str, point: str = "") -> None:
    chunks.WRITE_BATCH = WRITE_BATCH
    for module in (chunks, cleaned):
        module.LOOKUP_BATCH = LOOKUP_BATCH  # type: ignore[attr-defined]
    generation = generations()[int(number)]
    generation.cleaned()
    store = VectorStoreFactory.create(backend, path=Path(folder))
    sys.stdout.write("begins\n")
    sys.stdout.flush()
    index(generation, store, Watch(POINTS[point] if point else None))
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
