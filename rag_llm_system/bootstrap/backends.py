"""Vector stores and encoders, chosen and built by the settings."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rag_llm_system.domain.errors import ConfigurationError
from rag_llm_system.domain.ports import Embedder, TokenEmbedder, VectorStore
from rag_llm_system.infrastructure.embedders import EMBEDDERS
from rag_llm_system.infrastructure.embedders.cache import CachedEmbedder
from rag_llm_system.infrastructure.embedders.token_cache import CachedTokenEmbedder
from rag_llm_system.infrastructure.loading import load
from rag_llm_system.infrastructure.vector_stores.factory import VectorStoreFactory
from rag_llm_system.settings import Settings

_IN_A_FOLDER = {"qdrant": "qdrant", "qdrant-edge": "qdrant", "faiss": "faiss", "chroma": "chroma"}
"""Backends that keep their files in a folder, and its name below the data directory."""

_QUICKER_THAN_A_CACHE = {"hashing"}


def vector_store(settings: Settings, backend: str = "", *, path: Path | None = None) -> VectorStore:
    """The store of VECTOR_STORE or of another name, with the settings' addresses; ``path`` replaces its folder."""
    backend = backend or settings.VECTOR_STORE
    if path is not None:
        if backend not in _IN_A_FOLDER:
            raise ConfigurationError(
                f"vector store {backend!r} has no folder; those that have one: "
                f"{', '.join(sorted(_IN_A_FOLDER))}"
            )
        backend = "qdrant-edge" if backend == "qdrant" else backend
        return VectorStoreFactory.create(backend, path=path)
    return VectorStoreFactory.create(backend, **_store_options(settings, backend))


def _store_options(settings: Settings, backend: str) -> dict[str, Any]:
    if backend in {"qdrant", "qdrant-server"}:
        if settings.USE_QDRANT_CLOUD:
            if not settings.QDRANT_CLOUD_URL:
                raise ConfigurationError("USE_QDRANT_CLOUD is set; set QDRANT_CLOUD_URL too")
            key = settings.QDRANT_APIKEY.get_secret_value()
            return {"url": settings.QDRANT_CLOUD_URL, "api_key": key}
        if settings.QDRANT_DATABASE_HOST:
            return {"host": settings.QDRANT_DATABASE_HOST, "port": settings.QDRANT_DATABASE_PORT}
    folder = _IN_A_FOLDER.get(backend)
    return {"path": settings.data_dir / folder} if folder else {}


def embedder(settings: Settings) -> Embedder:
    """The encoder that EMBEDDER names."""
    model = {"model_id": settings.TEXT_EMBEDDING_MODEL_ID}
    server: dict[str, Any] = {
        **model,
        "api_key": settings.EMBEDDING_API_KEY,
        "max_tokens": settings.EMBEDDING_MAX_TOKENS,
        "query_prefix": settings.EMBEDDING_QUERY_PREFIX,
        "document_prefix": settings.EMBEDDING_DOCUMENT_PREFIX,
    }
    if settings.EMBEDDING_BASE_URL:
        server["base_url"] = settings.EMBEDDING_BASE_URL
    options: dict[str, Mapping[str, Any]] = {
        "sentence-transformers": {
            **model,
            "device": settings.RAG_MODEL_DEVICE,
            "dtype": settings.EMBEDDING_DTYPE,
        },
        "openai": server,
        "ollama": server,
    }
    build_embedder = load("embedder", settings.EMBEDDER, EMBEDDERS)
    made: Embedder = build_embedder(**options.get(settings.EMBEDDER, {}))
    return made


def token_cache(inner: Embedder, settings: Settings) -> CachedTokenEmbedder | None:
    """The encoder that keeps token vectors; None where it has none, none are asked for or none are to be kept."""
    wanted = settings.TOKEN_VECTORS_MB and settings.RERANKER == "late-interaction"
    if not wanted or settings.EMBEDDER in _QUICKER_THAN_A_CACHE:
        return None
    if not isinstance(inner, TokenEmbedder):
        return None
    path = settings.data_dir / "token_vectors.sqlite"
    return CachedTokenEmbedder(inner, path, limit_mb=settings.TOKEN_VECTORS_MB)


def embedding_cache(inner: Embedder, settings: Settings) -> CachedEmbedder | None:
    """The encoder behind the cache of the data directory; None where there is none."""
    if not settings.EMBEDDING_CACHE_MB or settings.EMBEDDER in _QUICKER_THAN_A_CACHE:
        return None
    path = settings.data_dir / "embeddings.sqlite"
    return CachedEmbedder(inner, path, limit_mb=settings.EMBEDDING_CACHE_MB)
