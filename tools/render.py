"""How answers look on a terminal."""

from collections.abc import Iterator, Sequence

from rag_llm_system.application.rag.prompt_templates import file_place, place
from rag_llm_system.domain.answers import Answer, AnswerSource, ContextChunk


def answer_lines(answer: Answer) -> Iterator[str]:
    """Question, answer, notes, numbered sources with their cosine similarity, and what wrote it."""
    yield f"Q: {answer.question}"
    yield ""
    yield answer.text
    if answer.notes or answer.confidence:
        yield ""
    for note in answer.notes:
        yield f"Note: {note}"
    if answer.confidence:
        yield f"Confidence: {answer.confidence.level} ({answer.confidence.value:.2f})"
    yield from _source_lines("Sources", [s for s in answer.sources if s.cited])
    yield from _source_lines("Also found", [s for s in answer.sources if not s.cited])
    yield ""
    timings = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in answer.timings_s.items())
    yield f"written by {answer.model}{f'; {timings}' if timings else ''}"


def _source_lines(heading: str, sources: Sequence[AnswerSource]) -> Iterator[str]:
    if sources:
        yield ""
        yield f"{heading} (cosine similarity)"
    for source in sources:
        if source.source_file:
            shown = file_place(source.source_file, source.start_line, source.end_line)
        else:
            shown = source.title or source.link
        yield f"  [{source.n}] {source.score:.2f}  {' > '.join((shown, *source.headings))}"
        yield f"         {source.link}"


def passage_lines(passages: Sequence[ContextChunk]) -> Iterator[str]:
    """What an answer is written from, word for word."""
    for passage in passages:
        yield f"[{passage.n}] {passage.score:.2f}  {place(passage)}"
        yield f"    {passage.link}"
        yield ""
        yield passage.content
        yield ""
