"""Finds what may answer a question: every collection searched by meaning and by words, at the same time."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from typing import TypeVar

from rag_llm_system.application.rag.fusion import Candidate, rarity
from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.ports import VectorStore
from rag_llm_system.domain.queries import Hit, Terms, Where

T = TypeVar("T")

_POINTS_PER_CHUNK = 2
"""A long chunk is several points: so many more are asked for first, and more while that gives too few chunks."""

_FIELDS = ("chunk_id", "window")


@dataclass(frozen=True)
class Asked:
    """A question as the stores see it. ``pool``: how many chunks of a collection either search brings."""

    vector: Vectors
    terms: Terms
    where: Where
    pool: int


def find(
    store: VectorStore, collections: Mapping[str, str], asked: Asked, ranking: str
) -> list[Candidate]:
    """Candidates of the collections (by category), each with both of its scores, in no order.

    A ranking by one search alone (``dense``, ``bm25``) has that one's candidates alone.
    """
    searched = each(
        collections,
        lambda category, name: _Collection(store, name, category).candidates(asked, ranking),
    )
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

    def __init__(self, store: VectorStore, name: str, category: str) -> None:
        self._store, self._name, self._category = store, name, category

    def candidates(self, asked: Asked, ranking: str) -> list[Candidate]:
        near = {} if ranking == "bm25" else self._near(asked)
        worded = {} if ranking == "dense" else self._worded(asked)
        found = sorted(near.keys() | worded.keys())
        near |= self._near_of([one for one in found if one not in near], asked)
        if len(worded) >= asked.pool:  # what is not among the best may still have some of the words
            worded |= self._worded_of([one for one in found if one not in worded], asked)
        scale = rarity(self._store.count(self._name))
        return [
            Candidate(
                chunk_id=one,
                category=self._category,
                cosine=near[one].score,
                words=worded[one].score / scale if one in worded else 0.0,
                window=near[one].payload["window"],
            )
            for one in found
            if one in near  # or it was removed between the two searches
        ]

    def _near(self, asked: Asked) -> dict[str, Hit]:
        """The best window of each of the nearest chunks."""
        limit = asked.pool * _POINTS_PER_CHUNK
        while True:
            hits = self._search(asked, limit, asked.where)
            best = _best_windows(hits)
            if len(best) >= asked.pool or len(hits) < limit:
                return dict(list(best.items())[: asked.pool])
            limit *= 2

    def _near_of(self, chunk_ids: Sequence[str], asked: Asked) -> dict[str, Hit]:
        if not chunk_ids:
            return {}
        limit = len(chunk_ids) * _POINTS_PER_CHUNK
        while True:
            hits = self._search(asked, limit, {"chunk_id": chunk_ids})
            best = _best_windows(hits)
            if len(best) == len(chunk_ids) or len(hits) < limit:
                return best
            limit *= 2

    def _search(self, asked: Asked, limit: int, where: Where) -> list[Hit]:
        return self._store.search(
            self._name, asked.vector, limit=limit, where=where, fields=_FIELDS
        )

    def _worded(self, asked: Asked) -> dict[str, Hit]:
        return self._search_words(asked, asked.pool, asked.where)

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
