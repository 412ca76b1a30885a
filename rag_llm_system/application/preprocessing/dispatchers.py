"""Clean, chunk and embed whatever the category: each dispatcher looks the handler up in the table."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping

from rag_llm_system.application.preprocessing.categories import (
    CATEGORIES,
    Category,
    category_named,
)
from rag_llm_system.application.preprocessing.embedding_data_handlers import (
    WINDOW_OVERLAP_TOKENS,
    embed_windows,
    windows_of,
)
from rag_llm_system.domain.chunks import Chunk, Window
from rag_llm_system.domain.documents import CleanedDocument, Document
from rag_llm_system.domain.ports import Embedder, Record


class CleaningDispatcher:
    """Raw documents -> cleaned documents."""

    def __init__(self, table: Mapping[str, Category] = CATEGORIES) -> None:
        self._table = table

    def dispatch(self, document: Document) -> CleanedDocument | None:
        """None when nothing is left to index."""
        category = category_named(document.category, self._table)
        text = category.clean(document.text)
        if not text.strip():
            return None
        title = " ".join(document.title.split())
        return CleanedDocument(
            id=document.id,
            category=document.category,
            platform=document.platform,
            link=document.link,
            title=title,
            text=text,
            author_id=document.author_id,
            author_full_name=document.author_full_name,
            fingerprint=_digest(category.clean.__name__, category.version, title, text),
            metadata=document.metadata,
        )


class ChunkingDispatcher:
    """Cleaned documents -> chunks, cut by the encoder's own tokenizer where a size is in tokens."""

    def __init__(self, embedder: Embedder, table: Mapping[str, Category] = CATEGORIES) -> None:
        self._embedder = embedder
        self._table = table

    def fingerprint(self, document: CleanedDocument) -> str:
        """Names everything that decides the document's vectors: text, chunker, sizes and encoder."""
        category = category_named(document.category, self._table)
        size = category.chunk_size
        return _digest(
            document.fingerprint,
            category.chunk.__name__,
            (size.unit, size.minimum, size.maximum, size.overlap),
            (self._embedder.model_id, self._embedder.dimension, self._embedder.max_tokens),
            WINDOW_OVERLAP_TOKENS,
            document.metadata,
        )

    def dispatch(self, document: CleanedDocument) -> list[Chunk]:
        category = category_named(document.category, self._table)
        language = str(document.metadata.get("language", ""))
        spans = list(
            category.chunk(document.text, category.chunk_size, self._embedder.token_spans, language)
        )
        fingerprint = self.fingerprint(document)
        return [
            Chunk(
                document_id=document.id,
                category=document.category,
                platform=document.platform,
                link=document.link,
                title=document.title,
                author_id=document.author_id,
                author_full_name=document.author_full_name,
                ordinal=ordinal,
                total_chunks=len(spans),
                start=start,
                end=end,
                content=document.text[start:end],
                fingerprint=fingerprint,
                metadata=document.metadata,
            )
            for ordinal, (start, end) in enumerate(spans)
        ]


class EmbeddingDispatcher:
    """Chunks of one document after the other -> records for the vector store."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    def windows(self, chunks: list[Chunk]) -> list[Window]:
        return windows_of(chunks, self._embedder)

    def dispatch(self, windows: Iterable[Window]) -> Iterator[Record]:
        return embed_windows(windows, self._embedder)


def _digest(*parts: object) -> str:
    written = json.dumps(parts, sort_keys=True, ensure_ascii=False, default=dict)
    return hashlib.sha256(written.encode("utf-8", "surrogatepass")).hexdigest()
