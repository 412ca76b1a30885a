"""Finds the chunks that a question needs: every category searched at once, one global cut."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

from rag_llm_system.application.indexing import check_encoder
from rag_llm_system.application.preprocessing.categories import CATEGORIES, Category
from rag_llm_system.application.preprocessing.chunking_data_handlers import windows
from rag_llm_system.domain.answers import ContextChunk
from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.errors import ConfigurationError
from rag_llm_system.domain.ports import Embedder, Tracer, VectorStore
from rag_llm_system.domain.queries import Hit, Query, Where

DEFAULT_K = 9
MAX_K = 100

# A long chunk is several points; so many more are fetched that k different chunks remain.
_POINTS_PER_CHUNK = 4


class ContextRetriever:
    """Vector search over the collections of all categories."""

    def __init__(
        self,
        store: VectorStore,
        embedder: Embedder,
        tracer: Tracer,
        table: Mapping[str, Category] = CATEGORIES,
    ) -> None:
        self._store = store
        self._embedder = embedder
        self._tracer = tracer
        self._table = table

    def search(self, query: Query, k: int = DEFAULT_K) -> list[ContextChunk]:
        """The k best chunks, best first, each once and numbered from 1; [] when nothing is indexed.

        Raises IncompatibleCollection when a collection was made with another encoder.
        """
        if not 1 <= k <= MAX_K:
            raise ConfigurationError(f"k is {k}; it must be from 1 to {MAX_K}")
        check_encoder(self._store, self._embedder)
        with self._tracer.span("embed query", inputs={"query": query.text}):
            vector = self._embed(query.text)
        with self._tracer.span("vector search", inputs={"k": k, "where": query.where}) as span:
            chunks = _numbered(self._search_all(vector, k, query.where), k)
            span.record(found=[f"{c.score:.3f} {c.link}" for c in chunks])
        return chunks

    def _embed(self, text: str) -> Vectors:
        """A question longer than the encoder's window is read as the mean of its windows."""
        if not text.strip():
            raise ConfigurationError("the question is empty; ask something")
        spans = windows(text, self._embedder.max_tokens, 0, self._embedder.token_spans)
        parts = self._embedder.embed([text[start:end] for start, end in spans])
        mean: Vectors = parts.mean(axis=0)
        mean /= (mean @ mean) ** 0.5 or 1.0
        return mean

    def _search_all(self, vector: Vectors, k: int, where: Where | None) -> list[Hit]:
        names = [category.chunk_collection for category in self._table.values()]

        def search(name: str) -> list[Hit]:
            return self._store.search(name, vector, limit=k * _POINTS_PER_CHUNK, where=where)

        with ThreadPoolExecutor(len(names)) as pool:
            # each thread gets the caller's context, or its spans would start traces of their own
            running = [pool.submit(copy_context().run, search, name) for name in names]
            return [hit for future in running for hit in future.result()]


def _numbered(hits: list[Hit], k: int) -> list[ContextChunk]:
    best: dict[str, Hit] = {}
    for hit in sorted(hits, key=lambda h: (-h.score, h.id)):
        best.setdefault(hit.payload["chunk_id"], hit)
    return [
        ContextChunk(n=n, score=hit.score, **_shown(hit.payload))
        for n, hit in enumerate(list(best.values())[:k], start=1)
    ]


def _shown(payload: Mapping[str, Any]) -> dict[str, Any]:
    fields = ("chunk_id", "document_id", "category", "title", "link", "author_full_name", "content")
    return {field: payload[field] for field in fields}
