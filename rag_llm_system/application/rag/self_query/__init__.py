"""Self-query: what a question asks of its sources, as conditions on their payload.

``rules`` reads it without a model, ``llm`` with one, against the values that exist in the stores (``vocabulary``);
``relax`` gives conditions up again when nothing meets them.
"""

from rag_llm_system.application.rag.self_query.current import (
    CurrentSelfQuery,
    CurrentVocabulary,
)
from rag_llm_system.application.rag.self_query.llm import LLMSelfQuery
from rag_llm_system.application.rag.self_query.relax import relaxed
from rag_llm_system.application.rag.self_query.rules import RuleSelfQuery, SelfQuery
from rag_llm_system.application.rag.self_query.vocabulary import (
    Vocabulary,
    index_counts,
    vocabulary_of,
)

__all__ = [
    "CurrentSelfQuery",
    "CurrentVocabulary",
    "LLMSelfQuery",
    "RuleSelfQuery",
    "SelfQuery",
    "Vocabulary",
    "index_counts",
    "relaxed",
    "vocabulary_of",
]
