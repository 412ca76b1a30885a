"""Finds what may answer a question: every collection searched by meaning and by words, at the same time."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import TypeVar

from rag_llm_system.application.rag.fusion import Candidate, rarity
from rag_llm_system.application.rag.sizes import Sizes
from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.ports import VectorStore
from rag_llm_system.domain.queries import Hit, Terms, Where

T = TypeVar("T")

_POINTS_PER_CHUNK = 8
"""A long chunk is several points: so many of each given chunk are asked for, and more where it has more."""

_DIGITS = 5
"""Of scores: in the seventh, stores differ with the order in which they add up, and equal chunks would not be equal."""

_FIELDS = ("chunk_id", "window")


Worded = Mapping[str, Mapping[str, Hit]]
"""What has the question's words: by category, then by chunk id."""


@dataclass(frozen=True)
class Asked:
    """A question as the stores see it. Each search brings ``pool`` points of a collection, or more for ``k`` chunks."""

    terms: Terms
    where: Where
    k: int
    pool: int


def find_words(store: VectorStore, collections: Mapping[str, str], asked: Asked) -> Worded:
    """The half of a search that needs no encoder."""
    return each(collections, lambda _, name: _Collection(store, name).worded(asked))


def find(
    store: VectorStore,
    collections: Mapping[str, str],
    asked: Asked,
    vector: Vectors,
    worded: Worded,
    *,
    sizes: Sizes,
    by_meaning: bool = True,
) -> list[Candidate]:
    """Candidates of the collections (by category), each with both of its scores, in no order.

    What was found by its words before and, ``by_meaning``, what is nearest to the vector.
    """

    def of_one(category: str, name: str) -> list[Candidate]:
        collection = _Collection(store, name, category, sizes.of(name))
        near = collection.near(asked, vector) if by_meaning else {}
        return collection.candidates(asked, vector, near, worded.get(category, {}))

    searched = each(collections, of_one)
    return [one for category in sorted(searched) for one in searched[category]]


def each(collections: Mapping[str, str], use: Callable[[str, str], T]) -> dict[str, T]:
    """What ``use(category, collection)`` gives for each, at the same time."""
    if len(collections) < 2:
        return {category: use(category, name) for category, name in collections.items()}
    with ThreadPoolExecutor(len(collections)) as pool:
        # each thread gets the caller's context, or its spans would start traces of their own
        running = {
            category: pool.submit(copy_context().run, use, category, name)
            for category, name in collections.items()
        }
        return {category: future.result() for category, future in running.items()}


class _Collection:
    """One collection of chunks, searched."""

    def __init__(self, store: VectorStore, name: str, category: str = "", points: int = 0) -> None:
        self._store, self._name, self._category, self._points = store, name, category, points

    def near(self, asked: Asked, vector: Vectors) -> dict[str, Hit]:
        return self._nearest(vector, asked.where, max(asked.pool, asked.k), asked.k)

    def candidates(
        self, asked: Asked, vector: Vectors, near: Mapping[str, Hit], worded: Mapping[str, Hit]
    ) -> list[Candidate]:
        """What either search found, with the score of the other one as well."""
        found = sorted(near.keys() | worded.keys())
        near = {**near, **self._near_of([one for one in found if one not in near], vector)}
        words = dict(worded)
        if len(worded) >= asked.pool:  # what is not among the best may still have some of the words
            words |= self._worded_of([one for one in found if one not in worded], asked)
        scale = rarity(self._points)
        return [
            Candidate(
                chunk_id=one,
                category=self._category,
                cosine=round(near[one].score, _DIGITS),
                words=round(words[one].score / scale, _DIGITS) if one in words else 0.0,
                window=near[one].payload["window"],
            )
            for one in found
            if one in near  # or it was removed between the two searches
        ]

    def worded(self, asked: Asked) -> dict[str, Hit]:
        return self._search_words(asked, asked.pool, asked.where)

    def _near_of(self, chunk_ids: Sequence[str], vector: Vectors) -> dict[str, Hit]:
        if not chunk_ids:
            return {}
        wanted = len(chunk_ids)
        return self._nearest(vector, {"chunk_id": chunk_ids}, _POINTS_PER_CHUNK * wanted, wanted)

    def _nearest(self, vector: Vectors, where: Where, limit: int, chunks: int) -> dict[str, Hit]:
        """From the ``limit`` nearest points, or from more where those are of fewer chunks."""
        while True:
            hits = self._store.search(self._name, vector, limit=limit, where=where, fields=_FIELDS)
            best = _best_windows(hits)
            if len(best) >= chunks or len(hits) < limit:
                return best
            limit *= 2

    def _worded_of(self, chunk_ids: Sequence[str], asked: Asked) -> dict[str, Hit]:
        if not chunk_ids:
            return {}
        return self._search_words(asked, len(chunk_ids), {"chunk_id": chunk_ids})

    def _search_words(self, asked: Asked, limit: int, where: Where) -> dict[str, Hit]:
        if not asked.terms:
            return {}
        (hits,) = self._store.search_terms(
            self._name, [asked.terms], limit=limit, where=where, fields=_FIELDS
        )
        return {hit.payload["chunk_id"]: hit for hit in hits}


def _best_windows(hits: Sequence[Hit]) -> dict[str, Hit]:
    """By chunk, best first."""
    best: dict[str, Hit] = {}
    for hit in hits:
        best.setdefault(hit.payload["chunk_id"], hit)
    return best
