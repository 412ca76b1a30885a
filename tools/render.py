"""How answers look on a terminal."""

from collections.abc import Callable, Iterator, Sequence

from rag_llm_system.domain.answers import Answer, AnswerSource

SourceLines = Callable[[str, Sequence[AnswerSource]], Iterator[str]]
"""A heading and the sources below it, as lines; none for no sources."""


def answer_lines(answer: Answer) -> Iterator[str]:
    """Question, answer, notes, numbered sources with their cosine similarity, and what wrote it."""
    yield from question_lines(answer.question)
    yield answer.text
    yield from closing_lines(answer)


def question_lines(question: str) -> Iterator[str]:
    """What stands above an answer."""
    yield f"Q: {question}"
    yield ""


def closing_lines(answer: Answer, source_lines: SourceLines | None = None) -> Iterator[str]:
    """What stands below its text; ``source_lines`` where sources are shown in another way than with their links."""
    shown = source_lines or _source_lines
    if answer.notes or answer.confidence:
        yield ""
    for note in answer.notes:
        yield f"Note: {note}"
    if answer.confidence:
        yield f"Confidence: {answer.confidence.level} ({answer.confidence.value:.2f})"
    yield from shown("Sources", [s for s in answer.sources if s.cited])
    yield from shown("Also found", [s for s in answer.sources if not s.cited])
    yield ""
    timings = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in answer.timings_s.items())
    yield f"written by {answer.model}{f'; {timings}' if timings else ''}"


def _source_lines(heading: str, sources: Sequence[AnswerSource]) -> Iterator[str]:
    if sources:
        yield ""
        yield f"{heading} (cosine similarity)"
    for source in sources:
        yield f"  [{source.n}] {source.score:.2f}  {_place(source)}"
        yield f"         {source.link}"


def passage_lines(sources: Sequence[AnswerSource]) -> Iterator[str]:
    """What an answer is written from, word for word."""
    for source in sources:
        yield f"[{source.n}] {source.score:.2f}  {_place(source)}"
        yield f"    {source.link}"
        yield ""
        yield source.passage
        yield ""


def _place(source: AnswerSource) -> str:
    file = f"{source.source_file}:{source.lines}".rstrip(":") if source.source_file else ""
    return " > ".join((file or source.title or source.link, *source.headings))
