"""Clean, chunk and embed whatever the category: each dispatcher looks the handler up in the table."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from typing import Any

from rag_llm_system.application.preprocessing.categories import (
    CATEGORIES,
    Category,
    category_named,
)
from rag_llm_system.application.preprocessing.chunking_data_handlers import Piece
from rag_llm_system.application.preprocessing.embedding_data_handlers import (
    HEADER_TOKENS,
    WINDOW_OVERLAP_TOKENS,
    embed_windows,
    windows_of,
)
from rag_llm_system.application.preprocessing.fingerprints import (
    cleaned_fingerprint,
    digest,
    points_fingerprint,
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
        fields: dict[str, Any] = {
            "category": document.category,
            "platform": document.platform,
            "link": document.link,
            "title": " ".join(document.title.split()),
            "text": text,
            "author_id": document.author_id,
            "author_full_name": document.author_full_name,
            "metadata": {**document.metadata, **category.facts(document.metadata)},
        }
        fingerprint = cleaned_fingerprint(
            source=digest(document.sha256, document.metadata),
            cleaner=digest(category.clean.__name__, category.version),
            words=digest(text),
            record=digest(fields),
        )
        return CleanedDocument(id=document.id, fingerprint=fingerprint, **fields)


class ChunkingDispatcher:
    """Cleaned documents -> chunks, cut by the encoder's own tokenizer where a size is in tokens."""

    def __init__(self, embedder: Embedder, table: Mapping[str, Category] = CATEGORIES) -> None:
        self._embedder = embedder
        self._table = table

    def settings(self, category: Category) -> str:
        """Names what decides how a text is cut, the encoder apart."""
        size = category.chunk_size
        return digest(
            category.chunk.__name__,
            category.version,
            (size.unit, size.minimum, size.maximum, size.overlap),
            WINDOW_OVERLAP_TOKENS,
            HEADER_TOKENS,
        )

    def fingerprint(self, document: CleanedDocument) -> str:
        """What every point of the document carries."""
        category = category_named(document.category, self._table)
        return points_fingerprint(document.fingerprint, self.settings(category))

    def dispatch(self, document: CleanedDocument) -> list[Chunk]:
        category = category_named(document.category, self._table)
        text, metadata = document.text, document.metadata
        language = str(metadata.get("language", ""))
        pieces = list(
            category.chunk(text, category.chunk_size, self._embedder.token_spans, language)
        )
        source_file = str(metadata.get("source_file", ""))
        lines = _lines(text, pieces) if source_file else [(0, 0)] * len(pieces)
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
                total_chunks=len(pieces),
                start=piece.start,
                end=piece.end,
                content=text[piece.start : piece.end],
                fingerprint=fingerprint,
                headings=piece.headings,
                source_file=source_file,
                language=language if source_file else "",
                start_line=start_line,
                end_line=end_line,
                symbol=piece.symbol,
                symbols=piece.symbols,
                around=piece.around,
                metadata=metadata,
            )
            for ordinal, (piece, (start_line, end_line)) in enumerate(
                zip(pieces, lines, strict=True)
            )
        ]


class EmbeddingDispatcher:
    """Chunks of one document after the other -> records for the vector store."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    def windows(self, chunks: list[Chunk]) -> list[Window]:
        return windows_of(chunks, self._embedder)

    def dispatch(self, windows: Iterable[Window]) -> Iterator[Record]:
        return embed_windows(windows, self._embedder)


def _lines(text: str, pieces: Iterable[Piece]) -> list[tuple[int, int]]:
    """First and last line of each piece, counted from 1."""
    starts = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
    return [
        (bisect_right(starts, piece.start), bisect_right(starts, max(piece.start, piece.end - 1)))
        for piece in pieces
    ]
