"""Answers a question: make it whole, retrieve, build the context, write, check what is written."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterator
from contextlib import AbstractContextManager, aclosing, nullcontext
from functools import partial
from typing import Protocol

from rag_llm_system.application.rag.asking import Asked, Assistant, Limiter, Piece, Retrieved
from rag_llm_system.application.rag.budget import UNLIMITED, Budget, Estimates
from rag_llm_system.application.rag.context import ContextBuilder
from rag_llm_system.application.rag.draft import NO_SOURCES, REFUSED, Draft
from rag_llm_system.application.rag.follow_up import FollowUps
from rag_llm_system.application.rag.prepared import (
    UNCITED,
    Found,
    Prepared,
    prepare,
    reserved_tokens,
)
from rag_llm_system.application.rag.prompt_templates import template_for
from rag_llm_system.application.rag.streaming import in_thread, produced, within
from rag_llm_system.application.rag.writers import AnswerWriter, LLMWriter
from rag_llm_system.domain.answers import Answer, Context
from rag_llm_system.domain.ports import Span, Tracer
from rag_llm_system.domain.queries import Query

__all__ = [
    "NO_SOURCES",
    "REFUSED",
    "UNCITED",
    "AnswerWriter",
    "Answering",
    "Asked",
    "Assistant",
    "Found",
    "LLMWriter",
    "Limiter",
    "Piece",
    "Retrieved",
    "Retriever",
]


class Retriever(Protocol):
    """Finds what a question needs."""

    def retrieve(self, query: Query, k: int, *, self_query: bool, budget: Budget) -> Context: ...


class Answering:
    """Answers from what a retriever finds; threads and tasks may share it.

    ``follow_up`` None takes every question as it is. ``defence`` takes out of the sources what speaks to a model;
    ``refuse_ungrounded`` shows no answer that cites none of its sources: nothing of it before its first citation.
    """

    def __init__(
        self,
        retriever: Retriever,
        writer: AnswerWriter,
        tracer: Tracer,
        builder: ContextBuilder = ContextBuilder(),  # noqa: B008 - frozen
        *,
        follow_up: FollowUps | None = None,
        defence: bool = True,
        refuse_ungrounded: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._retriever = retriever
        self._writer = writer
        self._tracer = tracer
        self._builder = builder
        self._follow_up = follow_up
        self._defence = defence
        self._refuse_ungrounded = refuse_ungrounded
        self._clock = clock
        self._estimates = Estimates()

    def retrieve(self, asked: Asked) -> Retrieved:
        """What the answer would be written from, before any of it is left out, joined or cut for a prompt."""
        return self._retrieved(
            asked, Budget.of(asked.deadline_s, asked.max_tokens, clock=self._clock)
        )

    async def aretrieve(self, asked: Asked, limiter: Limiter | None = None) -> Retrieved:
        """As :meth:`retrieve`, in a thread; at the deadline it is not waited for any more."""
        budget = Budget.of(asked.deadline_s, asked.max_tokens, clock=self._clock)
        async with within(budget, "retrieval"), limiter or nullcontext():
            return await asyncio.to_thread(self._retrieved, asked, budget)

    def answer(self, asked: Asked) -> Answer:
        """The answer with its sources; without sources it says so, and nothing is generated.

        The deadline is looked at between stages and between the pieces of the answer.
        """
        budget = self._budget(asked)
        with self._span("rag", asked) as span:
            answer = self._written(self._prepared(asked, budget), budget, span.trace_id)
            span.record(answer=answer.text, sources=[s.link for s in answer.sources])
            return answer

    def write(self, question: str, context: Context) -> Answer:
        """The writing half of :meth:`answer`, from a context that was retrieved before."""
        return self._written(self._prepare(question, context, UNLIMITED), UNLIMITED)

    async def events(
        self, asked: Asked, limiter: Limiter | None = None
    ) -> AsyncGenerator[Found | Piece | Answer]:
        """What was found, then the answer's text in pieces that stay as they are, then the whole answer.

        Retrieval runs in a thread, in as many at once as ``limiter`` lets in. Writers without an async form run in a
        thread each. Raises DeadlineExceeded on time, whatever does not answer. Closing this cancels all of it.
        """
        async with aclosing(produced(partial(self._produce, asked, limiter))) as events:
            async for event in events:
                yield event

    async def _produce(
        self,
        asked: Asked,
        limiter: Limiter | None,
        give: Callable[[Found | Piece | Answer], Awaitable[None]],
    ) -> None:
        budget = self._budget(asked)
        with self._span("rag", asked) as span:
            async with within(budget, "retrieval"), limiter or nullcontext():
                prepared = await asyncio.to_thread(self._prepared, asked, budget)
            async with within(budget, "generation"):
                await give(prepared.found(span.trace_id))
                answer = await self._awritten(prepared, span.trace_id, give)
                span.record(answer=answer.text, sources=[s.link for s in answer.sources])
                await give(answer)

    def _budget(self, asked: Asked) -> Budget:
        return Budget.of(
            asked.deadline_s,
            asked.max_tokens,
            reserved_s=self._estimates.of("context", "generate"),
            reserved_tokens=reserved_tokens(self._writer, self._builder),
            clock=self._clock,
        )

    def _retrieved(self, asked: Asked, budget: Budget) -> Retrieved:
        with self._span("retrieve", asked) as span:
            context = self._context(asked, budget)
            span.record(chunks=[chunk.chunk_id for chunk in context.chunks])
            return Retrieved(context=context, trace_id=span.trace_id)

    def _prepared(self, asked: Asked, budget: Budget) -> Prepared:
        context = self._context(asked, budget)
        budget.check("context")
        return self._prepare(asked.query.text, context, budget)

    def _prepare(self, question: str, context: Context, budget: Budget) -> Prepared:
        prepared = prepare(
            question,
            context,
            writer=self._writer,
            builder=self._builder,
            budget=budget,
            defence=self._defence,
        )
        self._estimates.add("context", prepared.timings_s["context"])
        return prepared

    def _context(self, asked: Asked, budget: Budget) -> Context:
        """Of the whole question that was made of a follow-up."""
        started = time.perf_counter()
        query, timings_s = asked.query, {}
        if self._follow_up is not None and asked.history:
            with self._tracer.span("follow_up", inputs={"query": query.text}) as span:
                whole = self._follow_up.whole(query.text, asked.history, within_s=budget.left_s)
                span.record(question=whole)
            query = query.model_copy(update={"text": whole})
            timings_s["follow_up"] = time.perf_counter() - started
        context = self._retriever.retrieve(
            query, asked.k, self_query=asked.self_query, budget=budget
        )
        timings_s |= {**context.timings_s, "retrieve": time.perf_counter() - started}
        condensed = query.text if query.text != asked.query.text else ""
        return context.model_copy(update={"timings_s": timings_s, "condensed": condensed})

    def _written(self, prepared: Prepared, budget: Budget, trace_id: str = "") -> Answer:
        started = time.perf_counter()
        draft = self._draft(prepared)
        if prepared.passages:
            with self._generating(prepared) as span:
                pieces = self._pieces(prepared)
                try:
                    for piece in pieces:
                        budget.check("generation")
                        draft.add(piece)
                finally:
                    if isinstance(pieces, Generator):
                        pieces.close()
                draft.finish()
                _record(span, draft)
        else:
            draft.finish()
        return self._finished(prepared, draft, trace_id, started)

    async def _awritten(
        self, prepared: Prepared, trace_id: str, give: Callable[[Piece], Awaitable[None]]
    ) -> Answer:
        started = time.perf_counter()
        draft = self._draft(prepared)
        if prepared.passages:
            with self._generating(prepared) as span:
                async with aclosing(self._apieces(prepared)) as pieces:
                    async for piece in pieces:
                        if shown := draft.add(piece):
                            await give(Piece(text=shown))
                rest = draft.finish()
                _record(span, draft)
        else:
            rest = draft.finish()
        if rest:
            await give(Piece(text=rest))
        return self._finished(prepared, draft, trace_id, started)

    def _draft(self, prepared: Prepared) -> Draft:
        return Draft(prepared.passages, prepared.fields, refuse_ungrounded=self._refuse_ungrounded)

    def _pieces(self, prepared: Prepared) -> Iterator[str]:
        question, passages, writer = prepared.whole_question, prepared.passages, self._writer
        if isinstance(writer, LLMWriter):
            return writer.write(question, passages, max_tokens=prepared.max_tokens)
        return writer.write(question, passages)

    def _apieces(self, prepared: Prepared) -> AsyncGenerator[str]:
        question, passages, writer = prepared.whole_question, prepared.passages, self._writer
        if isinstance(writer, LLMWriter):
            pieces = writer.awrite(question, passages, max_tokens=prepared.max_tokens)
            if pieces is not None:
                return pieces
        return in_thread(partial(self._pieces, prepared))

    def _finished(self, prepared: Prepared, draft: Draft, trace_id: str, started: float) -> Answer:
        seconds = time.perf_counter() - started
        if prepared.passages:
            self._estimates.add("generate", seconds)
        model = self._writer.model_id
        return prepared.answer(draft, model=model, trace_id=trace_id, generate=seconds)

    def _span(self, name: str, asked: Asked) -> AbstractContextManager[Span]:
        return self._tracer.span(name, inputs={"query": asked.query.text, "k": asked.k})

    def _generating(self, prepared: Prepared) -> AbstractContextManager[Span]:
        inputs = {
            "model": self._writer.model_id,
            "prompt_version": str(template_for(prepared.passages)),
            "passages": len(prepared.passages),
        }
        return self._tracer.span("generate", kind="llm", inputs=inputs)


def _record(span: Span, draft: Draft) -> None:
    titles = draft.titles
    checked = {"kept": titles.kept, "replaced": titles.replaced, "flagged": titles.flagged}
    span.record(answer=draft.text, **({"from_context": checked} if any(checked.values()) else {}))
