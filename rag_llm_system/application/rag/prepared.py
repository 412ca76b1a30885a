"""What an answer is written from, and how it is told to the reader: all of it is known before the first word."""

import dataclasses
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag_llm_system.application.rag.budget import Budget
from rag_llm_system.application.rag.confidence import LOW, MIN_EVIDENCE, confidence_in, evidence
from rag_llm_system.application.rag.context import ContextBuilder, formatted
from rag_llm_system.application.rag.draft import Draft
from rag_llm_system.application.rag.injection import defended
from rag_llm_system.application.rag.prompt_templates import is_code, template_for
from rag_llm_system.application.rag.quotes_shown import shown_quote
from rag_llm_system.application.rag.writers import AnswerWriter, LLMWriter, MarkingWriter
from rag_llm_system.domain.answers import Answer, AnswerSource, Confidence, Context, ContextChunk
from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.errors import ConfigurationError
from rag_llm_system.domain.from_context import FromContext
from rag_llm_system.domain.queries import Interpretation

UNCITED = "Careful: this answer cites none of its sources."

_ANSWER_SHARE = 3
"""Of a budget that is too small for both, the answer gets a third: what is read is longer than what is written."""

_FRAME_TOKENS = 40
"""What a chat template puts around two messages: 10 to 30 tokens in those of Llama, Qwen and Mistral."""

_LEAST_CONTEXT_TOKENS = 50
"""Less is no source: two sentences and the line that says where they come from."""


class Found(Value):
    """What an answer will be written from. ``sources`` are not cited yet; see :class:`Answer` for the rest."""

    question: str
    condensed: str = ""
    sources: tuple[AnswerSource, ...] = ()
    interpretation: Interpretation = Interpretation()
    notes: tuple[str, ...] = ()
    confidence: Confidence | None = None
    skipped: tuple[str, ...] = ()
    index_version: str = ""
    trace_id: str = ""


@dataclass(frozen=True)
class Prepared:
    """``question`` is what was asked; ``max_tokens`` bounds the answer, None where the writer decides."""

    question: str
    context: Context
    passages: Sequence[ContextChunk]
    sources: Sequence[AnswerSource]
    fields: Sequence[FromContext]
    confidence: Confidence | None
    notes: tuple[str, ...]
    max_tokens: int | None
    timings_s: Mapping[str, float]

    @property
    def whole_question(self) -> str:
        """With what a follow-up left out."""
        return self.context.condensed or self.question

    def found(self, trace_id: str) -> Found:
        return Found(
            question=self.question,
            condensed=self.context.condensed,
            sources=tuple(self.sources),
            interpretation=self.context.interpretation,
            notes=self.notes,
            confidence=self.confidence,
            skipped=self.context.skipped,
            index_version=self.context.index_version,
            trace_id=trace_id,
        )

    def answer(self, draft: Draft, *, model: str, trace_id: str, **timings_s: float) -> Answer:
        """With what was written; ``timings_s`` are those of writing."""
        cited = draft.cited
        uncited = () if cited or draft.is_empty or draft.is_refused else (UNCITED,)
        seconds = {**self.timings_s, **timings_s}
        return Answer(
            question=self.question,
            text=draft.text,
            sources=()
            if draft.is_empty
            else tuple(s.model_copy(update={"cited": s.n in cited}) for s in self.sources),
            model=model,
            grounded=bool(cited),
            confidence=None if draft.is_empty else self.confidence,
            notes=(*self._notes_of(draft), *uncited, *draft.notes()),
            interpretation=self.context.interpretation,
            timings_s={stage: round(s, 4) for stage, s in seconds.items()},
            trace_id=trace_id,
            condensed=self.context.condensed,
            skipped=self.context.skipped,
            index_version=self.context.index_version,
        )

    def _notes_of(self, draft: Draft) -> tuple[str, ...]:
        return tuple(note for note in self.notes if not (draft.is_empty and note == LOW))


def prepare(
    question: str,
    context: Context,
    *,
    writer: AnswerWriter,
    builder: ContextBuilder,
    budget: Budget,
    defence: bool,
) -> Prepared:
    """The passages that fit the budget, without what in them speaks to a model (``defence``).

    Raises ConfigurationError where the budget's tokens, or the model's window, are not enough for any source.
    """
    started = time.perf_counter()
    asked = context.condensed or question
    max_tokens = None
    if isinstance(writer, LLMWriter):
        max_tokens, context_tokens = _shares(asked, context, writer, builder, budget)
        builder = dataclasses.replace(builder, budget_tokens=context_tokens)
    passages = passages_for(asked, context, builder)
    notes: list[str] = []
    if defence:
        found = defended(passages)
        passages, notes = list(found.passages), list(found.notes)
        # the mark of what was left out may be longer than that was
        while builder.count_tokens(formatted(passages)) > builder.budget_tokens:
            passages.pop()
    subject = subject_of(asked, context.interpretation)
    confidence = confidence_in(subject, passages) if passages else None
    return Prepared(
        question=question,
        context=context,
        passages=passages,
        sources=[_source(subject, passage) for passage in passages],
        fields=writer.from_context(passages) if isinstance(writer, MarkingWriter) else (),
        confidence=confidence,
        notes=(*_understood(context), *notes, *_doubts(confidence)),
        max_tokens=max_tokens,
        timings_s={**context.timings_s, "context": time.perf_counter() - started},
    )


def passages_for(question: str, context: Context, builder: ContextBuilder) -> list[ContextChunk]:
    """The chunks that are about the question, joined and numbered."""
    asked = subject_of(question, context.interpretation)
    return builder.build([c for c in context.chunks if evidence(asked, c) >= MIN_EVIDENCE])


def subject_of(question: str, interpretation: Interpretation) -> str:
    """Without the words that only said where to look: no passage has to repeat them."""
    for condition in interpretation.conditions:
        if condition.evidence:
            question = re.sub(rf"(?<!\w){re.escape(condition.evidence)}(?!\w)", " ", question)
    return question


def reserved_tokens(writer: AnswerWriter, builder: ContextBuilder) -> int:
    """What an answer costs that is written from all the context it may have."""
    if not isinstance(writer, LLMWriter):
        return 0
    return writer.max_tokens + builder.budget_tokens + _FRAME_TOKENS


def understood_as(interpretation: Interpretation) -> str:
    """``understood: author Zoë Müller, from 2023``; "" where the question sets no conditions."""
    labels = ", ".join(condition.label for condition in interpretation.conditions)
    return f"understood: {labels}" if labels else ""


def _shares(
    question: str, context: Context, writer: LLMWriter, builder: ContextBuilder, budget: Budget
) -> tuple[int, int]:
    """Tokens of the answer and of its context."""
    answer, sources = writer.max_tokens, builder.budget_tokens
    limits = [limit for limit in (budget.max_tokens, builder.window_tokens) if limit is not None]
    if not limits:
        return answer, sources
    messages = template_for(context.chunks).messages(question, "")
    frame = _FRAME_TOKENS + builder.count_tokens(" ".join(m.content for m in messages))
    left = min(limits) - frame
    answer = min(answer, max(left // _ANSWER_SHARE, left - sources))
    if left - answer < _LEAST_CONTEXT_TOKENS:
        least = frame + _LEAST_CONTEXT_TOKENS * _ANSWER_SHARE // (_ANSWER_SHARE - 1) + 1
        if budget.max_tokens == min(limits):
            raise ConfigurationError(
                f"max_tokens is {budget.max_tokens}, and question and instructions alone need {frame};"
                f" allow {least} or more"
            )
        raise ConfigurationError(
            f"question and instructions alone may have {frame} tokens, and the model reads and writes"
            f" {builder.window_tokens}; ask in fewer words, or set CODE_NUM_CTX to {least} or more"
        )
    return answer, min(sources, left - answer)


def _understood(context: Context) -> Sequence[str]:
    understood = understood_as(context.interpretation)
    return (*((understood,) if understood else ()), *context.notes)


def _doubts(confidence: Confidence | None) -> Sequence[str]:
    return (LOW,) if confidence and confidence.level == "low" else ()


def _source(question: str, passage: ContextChunk) -> AnswerSource:
    first, last = passage.start_line, passage.end_line
    return AnswerSource(
        n=passage.n,
        title=passage.title,
        link=passage.link,
        category=passage.category,
        score=round(passage.score, 4),
        quote=shown_quote(question, passage),
        headings=() if is_code(passage) else passage.headings,
        source_file=passage.source_file,
        start_line=first,
        end_line=last,
        lines=(f"{first}-{last}" if last > first else str(first)) if first else "",
        passage=passage.content,
    )
