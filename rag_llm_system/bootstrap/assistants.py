"""The assistants beside that of the documents: one for code bases, one for films."""

from contextlib import AbstractContextManager, closing, nullcontext
from typing import TYPE_CHECKING

from rag_llm_system.application.code.category import CODE, code_table
from rag_llm_system.application.code.code_retriever import CodeRetriever
from rag_llm_system.application.code.query_engine import CodeQueryEngine
from rag_llm_system.application.code.vectorizer import CodeVectorizer
from rag_llm_system.application.movies.assistant import MovieAssistant
from rag_llm_system.application.movies.layout import LayoutWriter
from rag_llm_system.application.movies.preferences import Preferences
from rag_llm_system.application.movies.prompt import LLMFilmWriter
from rag_llm_system.application.movies.recommender import FilmRecommender
from rag_llm_system.application.movies.writing import FilmWriter
from rag_llm_system.application.preprocessing.categories import CATEGORIES
from rag_llm_system.application.preprocessing.chunking_data_handlers import ChunkSize, Tokens
from rag_llm_system.application.rag.asking import Assistant
from rag_llm_system.bootstrap.backends import vector_store
from rag_llm_system.bootstrap.language_models import EXTRACTIVE
from rag_llm_system.bootstrap.retrieval import follow_up, reranking, retriever, stages
from rag_llm_system.domain.errors import MissingFile, UnknownName
from rag_llm_system.domain.ports import VectorStore
from rag_llm_system.domain.queries import Stages
from rag_llm_system.settings import Settings

if TYPE_CHECKING:
    from rag_llm_system.bootstrap.system import System


DOCUMENTS, CODE_BASES, FILMS = "documents", "code", "movies"

_LACKING = {
    CODE_BASES: (CODE, "no code base is indexed yet; index one: poe code-index -- PATH"),
    FILMS: (CATEGORIES["movies"], "no films are indexed yet; index some: poe movies-index"),
}
"""What each answers from, and what to do where there is none."""


def assistant_named(system: "System", name: str) -> Assistant:
    if name not in (DOCUMENTS, *_LACKING):
        raise UnknownName("assistant", name, (DOCUMENTS, *_LACKING))
    if name not in available(system.vectors):
        raise MissingFile(_LACKING[name][1])
    if name == CODE_BASES:
        return system.code_engine.answering
    return system.movies if name == FILMS else system.answering


def available(store: VectorStore) -> list[str]:
    """The assistants that have something to answer from; that of the documents says itself where there is nothing."""
    live = store.aliases()
    return [
        DOCUMENTS,
        *(name for name, (category, _) in _LACKING.items() if category.chunk_collection in live),
    ]


def code_engine(system: "System") -> CodeQueryEngine:
    """Which code base is meant is said apart, by its name: nothing of the question is taken as a condition."""
    settings = system.settings
    table = code_table(_chunk_size(settings))
    found = retriever(system, _code_stages(settings), table)
    return CodeQueryEngine(
        CodeRetriever(found, system.vectors, system.tracer, table),
        system.writer_of(settings.CODE_MAX_TOKENS, settings.CODE_TEMPERATURE),
        system.tracer,
        num_ctx=settings.CODE_NUM_CTX,
        top_k=settings.CODE_TOP_K,
        follow_up=follow_up(system),
        defence=settings.INJECTION_DEFENCE == "on",
        refuse_ungrounded=settings.UNGROUNDED_ANSWERS == "refuse",
    )


def code_vectorizer(system: "System", store: VectorStore) -> CodeVectorizer:
    return CodeVectorizer(store, system.code_embedder, code_table(_chunk_size(system.settings)))


def movie_assistant(system: "System") -> MovieAssistant:
    """Late interaction is left out: it puts films in no better order."""
    settings = system.settings
    chosen = stages(settings)
    recommender = FilmRecommender(
        system.vectors,
        system.embedder,
        system.films,
        system.tracer,
        hybrid=settings.RANKING != "dense",
        reranking=None if chosen.reranker == "late-interaction" else reranking(system, chosen),
    )
    return MovieAssistant(
        recommender,
        system.film_preferences,
        system.films,
        _film_writer(system),
        system.tracer,
        defence=settings.INJECTION_DEFENCE == "on",
    )


def film_preferences(system: "System") -> Preferences:
    return Preferences(
        lambda: system.documents,
        system.vectors,
        system.embedder,
        catalogue=system.films,
        writing=system.writing,
    )


def _code_stages(settings: Settings) -> Stages:
    """Late interaction finds no more of code than there is without it, and takes three quarters of the time."""
    chosen = stages(settings)
    reranker = "off" if chosen.reranker == "late-interaction" else chosen.reranker
    return chosen.model_copy(update={"self_query": "off", "reranker": reranker})


def _film_writer(system: "System") -> FilmWriter:
    settings = system.settings
    if settings.LLM_BACKEND == EXTRACTIVE:
        return LayoutWriter()
    return LLMFilmWriter(
        system.llm,
        style=settings.MOVIES_PROMPT,
        max_tokens=settings.MOVIES_MAX_TOKENS,
        temperature=settings.MOVIES_TEMPERATURE,
        grounded_decoding=settings.GROUNDED_DECODING == "auto",
    )


def writing(system: "System") -> AbstractContextManager[VectorStore]:
    able = system.vectors.capabilities
    if (able.readers, able.writers) == ("many processes", "one process"):
        return closing(vector_store(system.settings))
    return nullcontext(system.vectors)


def _chunk_size(settings: Settings) -> ChunkSize:
    return Tokens(settings.CODE_CHUNK_TOKENS, overlap=settings.CODE_CHUNK_OVERLAP_TOKENS)
