"""Chunks -> windows -> vectors. A chunk longer than the encoder can read gets several vectors."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from rag_llm_system.application.preprocessing.chunking_data_handlers import windows
from rag_llm_system.domain.chunks import Chunk, Window
from rag_llm_system.domain.ports import Embedder, Record

WINDOW_OVERLAP_TOKENS = 25
"""What neighbouring windows of one chunk share, so that a sentence at the cut is whole in one of them."""

EMBED_BATCH = 512
"""Texts handed to the encoder at once; it forms its own batches of similar length from them."""


def windows_of(chunks: Sequence[Chunk], embedder: Embedder) -> list[Window]:
    """All windows of one document's chunks, in order."""
    spans = [
        windows(chunk.content, embedder.max_tokens, WINDOW_OVERLAP_TOKENS, embedder.token_spans)
        for chunk in chunks
    ]
    total = sum(map(len, spans))
    return [
        Window(
            chunk=chunk,
            index=index,
            total_windows=len(of_chunk),
            document_windows=total,
            start=start,
            end=end,
        )
        for chunk, of_chunk in zip(chunks, spans, strict=True)
        for index, (start, end) in enumerate(of_chunk)
    ]


def embed_windows(windows: Iterable[Window], embedder: Embedder) -> Iterator[Record]:
    """One record per window, in order, embedded in batches."""
    stream = iter(windows)
    while batch := list(islice(stream, EMBED_BATCH)):
        vectors = embedder.embed([window.text for window in batch])
        for window, vector in zip(batch, vectors, strict=True):
            yield Record(id=window.id, vector=tuple(vector.tolist()), payload=window.payload())
