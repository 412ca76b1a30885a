"""Finds the chunks that a question needs: every category searched at once, one global cut."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

from rag_llm_system.application.indexing import live_collections
from rag_llm_system.application.preprocessing.categories import CATEGORIES, Category
from rag_llm_system.application.preprocessing.chunking_data_handlers import windows
from rag_llm_system.domain.answers import ContextChunk
from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.errors import ConfigurationError
from rag_llm_system.domain.ports import Embedder, Tracer, VectorStore
from rag_llm_system.domain.queries import Hit, Query, Where

DEFAULT_K = 9
MAX_K = 100

_POINTS_PER_CHUNK = 4
"""A long chunk is several points: so many more than k are asked for first, and more while that gives too few chunks."""


_SHOWN = (
    "chunk_id", "document_id", "category", "title", "link", "author_full_name", "start", "end",
)  # fmt: skip
_SHOWN_WHERE_KNOWN = ("headings", "source_file", "language", "start_line", "end_line", "symbol")


_ATTEMPTS = 3


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
        # asked for once: all of one search sees one encoder, also while another goes live
        collections = live_collections(self._store, self._embedder, self._table)
        with self._tracer.span("embed query", inputs={"query": query.text}):
            vector = self._embed(query.text)
        with self._tracer.span("vector search", inputs={"k": k, "where": query.where}) as span:
            chunks = self._search_chunks(collections, vector, k, query.where)
            span.record(found=[f"{c.score:.3f} {c.link}" for c in chunks])
        return chunks

    def _embed(self, text: str) -> Vectors:
        """A question longer than the encoder's window is read as the mean of its windows."""
        if not text.strip():
            raise ConfigurationError("the question is empty; ask something")
        spans = windows(text, self._embedder.max_tokens, 0, self._embedder.token_spans)
        parts = self._embedder.embed([text[start:end] for start, end in spans], role="query")
        mean: Vectors = parts.mean(axis=0)
        mean /= (mean @ mean) ** 0.5 or 1.0
        return mean

    def _search_chunks(
        self, collections: Mapping[str, str], vector: Vectors, k: int, where: Where | None
    ) -> list[ContextChunk]:
        """Asks again when the index was replaced between finding a chunk and reading its content.

        A chunk whose first window is not there even so is being written at this moment: it is left out.
        """
        for _ in range(_ATTEMPTS):
            hits = best_windows(self._search_all(sorted(collections.values()), vector, k, where))[
                :k
            ]
            contents = self._contents(collections, hits)
            whole = [hit for hit in hits if hit.payload["chunk_id"] in contents]
            if len(whole) == len(hits):
                break
        return [
            _numbered(n, hit, contents[hit.payload["chunk_id"]])
            for n, hit in enumerate(whole, start=1)
        ]

    def _contents(self, collections: Mapping[str, str], hits: Sequence[Hit]) -> dict[str, str]:
        """By chunk id; a chunk's first window has it for all of them."""
        contents = {
            hit.payload["chunk_id"]: hit.payload["content"]
            for hit in hits
            if "content" in hit.payload
        }
        elsewhere: dict[str, list[str]] = defaultdict(list)
        for hit in hits:
            if hit.payload["chunk_id"] not in contents:
                elsewhere[hit.payload["category"]].append(hit.payload["chunk_id"])
        for category, ids in sorted(elsewhere.items()):
            where: Where = {"chunk_id": ids, "window": 0}
            for record in self._store.scan(
                collections[category], where=where, fields=("chunk_id", "content")
            ):
                contents[record.payload["chunk_id"]] = record.payload["content"]
        return contents

    def _search_all(
        self, names: Sequence[str], vector: Vectors, k: int, where: Where | None
    ) -> list[Hit]:
        if not names:
            return []
        with ThreadPoolExecutor(len(names)) as pool:
            # each thread gets the caller's context, or its spans would start traces of their own
            running = [
                pool.submit(copy_context().run, self._search_one, name, vector, k, where)
                for name in names
            ]
            return [hit for future in running for hit in future.result()]

    def _search_one(self, name: str, vector: Vectors, k: int, where: Where | None) -> list[Hit]:
        """Hits among which are the k best chunks of this collection, as far as it has so many."""
        limit = k * _POINTS_PER_CHUNK
        while True:
            hits = self._store.search(name, vector, limit=limit, where=where)
            chunks = {hit.payload["chunk_id"] for hit in hits}
            if len(chunks) >= k or len(hits) < limit:
                return hits
            limit *= 2


def best_windows(hits: Iterable[Hit]) -> list[Hit]:
    """Each chunk once, by its best window; best first, ties by id."""
    best: dict[str, Hit] = {}
    for hit in sorted(hits, key=lambda h: (-h.score, h.id)):
        best.setdefault(hit.payload["chunk_id"], hit)
    return list(best.values())


def _numbered(n: int, hit: Hit, content: str) -> ContextChunk:
    """As the answer cites it; what only some kinds of documents have is left out where it is not known."""
    payload = hit.payload
    shown = {name: payload[name] for name in _SHOWN}
    known = {name: payload[name] for name in _SHOWN_WHERE_KNOWN if name in payload}
    window = (payload["window_start"], payload["window_end"])
    return ContextChunk(n=n, score=hit.score, content=content, window=window, **shown, **known)
