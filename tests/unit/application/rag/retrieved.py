"""Builders of what retrieval gives."""

from rag_llm_system.domain.answers import ContextChunk


def chunk(n: int, content: str, **more: object) -> ContextChunk:
    """Of a document of its own, whose whole text it is."""
    fields: dict[str, object] = {
        "n": n,
        "chunk_id": f"c{n}",
        "document_id": f"d{n}",
        "category": "articles",
        "title": f"Title {n}",
        "link": f"http://a.example/{n}",
        "author_full_name": "The Project",
        "score": 0.8,
        "relevance": 1 / n,
        "content": content,
        "start": 0,
        "end": len(content),
        "window": (0, len(content)),
        **more,
    }
    return ContextChunk.model_validate(fields)


def slice_of(text: str, start: int, end: int, **more: object) -> ContextChunk:
    """``text[start:end]`` as a chunk of the document "d"."""
    fields: dict[str, object] = {
        "chunk_id": f"{start}-{end}",
        "document_id": "d",
        "start": start,
        "end": end,
        **more,
    }
    return chunk(1, text[start:end], **fields)
