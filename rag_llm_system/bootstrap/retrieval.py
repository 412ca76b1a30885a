"""The stages of retrieval, chosen by the settings or by whoever measures them."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Protocol

from rag_llm_system.application.preprocessing.categories import SEARCHED, Category
from rag_llm_system.application.rag.expanding import Expanding, Feedback, Variations
from rag_llm_system.application.rag.follow_up import FollowUps, LLMFollowUps, RuleFollowUps
from rag_llm_system.application.rag.query_expansion import LLMExpander
from rag_llm_system.application.rag.reranking import ByModel, LateInteraction, Reranking
from rag_llm_system.application.rag.retriever import ContextRetriever
from rag_llm_system.application.rag.self_query import (
    CurrentSelfQuery,
    LLMSelfQuery,
    RuleSelfQuery,
    SelfQuery,
    Vocabulary,
)
from rag_llm_system.domain.ports import LLM, Embedder, TokenEmbedder, Tracer, VectorStore
from rag_llm_system.domain.queries import Stages
from rag_llm_system.infrastructure.loading import load
from rag_llm_system.infrastructure.rerankers import RERANKERS
from rag_llm_system.settings import Settings


class Parts(Protocol):
    """What the stages are made of; each is built when it is asked for."""

    settings: Settings

    @property
    def vectors(self) -> VectorStore: ...

    @property
    def embedder(self) -> Embedder: ...

    @property
    def tracer(self) -> Tracer: ...

    @property
    def llm(self) -> LLM: ...

    @property
    def vocabulary(self) -> Callable[[], Vocabulary]: ...


def stages(settings: Settings) -> Stages:
    return Stages(
        self_query=settings.SELF_QUERY,
        expansion=settings.QUERY_EXPANSION,
        ranking=settings.RANKING,
        reranker=settings.RERANKER,
    )


def retriever(
    parts: Parts, stages: Stages, table: Mapping[str, Category] = SEARCHED
) -> ContextRetriever:
    return ContextRetriever(
        parts.vectors,
        parts.embedder,
        parts.tracer,
        table,
        stages=stages,
        self_query=_self_query(parts, stages),
        expander=_expander(parts, stages),
        reranking=reranking(parts, stages),
    )


def follow_up(parts: Parts) -> FollowUps | None:
    way = parts.settings.FOLLOW_UPS
    if way == "off":
        return None
    return LLMFollowUps(parts.llm) if way == "llm" else RuleFollowUps()


def _self_query(parts: Parts, stages: Stages) -> SelfQuery | None:
    if stages.self_query == "off":
        return None

    def reading(vocabulary: Vocabulary) -> SelfQuery:
        if stages.self_query == "llm":
            return LLMSelfQuery(parts.llm, vocabulary, today=date.today)
        return RuleSelfQuery(vocabulary, today=date.today)

    return CurrentSelfQuery(parts.vocabulary, reading)


def _expander(parts: Parts, stages: Stages) -> Expanding | None:
    if stages.expansion == "off":
        return None
    if stages.expansion == "feedback":
        return Feedback(parts.vectors)
    settings, budget_s = parts.settings, parts.settings.QUERY_EXPANSION_BUDGET_S
    expander = LLMExpander(parts.llm, settings.QUERY_VARIATIONS, time_limit_s=budget_s)
    return Variations(expander, lambda texts: parts.embedder.embed(texts, role="query"), budget_s)


def reranking(parts: Parts, stages: Stages) -> Reranking | None:
    """None also for an encoder that shows no tokens, as those behind an API."""
    if stages.reranker == "cross-encoder":
        model = load("reranker", stages.reranker, RERANKERS)(
            parts.settings.RERANKING_CROSS_ENCODER_MODEL_ID,
            parts.settings.RAG_MODEL_DEVICE,
            time_limit_s=parts.settings.RERANKING_TIME_LIMIT_S,
        )
        return ByModel(model)
    if stages.reranker == "late-interaction" and isinstance(parts.embedder, TokenEmbedder):
        return LateInteraction(parts.vectors, parts.embedder)
    return None
