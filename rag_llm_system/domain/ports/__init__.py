"""What the application needs from outside. One contract per port runs on every adapter of it."""

from rag_llm_system.domain.ports.document_store import DocumentStore, SaveReport
from rag_llm_system.domain.ports.language import (
    LLM,
    AsyncLLM,
    Embedder,
    GroundedLLM,
    Reranker,
    Role,
    TokenEmbedder,
    encoder_name,
)
from rag_llm_system.domain.ports.sources import (
    Crawler,
    Fetcher,
    RepositoryReader,
    RepositorySnapshot,
    Sandbox,
    Wanted,
)
from rag_llm_system.domain.ports.tracing import Span, SpanKind, Tracer
from rag_llm_system.domain.ports.vector_store import (
    Capabilities,
    CollectionSpec,
    Record,
    VectorStore,
    refuse_other_encoder,
)

__all__ = [
    "LLM",
    "AsyncLLM",
    "Capabilities",
    "CollectionSpec",
    "Crawler",
    "DocumentStore",
    "Embedder",
    "Fetcher",
    "GroundedLLM",
    "Record",
    "RepositoryReader",
    "RepositorySnapshot",
    "Reranker",
    "Role",
    "Sandbox",
    "SaveReport",
    "Span",
    "SpanKind",
    "TokenEmbedder",
    "Tracer",
    "VectorStore",
    "Wanted",
    "encoder_name",
    "refuse_other_encoder",
]
