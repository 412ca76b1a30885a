"""The ways of answering a request for films that are compared, each from the request to the films that a user gets."""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from rag_llm_system.application.evaluation.film_requests import DEPTH
from rag_llm_system.application.movies.assistant import MovieAssistant
from rag_llm_system.application.movies.catalogue import FILMS
from rag_llm_system.application.movies.layout import LayoutWriter
from rag_llm_system.application.movies.preferences import Preferences
from rag_llm_system.application.movies.prompt import LLMFilmWriter
from rag_llm_system.application.movies.recommender import FilmRecommender
from rag_llm_system.application.movies.request import literal, understand
from rag_llm_system.application.movies.writing import FilmWriter
from rag_llm_system.application.preprocessing.categories import CATEGORIES
from rag_llm_system.application.rag.asking import Asked
from rag_llm_system.bootstrap import System
from rag_llm_system.bootstrap.retrieval import reranking, stages
from rag_llm_system.domain.answers import Answer
from rag_llm_system.domain.queries import Query
from rag_llm_system.infrastructure.db.memory import MemoryDocumentStore
from rag_llm_system.infrastructure.llms.scripted import ScriptedLLM
from rag_llm_system.infrastructure.vector_stores.memory import MemoryVectorStore

K = 5
"""Films of an answer where the request names no number: the documents' top 5."""

ALL_ON, DOCUMENTED = "the movie assistant", "the documents' way"
_HYBRID_OFF, _RERANKED = "without hybrid", "with reranking"
_SELF_QUERY_OFF = "without self-query"

INVENTED = """You will love these!

1. **The Glass Meridian** (2031)

   Two clockmakers find a city below the sea. Confidence: 0.99

2. **Inception** (2010)

   A thief steals secrets from dreams.

   Why it matches: everybody likes it. Confidence: 0.97

3. **Nine Lanterns for Odile** (1987)

   A lighthouse keeper falls in love. Confidence: 100 %
"""
"""What a model says that does not look at the films it was given."""

MADE_UP = ("The Glass Meridian", "Nine Lanterns for Odile")
"""Titles of it that no film has."""

_PARTS = 3
"""Vectors of one film among the nearest, at most as good as always: a long text has several."""

_BOLD = re.compile(r"\*\*(?P<title>[^*\n]+)\*\*(?: \((?P<year>\d{4})\))?")
_SURE = re.compile(r"[Cc]onfidence:? *\**:? *(?P<number>[\d.]+(?: ?%)?)")


class Given(NamedTuple):
    """``shown`` are links of the films that the user gets, ``ranking`` of those they come from, best first.

    ``confidences`` are those that were computed for the films of ``text``.
    """

    shown: Sequence[str]
    ranking: Sequence[str]
    seconds: float
    text: str = ""
    confidences: Sequence[str] = ()


Way = Callable[[str, str, int | None], Given]
"""A request, the user who asks it, "" for nobody, and the number of films that it names."""


def kept_preferences(system: System) -> Preferences:
    """In memory: what the benchmark's users have seen is nothing to keep."""
    documents = MemoryDocumentStore()
    return Preferences(
        lambda: documents, MemoryVectorStore(), system.embedder, catalogue=system.films
    )


def ways(system: System, preferences: Preferences) -> Mapping[str, Way]:
    return {
        ALL_ON: _assistant(system, preferences),
        _SELF_QUERY_OFF: _assistant(system, preferences, self_query=False),
        _HYBRID_OFF: _assistant(system, preferences, hybrid=False),
        _RERANKED: _assistant(system, preferences, reranked=True),
        DOCUMENTED: _nearest(system),
    }


def inventing(system: System, preferences: Preferences) -> Way:
    """The assistant, written by a model that makes up titles and confidences."""
    return _assistant(system, preferences, writer=LLMFilmWriter(ScriptedLLM([INVENTED])))


def titles_in(text: str) -> list[tuple[str, str]]:
    """The bold titles of an answer with their years, "" for none."""
    return [(found["title"], found["year"] or "") for found in _BOLD.finditer(text)]


def confidences_in(text: str) -> list[str]:
    return [found["number"].strip(".") for found in _SURE.finditer(text)]


def _assistant(
    system: System,
    preferences: Preferences,
    *,
    self_query: bool = True,
    hybrid: bool = True,
    reranked: bool = False,
    writer: FilmWriter | None = None,
) -> Way:
    recommender = FilmRecommender(
        system.vectors,
        system.embedder,
        system.films,
        system.tracer,
        hybrid=hybrid,
        reranking=reranking(system, stages(system.settings)) if reranked else None,
    )
    assistant = MovieAssistant(
        recommender, preferences, system.films, writer or LayoutWriter(), system.tracer
    )

    def answer(text: str, user: str, _count: int | None) -> Given:
        asked = Asked(query=Query(text=text), k=K, self_query=self_query, user=user)
        started = time.perf_counter()
        given: Answer = assistant.answer(asked)
        seconds = time.perf_counter() - started
        retrieved = assistant.retrieve(asked).context.chunks
        request = understand(text, system.films()) if self_query else literal(text)
        seen = preferences.seen(user) if user else ()
        ranked = recommender.recommend(
            request.model_copy(update={"count": None}), seen=seen, k=DEPTH
        ).candidates
        return Given(
            [source.link for source in given.sources],
            [one.film.link for one in ranked],
            seconds,
            given.text,
            [f"{chunk.relevance:.2f}" for chunk in retrieved],
        )

    return answer


def _nearest(system: System) -> Way:
    """The top 5 by cosine of the request to the texts of the films, and nothing else."""
    collection = CATEGORIES[FILMS].chunk_collection

    def answer(text: str, _user: str, count: int | None) -> Given:
        started = time.perf_counter()
        [vector] = system.embedder.embed([text], role="query")
        hits = system.vectors.search(collection, vector, limit=DEPTH * _PARTS, fields=("link",))
        links = list(dict.fromkeys(str(hit.payload["link"]) for hit in hits))[:DEPTH]
        return Given(links[: count or K], links, time.perf_counter() - started)

    return answer
