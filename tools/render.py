"""How answers look on a terminal."""

from collections.abc import Iterator

from rag_llm_system.domain.answers import Answer


def answer_lines(answer: Answer) -> Iterator[str]:
    """Question, answer, numbered sources with their cosine similarity, and what wrote it."""
    yield f"Q: {answer.question}"
    yield ""
    yield answer.text
    if answer.sources and not answer.grounded:
        yield ""
        yield "Careful: this answer cites none of its sources."
    if answer.sources:
        yield ""
        yield "Sources (cosine similarity)"
    for source in answer.sources:
        yield f"  [{source.n}] {source.score:.2f}  {source.title or source.link}"
        yield f"         {source.link}"
    yield ""
    timings = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in answer.timings_s.items())
    yield f"written by {answer.model}{f'; {timings}' if timings else ''}"
