"""The system: every part that a use case needs, built from the settings."""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cached_property, lru_cache

from rag_llm_system.application.code.query_engine import CodeQueryEngine
from rag_llm_system.application.code.vectorizer import CodeVectorizer, code_bases
from rag_llm_system.application.crawlers.dispatcher import CrawlerDispatcher
from rag_llm_system.application.crawlers.options import CrawlOptions
from rag_llm_system.application.indexing import Indexer
from rag_llm_system.application.movies.assistant import MovieAssistant
from rag_llm_system.application.movies.catalogue import CurrentCatalogue
from rag_llm_system.application.movies.preferences import Preferences
from rag_llm_system.application.rag.answer import Answering, AnswerWriter, LLMWriter
from rag_llm_system.application.rag.asking import Asked, Assistant
from rag_llm_system.application.rag.context import ContextBuilder
from rag_llm_system.application.rag.extractive import ExtractiveWriter
from rag_llm_system.application.rag.retriever import ContextRetriever
from rag_llm_system.application.rag.self_query import CurrentVocabulary
from rag_llm_system.bootstrap import assistants
from rag_llm_system.bootstrap.backends import (
    embedder,
    embedding_cache,
    token_cache,
    vector_store,
)
from rag_llm_system.bootstrap.language_models import EXTRACTIVE, language_model
from rag_llm_system.bootstrap.retrieval import follow_up, retriever, stages
from rag_llm_system.domain.ports import LLM, DocumentStore, Embedder, VectorStore
from rag_llm_system.domain.queries import Query, Stages
from rag_llm_system.infrastructure.db import DOCUMENT_STORES
from rag_llm_system.infrastructure.embedders.cache import CachedEmbedder
from rag_llm_system.infrastructure.embedders.token_cache import CachedTokenEmbedder
from rag_llm_system.infrastructure.feedback_file import FeedbackFile
from rag_llm_system.infrastructure.loading import load
from rag_llm_system.infrastructure.tracing import TRACERS
from rag_llm_system.infrastructure.tracing.runs import RunTracer
from rag_llm_system.settings import Settings

_COUNTED = 4096
"""Texts whose tokens are remembered, some 10 MB."""


class System:
    """Everything a use case needs, each part built on first use and closed with the whole.

    What is not used is not built: a crawl loads no encoder, a question opens no data warehouse.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._closing = ExitStack()

    def close(self) -> None:
        """Close what was built, last first; a second call does nothing."""
        self._closing.close()

    def __enter__(self) -> "System":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @cached_property
    def documents(self) -> DocumentStore:
        uri = self.settings.DATABASE_HOST.get_secret_value()
        name = self.settings.DATABASE_NAME
        store: DocumentStore
        if uri:
            store = load("document store", "mongo", DOCUMENT_STORES)(uri, name)
        else:
            embedded = load("document store", "embedded", DOCUMENT_STORES)
            store = embedded(self.settings.data_dir, name)
        self._closing.callback(store.close)
        return store

    @cached_property
    def vectors(self) -> VectorStore:
        store = vector_store(self.settings)
        self._closing.callback(store.close)
        return store

    @cached_property
    def encoder(self) -> Embedder:
        """The bare model."""
        made = embedder(self.settings)
        if close := getattr(made, "close", None):
            self._closing.callback(close)
        return made

    @cached_property
    def token_cache(self) -> CachedTokenEmbedder | None:
        """The encoder that keeps what it sees of the tokens of documents."""
        cache = token_cache(self.encoder, self.settings)
        if cache is not None:
            self._closing.callback(cache.close)
        return cache

    @property
    def embedder(self) -> Embedder:
        """For questions, and for what is embedded without being indexed."""
        return self.token_cache or self.encoder

    @cached_property
    def embedding_cache(self) -> CachedEmbedder | None:
        """The encoder with its cache, for documents; questions are nobody's to keep."""
        cache = embedding_cache(self.embedder, self.settings)
        if cache is not None:
            self._closing.callback(cache.close)
        return cache

    @cached_property
    def code_embedder(self) -> Embedder:
        """For code, whose token vectors nothing looks at: keeping them takes more room than all the rest."""
        cache = embedding_cache(self.encoder, self.settings)
        if cache is None:
            return self.encoder
        self._closing.callback(cache.close)
        return cache

    @cached_property
    def tracer(self) -> RunTracer:
        settings = self.settings
        if settings.TRACING == "off":
            off: RunTracer = load("tracer", "off", TRACERS)()
            return off
        tracer: RunTracer = load("tracer", "opik", TRACERS)(
            data_dir=settings.data_dir,
            project=settings.OPIK_PROJECT_NAME,
            url=settings.OPIK_URL_OVERRIDE,
            api_key=settings.OPIK_API_KEY.get_secret_value(),
            workspace=settings.OPIK_WORKSPACE,
        )
        self._closing.callback(tracer.close)
        return tracer

    @cached_property
    def writer(self) -> AnswerWriter:
        settings = self.settings
        return self.writer_of(settings.MAX_NEW_TOKENS_INFERENCE, settings.TEMPERATURE_INFERENCE)

    def writer_of(self, max_tokens: int, temperature: float) -> AnswerWriter:
        """What writes answers of at most so many tokens; without a language model, quotes them."""
        if self.settings.LLM_BACKEND == EXTRACTIVE:
            return self._quoting
        return LLMWriter(
            self.llm,
            max_tokens=max_tokens,
            temperature=temperature,
            grounded_decoding=self.settings.GROUNDED_DECODING == "auto",
        )

    @cached_property
    def _quoting(self) -> ExtractiveWriter:
        return ExtractiveWriter(self.encoder)  # a question's sentences are not kept

    @cached_property
    def llm(self) -> LLM:
        """Raises UnknownName where no language model is set."""
        made = language_model(self.settings, self.tracer.headers)
        if close := getattr(made, "close", None):
            self._closing.callback(close)
        return made

    @cached_property
    def answering(self) -> Answering:
        """Answers to questions, whole or in pieces."""
        return Answering(
            self.retriever,
            self.writer,
            self.tracer,
            self.context_builder,
            follow_up=follow_up(self),
            defence=self.settings.INJECTION_DEFENCE == "on",
            refuse_ungrounded=self.settings.UNGROUNDED_ANSWERS == "refuse",
        )

    @cached_property
    def code_engine(self) -> CodeQueryEngine:
        """Answers about code bases."""
        return assistants.code_engine(self)

    def code_vectorizer(self, store: VectorStore | None = None) -> CodeVectorizer:
        """Indexes code bases, into ``store`` where the system's own is not to become a writer."""
        return assistants.code_vectorizer(self, store or self.vectors)

    def writing(self) -> AbstractContextManager[VectorStore]:
        """A store to write to for a moment: an embedded one has a single writer, and who serves must not stay it."""
        return assistants.writing(self)

    @cached_property
    def films(self) -> CurrentCatalogue:
        """The films that the index has."""
        return CurrentCatalogue(self.vectors)

    @cached_property
    def film_preferences(self) -> Preferences:
        """What users like and have seen."""
        return assistants.film_preferences(self)

    @cached_property
    def movies(self) -> MovieAssistant:
        """Recommends films."""
        return assistants.movie_assistant(self)

    def assistant_named(self, name: str) -> Assistant:
        """Raises UnknownName, and MissingFile where nothing is indexed that it could answer from."""
        return assistants.assistant_named(self, name)

    def assistants(self) -> Sequence[str]:
        """The names of those that have something to answer from."""
        return assistants.available(self.vectors)

    def repositories(self) -> Sequence[str]:
        """The names of the code bases that are indexed."""
        return sorted({one.name for one in code_bases(self.vectors)})

    @property
    def feedback(self) -> FeedbackFile:
        return FeedbackFile(self.settings.data_dir / "feedback" / "feedback.jsonl")

    @cached_property
    def context_builder(self) -> ContextBuilder:
        """Counts by the encoder's tokenizer, as that of the language model may be at the other end of a wire."""
        # passages are counted again for every question that finds them
        count = lru_cache(_COUNTED)(lambda text: len(self.encoder.token_spans(text)))
        return ContextBuilder(
            count,
            self.settings.CONTEXT_TOKENS,
            self.settings.CONTEXT_DIVERSITY,
        )

    @cached_property
    def vocabulary(self) -> CurrentVocabulary:
        """The authors, platforms and the like that the index has."""
        return CurrentVocabulary(self.vectors, clock=time.monotonic)

    @cached_property
    def retriever(self) -> ContextRetriever:
        return self.retriever_with(stages(self.settings))

    def retriever_with(self, stages: Stages) -> ContextRetriever:
        """One whose stages are these, whatever the settings say."""
        return retriever(self, stages)

    def warm_up(self) -> None:
        """Load what the first question would wait for: weights, the vector store, what is counted in it.

        All assistants are built here, as two threads would build one twice.
        """
        _ = self.writer
        for name in self.assistants():
            self.assistant_named(name)
            if name == assistants.FILMS:
                query = Query(text="a film to warm up with")
                self.movies.retrieve(Asked(query=query, user=self.settings.MOVIES_USER))
        if self.vectors.collections():
            self.retriever.retrieve(Query(text="warm-up"))
        else:
            self.embedder.embed(["warm-up"], role="query")

    def forget_texts(self, texts: Iterable[str]) -> int:
        """Remove their vectors from the caches; how many texts had some in either."""
        known, count = list(texts), 0
        for cache in (self.embedding_cache, self.token_cache):
            count = max(count, cache.forget(known) if cache else 0)
        return count

    def indexer(self) -> Indexer:
        return Indexer(self.vectors, self.embedding_cache or self.embedder)

    @contextmanager
    def crawlers(
        self,
        options: CrawlOptions = CrawlOptions(),  # noqa: B008 - frozen
    ) -> Iterator[CrawlerDispatcher]:
        """The crawlers of every kind of link, while the block runs."""
        # imports the HTML parsers, which a question never needs
        from rag_llm_system.bootstrap.crawling import open_crawlers

        with open_crawlers(self.settings, options) as dispatcher:
            yield dispatcher


def build(settings: Settings) -> System:
    """The system that these settings describe; nothing is opened yet."""
    return System(settings)
