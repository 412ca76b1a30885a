"""Answers a question: retrieve, build the context, write, check the citations."""

import re
import time
from collections.abc import Iterator, Sequence, Set
from typing import Protocol, runtime_checkable

from rag_llm_system.application.rag.citations import checked_citations
from rag_llm_system.application.rag.confidence import LOW, MIN_EVIDENCE, confidence_in, evidence
from rag_llm_system.application.rag.context import ContextBuilder, formatted
from rag_llm_system.application.rag.grounded_fields import from_context
from rag_llm_system.application.rag.prompt_templates import template_for
from rag_llm_system.application.rag.retriever import DEFAULT_K
from rag_llm_system.application.rag.title_guard import TitleGuard, guarded
from rag_llm_system.domain.answers import Answer, AnswerSource, Confidence, Context, ContextChunk
from rag_llm_system.domain.from_context import FromContext
from rag_llm_system.domain.ports import LLM, GroundedLLM, Tracer
from rag_llm_system.domain.queries import Interpretation, Query

NO_SOURCES = "No sources were found for this question, so there is no answer."
UNCITED = "Careful: this answer cites none of its sources."

_BUILDER = ContextBuilder()
_QUOTE_CHARS = 200


class Retriever(Protocol):
    """Finds what a question needs."""

    def retrieve(self, query: Query, k: int, *, self_query: bool) -> Context: ...


class AnswerWriter(Protocol):
    """Writes an answer from numbered passages."""

    @property
    def model_id(self) -> str: ...

    def write(self, question: str, passages: Sequence[ContextChunk]) -> Iterator[str]: ...


@runtime_checkable
class MarkingWriter(Protocol):
    """What an AnswerWriter may be as well: one whose answers have fields that are to be checked against the context."""

    def from_context(self, passages: Sequence[ContextChunk]) -> Sequence[FromContext]: ...


class LLMWriter:
    """Lets a language model write, with the passages as its context.

    ``grounded_decoding``: a model that can be held to the context while it writes is, in the fields of the template.
    """

    def __init__(
        self, llm: LLM, *, max_tokens: int, temperature: float, grounded_decoding: bool = True
    ) -> None:
        self._llm = llm
        self._max_tokens = max_tokens
        self._temperature = temperature
        self._grounded_decoding = grounded_decoding
        self.model_id = llm.model_id

    def from_context(self, passages: Sequence[ContextChunk]) -> Sequence[FromContext]:
        return from_context(template_for(passages).from_context, passages)

    def write(self, question: str, passages: Sequence[ContextChunk]) -> Iterator[str]:
        llm, max_tokens, temperature = self._llm, self._max_tokens, self._temperature
        prompt = template_for(passages).messages(question, formatted(passages))
        fields = self.from_context(passages) if self._grounded_decoding else ()
        if fields and isinstance(llm, GroundedLLM):
            return llm.stream_from_context(
                prompt, max_tokens=max_tokens, temperature=temperature, from_context=fields
            )
        return llm.stream(prompt, max_tokens=max_tokens, temperature=temperature)


def answer_question(
    query: Query,
    *,
    retriever: Retriever,
    writer: AnswerWriter,
    tracer: Tracer,
    k: int = DEFAULT_K,
    self_query: bool = True,
    builder: ContextBuilder = _BUILDER,
) -> Answer:
    """The answer with its sources; without sources it says so, and nothing is generated.

    ``self_query``: whether conditions on the sources are read out of the question.
    """
    with tracer.span("rag", inputs={"query": query.text, "k": k}) as span:
        started = time.perf_counter()
        context = retriever.retrieve(query, k, self_query=self_query)
        retrieved = time.perf_counter()
        answer = write_answer(query.text, context, writer=writer, tracer=tracer, builder=builder)
        timings = {**context.timings_s, "retrieve": retrieved - started, **answer.timings_s}
        span.record(answer=answer.text, sources=[s.link for s in answer.sources])
        rounded = {stage: round(seconds, 4) for stage, seconds in timings.items()}
        return answer.model_copy(update={"timings_s": rounded, "trace_id": span.trace_id})


def write_answer(
    question: str,
    context: Context,
    *,
    writer: AnswerWriter,
    tracer: Tracer,
    builder: ContextBuilder = _BUILDER,
) -> Answer:
    """The writing half of :func:`answer_question`, from a context that was retrieved before."""
    started = time.perf_counter()
    passages = passages_for(question, context, builder)
    built = time.perf_counter()
    fields = writer.from_context(passages) if isinstance(writer, MarkingWriter) else ()
    guard = TitleGuard(fields)
    written = (
        _written(question, passages, writer=writer, guard=guard, tracer=tracer) if passages else ""
    )
    text, cited = checked_citations(written, {passage.n for passage in passages})
    asked = subject_of(question, context.interpretation)
    confidence = confidence_in(asked, passages) if text else None
    return Answer(
        question=question,
        text=text or NO_SOURCES,
        sources=tuple(_source(passage, cited) for passage in passages) if text else (),
        model=writer.model_id,
        grounded=bool(cited),
        confidence=confidence,
        notes=(*_notes(context, confidence, cited), *guard.notes()),
        interpretation=context.interpretation,
        timings_s={"context": built - started, "generate": time.perf_counter() - built},
    )


def passages_for(
    question: str, context: Context, builder: ContextBuilder = _BUILDER
) -> list[ContextChunk]:
    """What an answer is written from: the chunks that are about the question, joined and numbered."""
    asked = subject_of(question, context.interpretation)
    return builder.build([c for c in context.chunks if evidence(asked, c) >= MIN_EVIDENCE])


def subject_of(question: str, interpretation: Interpretation) -> str:
    """Without the words that only said where to look: no passage has to repeat them."""
    for condition in interpretation.conditions:
        if condition.evidence:
            question = re.sub(rf"(?<!\w){re.escape(condition.evidence)}(?!\w)", " ", question)
    return question


def _written(
    question: str,
    passages: Sequence[ContextChunk],
    *,
    writer: AnswerWriter,
    guard: TitleGuard,
    tracer: Tracer,
) -> str:
    inputs = {
        "model": writer.model_id,
        "prompt_version": str(template_for(passages)),
        "passages": len(passages),
    }
    with tracer.span("generate", kind="llm", inputs=inputs) as span:
        written = "".join(guarded(writer.write(question, passages), guard)).strip()
        checked = {"kept": guard.kept, "replaced": guard.replaced, "flagged": guard.flagged}
        span.record(answer=written, **({"from_context": checked} if any(checked.values()) else {}))
    return written


def _notes(context: Context, confidence: Confidence | None, cited: Set[int]) -> Iterator[str]:
    if understood := understood_as(context.interpretation):
        yield understood
    yield from context.notes
    if confidence and confidence.level == "low":
        yield LOW
    if confidence and not cited:
        yield UNCITED


def understood_as(interpretation: Interpretation) -> str:
    """``understood: author Zoë Müller, from 2023``; "" where the question sets no conditions."""
    labels = ", ".join(condition.label for condition in interpretation.conditions)
    return f"understood: {labels}" if labels else ""


def _source(passage: ContextChunk, cited: Set[int]) -> AnswerSource:
    quote = " ".join(passage.content.split())
    return AnswerSource(
        n=passage.n,
        title=passage.title,
        link=passage.link,
        category=passage.category,
        score=round(passage.score, 4),
        quote=quote if len(quote) <= _QUOTE_CHARS else f"{quote[:_QUOTE_CHARS].rstrip()}…",
        cited=passage.n in cited,
        headings=passage.headings,
        source_file=passage.source_file,
        start_line=passage.start_line,
        end_line=passage.end_line,
    )
