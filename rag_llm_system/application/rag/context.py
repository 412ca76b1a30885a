"""The part of the prompt that holds the facts: numbered chunks within a budget."""

from collections.abc import Sequence

from rag_llm_system.domain.answers import ContextChunk

CONTEXT_CHARS = 12_000
"""About 3,000 tokens of English: half of the 8K window that the documented models have."""


def pack(chunks: Sequence[ContextChunk], budget_chars: int = CONTEXT_CHARS) -> list[ContextChunk]:
    """The first chunks that fit, in order; the last one that does not is cut, so that a long one counts too."""
    packed: list[ContextChunk] = []
    left = budget_chars
    for chunk in chunks:
        if left <= 0:
            break
        packed.append(chunk.model_copy(update={"content": chunk.content[:left]}))
        left -= len(chunk.content)
    return packed


def formatted(chunks: Sequence[ContextChunk]) -> str:
    """``[1] Title (link)`` above each chunk's text."""
    return "\n\n".join(
        f"[{c.n}] {c.title or c.link} ({c.link})\n{c.content.strip()}" for c in chunks
    )
