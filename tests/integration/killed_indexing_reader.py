"""Reads an index as searches do: is each document there, in one of the versions that it may have?

As a program, ``python -m … STORE FOLDER GENERATION GENERATION``, it reads until its input ends, and says how often it
did and what it missed.
"""

import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from rag_llm_system.domain.ports import VectorStore
from rag_llm_system.infrastructure.vector_stores.factory import VectorStoreFactory
from tests.integration.killed_indexing_corpus import Version, generations, versions

Allowed = Mapping[int, Sequence[Version]]
"""By the key of a document, what it may be found as."""

_LIMIT = 10


def allowed_in(*numbers: int) -> dict[int, list[Version]]:
    """The documents that are in all of these generations."""
    of_each = [versions(number) for number in numbers]
    keys = set.intersection(*(set(found) for found in of_each))
    return {key: [found[key] for found in of_each] for key in sorted(keys)}


def missing(store: VectorStore, allowed: Allowed) -> list[str]:
    """A line for each document that is found in no version as a whole, or not found by a search.

    One collection is read after the other, and all of them twice: what moves from one to another meanwhile is
    found in its new place or, read again, in its old one.
    """
    aliases = sorted({one.collection for found in allowed.values() for one in found})
    seen = [(name, _points(store, name)) for name in aliases * 2]
    hits = _hits(store, aliases * 2, allowed)
    return [
        *(f"document {key} is not whole" for key in allowed if not _is_whole(allowed[key], seen)),
        *(
            f"document {key} is not searched"
            for key in allowed
            if not hits[key] & _ids(allowed[key])
        ),
    ]


def _points(store: VectorStore, name: str) -> frozenset[str]:
    return frozenset(record.id for record in store.scan(name, fields=()))


def _is_whole(found: Sequence[Version], seen: Sequence[tuple[str, frozenset[str]]]) -> bool:
    return any(one.collection == name and one.points <= ids for one in found for name, ids in seen)


def _ids(found: Sequence[Version]) -> frozenset[str]:
    return frozenset().union(*(one.points for one in found))


def _hits(store: VectorStore, names: Sequence[str], allowed: Allowed) -> dict[int, set[str]]:
    """For each document, the ids of what its own first words find."""
    queries = [(key, one.text) for key, found in allowed.items() for one in found]
    hits: dict[int, set[str]] = {key: set() for key in allowed}
    for name in names:
        for (key, _), found in zip(queries, _answers(store, name, queries), strict=True):
            hits[key] |= {hit for hit in found}
    return hits


def _answers(store: VectorStore, name: str, queries: Sequence[tuple[int, str]]) -> list[list[str]]:
    """Embedded by the encoder whose collection answers."""
    target = store.aliases()[name]
    dimension = store.collections()[target].dimension
    encoder = next(g.encoder for g in generations() if g.encoder.dimension == dimension)
    vectors = np.concatenate([encoder.embed([text]) for _, text in queries])
    found = store.search_batch(target, vectors, limit=_LIMIT)
    return [[hit.id for hit in of_query] for of_query in found]


def _wait_for_the_end_of_input(ended: threading.Event) -> None:
    sys.stdin.read()
    ended.set()


def main(backend: str, folder: str, *numbers: str) -> None:
    ended = threading.Event()
    threading.Thread(target=_wait_for_the_end_of_input, args=(ended,), daemon=True).start()
    store = VectorStoreFactory.create(backend, path=Path(folder))
    allowed = allowed_in(*map(int, numbers))
    answers, missed = 0, missing(store, allowed)
    sys.stdout.write("reading\n")
    sys.stdout.flush()
    while not ended.is_set():
        answers += 1
        missed += missing(store, allowed)
    store.close()
    sys.stdout.write("\n".join([str(answers), *missed[:20]]) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
