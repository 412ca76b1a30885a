"""Finds the films that a request asks for: what must hold holds, and the rest decides the order."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rag_llm_system.application.indexing import live_collections
from rag_llm_system.application.movies.catalogue import FILMS, FilmCatalogue
from rag_llm_system.application.movies.confidence import Evidence, confidence
from rag_llm_system.application.movies.constraints import (
    Constraint,
    constraints,
    filter_of,
    left_out,
    what_is_missing,
)
from rag_llm_system.application.movies.film_search import (
    POOL,
    Allowed,
    FilmSearch,
    Found,
    with_words,
)
from rag_llm_system.application.movies.reasons import reasons
from rag_llm_system.application.movies.scoring import FactScore, words_shared
from rag_llm_system.application.movies.sought import Sought, SoughtReader, similarity
from rag_llm_system.application.preprocessing.categories import CATEGORIES, Category
from rag_llm_system.application.preprocessing.terms import query_terms
from rag_llm_system.application.rag.fusion import rarity
from rag_llm_system.application.rag.passage_texts import load_texts
from rag_llm_system.application.rag.question import encoded
from rag_llm_system.application.rag.reranking import RERANKED, Reranking
from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.errors import ConfigurationError
from rag_llm_system.domain.films import (
    Candidate,
    FilmFacts,
    FilmRequest,
    Recommendations,
    SimilarPreference,
)
from rag_llm_system.domain.ports import Embedder, Tracer, VectorStore

MAX_K = 100
_DIGITS = 5
_SHOWN_DIGITS = 2
_NEAR_TASTE = 0.2
"""Cosine from which on a film is said to match a preference; that of two unrelated texts is about 0.1 with MiniLM."""
_RERANKING = 0.1
"""What the most closely compared film gains beside the one that is compared least well."""


class _Ranked(NamedTuple):
    """A film and what it is ranked by."""

    score: float
    film: FilmFacts
    found: Found

    @property
    def place(self) -> tuple[float, str, int, str]:
        """Best first; ties by title and year. Stores differ in the last digits of a score."""
        return -round(self.score, _DIGITS), self.film.title, self.film.year, self.film.document_id


@dataclass
class _Run:
    """One request on its way."""

    request: FilmRequest
    catalogue: FilmCatalogue
    search: FilmSearch
    collections: Mapping[str, str]
    timings: dict[str, float] = field(default_factory=dict)


class FilmRecommender:
    """``hybrid``: films are searched by words as well; ``reranking``: the best are compared once more. Threads may
    share it."""

    def __init__(
        self,
        store: VectorStore,
        embedder: Embedder,
        catalogue: Callable[[], FilmCatalogue],
        tracer: Tracer,
        *,
        hybrid: bool = True,
        reranking: Reranking | None = None,
        table: Mapping[str, Category] = CATEGORIES,
    ) -> None:
        self._store, self._embedder, self._catalogue = store, embedder, catalogue
        self._sought = SoughtReader(embedder)
        self._tracer = tracer
        self._hybrid, self._reranking = hybrid, reranking
        self._table = {FILMS: table[FILMS]}

    def recommend(
        self,
        request: FilmRequest,
        preferences: Sequence[SimilarPreference] = (),
        seen: Sequence[str] = (),
        k: int = 5,
    ) -> Recommendations:
        """The k films that fit best, the surest first: each meets every constraint, and none is of ``seen`` or named
        in the request. Nothing is relaxed: where fewer are left, ``notes`` say why.

        Raises IncompatibleCollection when the films were indexed with another encoder, ConfigurationError for a k
        that is out of range.
        """
        if not 1 <= k <= MAX_K:
            raise ConfigurationError(f"k is {k}; it must be from 1 to {MAX_K}")
        collections = live_collections(self._store, self._embedder, self._table)
        catalogue = self._catalogue()
        name = collections.get(FILMS, "")
        run = _Run(request, catalogue, FilmSearch(self._store, name), collections)
        met = constraints(request, catalogue)
        known = left_out(request, seen, catalogue)
        allowed = Allowed(_meeting(met, catalogue) - known, filter_of(request, catalogue))
        notes = _notes(met, known, catalogue, len(allowed.ids), k)
        found: tuple[Candidate, ...] = ()
        if allowed.ids:
            found = _surest_first(self._candidates(run, allowed, met, preferences, k))
        return Recommendations(
            request=request,
            candidates=found,
            preferences=tuple(preferences),
            notes=tuple(notes),
            timings_s=run.timings,
        )

    def _candidates(
        self,
        run: _Run,
        allowed: Allowed,
        met: Sequence[Constraint],
        preferences: Sequence[SimilarPreference],
        k: int,
    ) -> Iterator[Candidate]:
        with self._stage("embed", run, subject=run.request.subject):
            wanted = self._sought.read(run.request, preferences, run.catalogue, run.search)
        facts = FactScore(run.request, wanted, run.catalogue)
        with self._stage("search", run, films=len(allowed.ids)) as span:
            ranked = self._ranked(run, wanted, facts, allowed)
            span.record(found=[f"{score:.3f} {film.title}" for score, film, _ in ranked[:10]])
        if self._reranking is not None and wanted.text:
            with self._stage("rerank", run, films=min(len(ranked), RERANKED)):
                ranked = self._reranked(run, self._reranking, wanted.text, ranked)
        best = ranked[:k]
        judging = _Judging(wanted, facts, met, preferences)
        vectors = run.search.vectors([film.document_id for _, film, _ in best])
        for _, film, found in best:
            if film.document_id in vectors:  # or it was removed just now
                yield judging.candidate(film, found, vectors[film.document_id])

    def _ranked(
        self, run: _Run, wanted: Sought, facts: FactScore, allowed: Allowed
    ) -> list[_Ranked]:
        """Best first; ties by title and year."""
        if wanted.is_open:
            near = run.search.near_of(wanted.vector, _best_known(run.catalogue, allowed))
        else:
            near = run.search.near(wanted.vector, allowed)
        words: dict[str, float] = {}
        if self._hybrid:
            words = run.search.worded(query_terms(wanted.words), allowed)
            near |= run.search.near_of(wanted.vector, words.keys() - near.keys())
        ranked = []
        for found in with_words(near, words, rarity(len(run.catalogue))):
            film = run.catalogue.film(found.document_id)
            if film is not None:
                near_it = 0.0 if wanted.is_open else found.cosine
                score = near_it + facts.of(film, found.words)
                ranked.append(_Ranked(score, film, found))
        return sorted(ranked, key=lambda one: one.place)

    def _reranked(
        self, run: _Run, reranking: Reranking, text: str, ranked: list[_Ranked]
    ) -> list[_Ranked]:
        """The first ones in their new order, the others behind them in their old one."""
        chunks = [found.chunk(FILMS) for _, _, found in ranked[:RERANKED]]
        texts = load_texts(self._store, run.collections, chunks)
        top = [one for one in ranked[:RERANKED] if one[2].chunk_id in texts]
        question = encoded(text, self._embedder, with_tokens=reranking.needs_tokens)
        scores = reranking.relevance(
            question,
            run.collections,
            [texts[found.chunk_id] for _, _, found in top],
            [0.0] * len(top),
        )
        least, spread = (
            min(scores, default=0.0),
            max(scores, default=0.0) - min(scores, default=0.0),
        )
        # fewer scores than films: time ran out
        new = [
            one._replace(score=one.score + _RERANKING * (more - least) / (spread or 1.0))
            for one, more in zip(top, scores, strict=False)
        ]
        new.sort(key=lambda one: one.place)
        return [*new, *ranked[len(new) :]]

    @contextmanager
    def _stage(self, name: str, run: _Run, **inputs: Any) -> Iterator[Any]:
        """A span, and its seconds."""
        started = time.perf_counter()
        with self._tracer.span(name, inputs=inputs) as span:
            yield span
        run.timings[name] = time.perf_counter() - started


def _surest_first(best: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """In the order of the confidence that is shown; the score alone chooses the films, and orders equal ones.

    On 35 requests with intended films nDCG@10 was 0.78 in either order, MRR 0.88 in this one, 0.86 in that of scores.
    """
    return tuple(sorted(best, key=lambda one: -round(one.confidence, _SHOWN_DIGITS)))


def _meeting(met: Sequence[Constraint], catalogue: FilmCatalogue) -> frozenset[str]:
    if not met:
        return catalogue.ids
    return frozenset.intersection(*(one.ids for one in met))


def _best_known(catalogue: FilmCatalogue, allowed: Allowed) -> list[str]:
    known = catalogue.prominence
    return sorted(allowed.ids, key=lambda one: (-known.get(one, 0.0), one))[:POOL]


def _notes(
    met: Sequence[Constraint], known: frozenset[str], catalogue: FilmCatalogue, left: int, k: int
) -> list[str]:
    if left >= k or not len(catalogue):
        return []
    if left:
        return [
            f"only {'one film meets' if left == 1 else f'{left} films meet'} all of the request"
        ]
    if not met:
        return ["every film of the index is seen or named in the request"]
    return [what_is_missing(met, catalogue, known)]


@dataclass(frozen=True)
class _Judging:
    """What a film that was found is told and measured by."""

    wanted: Sought
    facts: FactScore
    met: Sequence[Constraint]
    preferences: Sequence[SimilarPreference]

    def candidate(self, film: FilmFacts, found: Found, own: Vectors) -> Candidate:
        """``own``: the vectors of its points."""
        wanted = self.wanted
        tastes = [similarity(own, vector) for vector in wanted.tastes]
        nearest = max(range(len(tastes)), key=lambda n: (tastes[n], -n), default=None)
        if nearest is not None and tastes[nearest] < _NEAR_TASTE:
            nearest = None
        wish = similarity(own, wanted.wish) if wanted.wish is not None else None
        evidence = Evidence(
            wish=wish if wanted.is_described else None,
            kind=None if wanted.is_described else wish,
            liked=max((similarity(own, one) for one in wanted.liked_vectors), default=None),
            unliked=max((similarity(own, one) for one in wanted.unliked_vectors), default=None),
            words=words_shared(wanted.words, film),
            genres=self.facts.genres_shared(film) if wanted.liked else None,
            taste=max(tastes, default=None),
            is_constrained=bool(self.met),
            is_disliked=self.facts.is_disliked(film),
        )
        return Candidate(
            film=film,
            similarity=round(found.cosine, 4),
            confidence=confidence(evidence),
            reasons=tuple(reasons(film, wanted, self.met)),
            preference=self.preferences[nearest] if nearest is not None else None,
        )
