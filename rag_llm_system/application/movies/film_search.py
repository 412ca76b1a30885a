"""Films of the vector store: nearest to a vector, by words, and their own vectors."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rag_llm_system.application.rag.fusion import Candidate
from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.ports import VectorStore
from rag_llm_system.domain.queries import Hit, Terms, Where

POOL = 200
"""Films that are looked at more closely."""
_FEW = 400
"""So many films are named to the store one by one; more are searched by the filter, and checked afterwards."""
_FIELDS = ("document_id", "chunk_id", "window")


@dataclass(frozen=True)
class Found:
    """The point of a film that is nearest to the vector, and the film's score for the words in units of the rarest."""

    document_id: str
    chunk_id: str
    window: int
    cosine: float
    words: float = 0.0

    def chunk(self, category: str) -> Candidate:
        return Candidate(self.chunk_id, category, self.cosine, self.words, self.window)


@dataclass(frozen=True)
class Allowed:
    """The films that may be found, and the filter that all of them meet."""

    ids: Collection[str]
    where: Where

    @property
    def are_few(self) -> bool:
        return len(self.ids) <= _FEW

    @property
    def filter(self) -> Where:
        return {"document_id": sorted(self.ids)} if self.are_few else self.where


class FilmSearch:
    """Searches one collection; a film that several points stand for is found once, by its best."""

    def __init__(self, store: VectorStore, name: str) -> None:
        self._store, self._name = store, name

    def near(self, vector: Vectors, allowed: Allowed, pool: int = POOL) -> dict[str, Found]:
        """The ``pool`` nearest films of those that are allowed, or all of them."""

        def search(limit: int) -> list[Hit]:
            return self._store.search(
                self._name, vector, limit=limit, where=allowed.filter, fields=_FIELDS
            )

        return self._films(search, allowed, pool)

    def near_of(self, vector: Vectors, ids: Collection[str]) -> dict[str, Found]:
        """These films, with their nearness."""
        return (
            self.near(vector, Allowed(ids, {"document_id": sorted(ids)}), len(ids)) if ids else {}
        )

    def worded(self, terms: Terms, allowed: Allowed, pool: int = POOL) -> dict[str, float]:
        """The BM25 scores of the ``pool`` best allowed films."""

        def search(limit: int) -> list[Hit]:
            (hits,) = self._store.search_terms(
                self._name, [terms], limit=limit, where=allowed.filter, fields=_FIELDS
            )
            return hits

        found = self._films(search, allowed, pool) if terms else {}
        return {document_id: one.cosine for document_id, one in found.items()}

    def vectors(self, ids: Collection[str]) -> dict[str, Vectors]:
        """By film, shape (n, dimension): one for each of its points."""
        rows: dict[str, list[Sequence[float]]] = {}
        if ids:
            where = {"document_id": sorted(ids)}
            for record in self._store.scan(
                self._name, where=where, fields=("document_id",), with_vectors=True
            ):
                rows.setdefault(record.payload["document_id"], []).append(record.vector)
        return {one: np.array(found, dtype=np.float32) for one, found in rows.items()}

    def _films(
        self, search: Callable[[int], list[Hit]], allowed: Allowed, pool: int
    ) -> dict[str, Found]:
        """From more and more points, until there are as many films as are wanted or there are no more."""
        limit = 2 * min(pool, len(allowed.ids)) + 16
        while True:
            hits = search(limit)
            found: dict[str, Found] = {}
            for hit in hits:
                document_id = hit.payload["document_id"]
                if document_id in allowed.ids:
                    one = Found(
                        document_id, hit.payload["chunk_id"], hit.payload["window"], hit.score
                    )
                    found.setdefault(document_id, one)
            if len(found) >= pool or len(hits) < limit:
                return dict(list(found.items())[:pool])
            limit *= 4


def with_words(near: Mapping[str, Found], words: Mapping[str, float], rarity: float) -> list[Found]:
    return [replace(one, words=words.get(one.document_id, 0.0) / rarity) for one in near.values()]
