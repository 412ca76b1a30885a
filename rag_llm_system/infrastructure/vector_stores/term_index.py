"""Terms of points in memory, searched by BM25: for stores whose engine has no search for terms."""

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from rag_llm_system.domain.queries import Terms

Key = TypeVar("Key", bound=Hashable)

_TERM_BYTES = 8

_Numbers = npt.NDArray[np.uint32]
_Places = npt.NDArray[np.int32]
_Weights = npt.NDArray[np.float32]


def packed(terms: Terms) -> bytes:
    """Numbers of the terms, then their weights, 32 bits each."""
    numbers = np.fromiter(terms.keys(), dtype="<u4", count=len(terms))
    return numbers.tobytes() + np.fromiter(terms.values(), "<f4", len(terms)).tobytes()


def unpacked(terms: bytes) -> dict[int, float]:
    numbers, weights = _halves([terms])
    return dict(zip(numbers.tolist(), weights.tolist(), strict=True))


def settled(found: list[tuple[str, float]], limit: int) -> list[tuple[str, float]]:
    """The first ``limit`` of what :meth:`TermIndex.best` found, ties by key."""
    return sorted(found, key=lambda one: (-one[1], one[0]))[:limit]


class TermIndex(Generic[Key]):
    """Points by their terms. Not safe for threads.

    A point has a place; one that is replaced gets a new place. Postings cover ranges of places, each at least twice as
    large as the next, so that a posting is sorted again only a few times while the index grows (the logarithmic method,
    Bentley and Saxe 1980).
    """

    def __init__(self) -> None:
        self._keys: list[Key] = []  # by place
        self._places: dict[Key, int] = {}
        self._alive = np.zeros(0, dtype=bool)  # by place
        self._postings: list[_Postings] = []

    def __len__(self) -> int:
        """How many points have terms."""
        return len(self._places)

    def keys(self) -> set[Key]:
        return set(self._places)

    def put(self, points: Mapping[Key, bytes]) -> None:
        """Add or replace points, given with their packed terms. One without terms is not kept."""
        self.remove(points)
        new = {key: terms for key, terms in points.items() if terms}
        if not new:
            return
        first = len(self._keys)
        self._keys += new
        self._places.update(zip(new, range(first, len(self._keys)), strict=True))
        self._alive = np.concatenate([self._alive, np.ones(len(new), dtype=bool)])
        self._postings.append(_of_points(first, list(new.values())))
        self._tidy()

    def remove(self, keys: Iterable[Key]) -> None:
        """A key that no point has is passed over."""
        places = [self._places.pop(key) for key in keys if key in self._places]
        self._alive[places] = False

    def best(
        self, query: Terms, count: int, among: Iterable[Key] | None = None
    ) -> list[tuple[Key, float]]:
        """The ``count`` best points for the query, and all that tie with the last of them, best first.

        ``among`` restricts which points are found, not what the weight of a term is computed from.
        """
        scores = np.zeros(len(self._keys))
        # in one order, so that equal points score the same to the last bit
        for number, weight in sorted(query.items()):
            found = [postings.of(number) for postings in self._postings]
            frequency = sum(int(np.count_nonzero(self._alive[at])) for at, _ in found)
            factor = weight * _idf(len(self._places), frequency)
            for at, weights in found:
                scores[at] += np.multiply(factor, weights, dtype=np.float64)
        scores[~self._wanted(among)] = 0.0
        places = np.flatnonzero(scores)
        if len(places) > count:
            cut = np.partition(scores[places], -count)[-count]
            places = places[scores[places] >= cut]
        places = places[np.argsort(-scores[places], kind="stable")]
        keys = [self._keys[place] for place in places.tolist()]
        return list(zip(keys, scores[places].tolist(), strict=True))

    def _wanted(self, among: Iterable[Key] | None) -> npt.NDArray[np.bool_]:
        if among is None:
            return self._alive
        wanted = np.zeros(len(self._keys), dtype=bool)
        wanted[[self._places[key] for key in among if key in self._places]] = True
        return wanted

    def _tidy(self) -> None:
        if len(self._keys) > 2 * len(self._places):
            self._renumber()
        while len(self._postings) > 1 and len(self._postings[-2]) < 2 * len(self._postings[-1]):
            self._postings[-2:] = [_merged(self._postings[-2:], self._alive)]

    def _renumber(self) -> None:
        """Let go of the places that points have left."""
        merged = _merged(self._postings, self._alive)
        new_places = (np.cumsum(self._alive) - 1).astype(np.int32)
        self._postings = [replace(merged, places=new_places[merged.places])]
        self._keys = list(self._places)
        self._places = {key: place for place, key in enumerate(self._keys)}
        self._alive = np.ones(len(self._keys), dtype=bool)


@dataclass(frozen=True)
class _Postings:
    """Where each term occurs and with which weight: those of ``terms[i]`` from ``starts[i]`` to ``starts[i + 1]``."""

    terms: _Numbers  # sorted, each once
    starts: npt.NDArray[np.int64]
    places: _Places
    weights: _Weights

    def __len__(self) -> int:
        return len(self.places)

    def of(self, term: int) -> tuple[_Places, _Weights]:
        found = int(np.searchsorted(self.terms, np.uint32(term)))
        if found == len(self.terms) or self.terms[found] != term:
            return self.places[:0], self.weights[:0]
        where = slice(self.starts[found], self.starts[found + 1])
        return self.places[where], self.weights[where]


def _of_points(first_place: int, points: Sequence[bytes]) -> _Postings:
    terms, weights = _halves(points)
    sizes = [len(one) // _TERM_BYTES for one in points]
    places = np.arange(first_place, first_place + len(points), dtype=np.int32)
    return _inverted(terms, np.repeat(places, sizes), weights)


def _merged(parts: Sequence[_Postings], alive: npt.NDArray[np.bool_]) -> _Postings:
    terms = np.concatenate([np.repeat(one.terms, np.diff(one.starts)) for one in parts])
    places = np.concatenate([one.places for one in parts])
    weights = np.concatenate([one.weights for one in parts])
    kept = alive[places]
    return _inverted(terms[kept], places[kept], weights[kept])


def _inverted(terms: _Numbers, places: _Places, weights: _Weights) -> _Postings:
    order = np.argsort(terms, kind="stable")
    different, starts = np.unique(terms[order], return_index=True)
    return _Postings(different, np.append(starts, len(terms)), places[order], weights[order])


def _halves(points: Sequence[bytes]) -> tuple[_Numbers, _Weights]:
    """The terms of all these points in a row, and their weights."""
    numbers = b"".join(one[: len(one) // 2] for one in points)
    weights = b"".join(one[len(one) // 2 :] for one in points)
    return np.frombuffer(numbers, dtype="<u4"), np.frombuffer(weights, dtype="<f4")


def _idf(points: int, with_term: int) -> float:
    return math.log1p((points - with_term + 0.5) / (with_term + 0.5))
