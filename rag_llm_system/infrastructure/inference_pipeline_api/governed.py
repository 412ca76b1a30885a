"""Answers on their way out: so many at once, held to the policy, counted and recorded."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from functools import lru_cache

import anyio
from anyio.to_thread import run_sync

from rag_llm_system.application.rag.answer import Asked, Assistant, Found, Piece
from rag_llm_system.domain.answers import Answer, AnswerSource, Message
from rag_llm_system.domain.errors import DataError, Overloaded
from rag_llm_system.infrastructure.local.governance import (
    COMPLIANT,
    Checked,
    Finding,
    GovernanceMonitor,
    OutputGate,
)
from rag_llm_system.infrastructure.serving.metrics import ServerMetrics

WITHHELD = "This is withheld: the governance policy does not let it through ({status})."

_SCREENED = 4096
"""Texts of sources that are remembered, some 10 MB."""

Event = Found | Piece | Answer


class Governed:
    """The answers of one server. ``most`` are in work at once, ``retrieving`` of them in retrieval."""

    def __init__(
        self, monitor: GovernanceMonitor, metrics: ServerMetrics, *, most: int, retrieving: int
    ) -> None:
        self._monitor, self._metrics = monitor, metrics
        self._most, self._in_work = most, 0
        self.limiter = anyio.CapacityLimiter(retrieving)
        # the policy of a server does not change, and questions find the same passages again and again
        self.screened = lru_cache(_SCREENED)(self._screened_text)

    @property
    def in_work(self) -> int:
        return self._in_work

    async def events(self, assistant: Assistant, asked: Asked) -> AsyncGenerator[tuple[Event, str]]:
        """The events of ``Assistant.events``, each with the compliance status so far.

        What the policy changes comes changed, and the answer's text is what was sent, or that it was withheld. Raises
        Overloaded.
        """
        if self._in_work >= self._most:
            raise Overloaded(f"{self._most} questions are in work already; try again later")
        held = _Held(self._monitor.check_input(asked.query.text), self._monitor.gate())
        self._in_work += 1
        try:
            if held.status != COMPLIANT:
                yield _withheld(asked, held), held.status
                return
            events = assistant.events(self._let_in(asked, held.question), limiter=self.limiter)
            async with aclosing(events):
                async for event in events:
                    for one in self._let_out(event, asked, held):
                        yield one, held.status
                    if held.status != COMPLIANT or held.ended:
                        return
        finally:
            self._in_work -= 1
            with anyio.CancelScope(shield=True):
                await run_sync(self._record, asked, held)

    def admitted(self, text: str) -> str:
        """A text that is to be kept, without what the policy takes out; recorded as a question is.

        Raises DataError for one that it does not let in.
        """
        checked = self._monitor.check_input(text)
        self._monitor.log_inference(text, "", checked.status, findings=checked.findings)
        if not checked.compliant:
            raise DataError(WITHHELD.format(status=checked.status))
        return checked.text

    def _let_in(self, asked: Asked, question: str) -> Asked:
        """What the policy takes out is not searched for, nor read in the conversation before."""
        history = tuple(
            Message(role=turn.role, content=self._monitor.check_input(turn.content).text)
            for turn in asked.history
        )
        query = asked.query.model_copy(update={"text": question})
        return asked.model_copy(update={"query": query, "history": history})

    def _let_out(self, event: Event, asked: Asked, held: "_Held") -> list[Event]:
        if isinstance(event, Found):
            held.trace_id = event.trace_id
            return [event.model_copy(update={"sources": self._screened(event.sources)})]
        text = held.add(
            event.text if isinstance(event, Piece) else "", last=isinstance(event, Answer)
        )
        out: list[Event] = [Piece(text=text)] if text else []
        if held.status != COMPLIANT:
            return [*out, _withheld(asked, held)]
        if isinstance(event, Answer):
            held.trace_id = event.trace_id
            for stage, seconds in event.timings_s.items():
                self._metrics.observe_stage(stage, seconds)
            sources = self._screened(event.sources)
            out.append(event.model_copy(update={"text": held.sent, "sources": sources}))
        return out

    def _screened(self, sources: Sequence[AnswerSource]) -> tuple[AnswerSource, ...]:
        return tuple(
            one.model_copy(
                update={"quote": self.screened(one.quote), "passage": self.screened(one.passage)}
            )
            for one in sources
        )

    def _screened_text(self, text: str) -> str:
        """A text of a source as the policy lets it out: without what it redacts, up to what it blocks."""
        gate = self._monitor.gate()
        return gate.add(text) + gate.finish()

    def _record(self, asked: Asked, held: "_Held") -> None:
        status = held.status if held.ended or held.status != COMPLIANT else "cancelled"
        self._monitor.log_inference(
            asked.query.text, held.sent, status, held.trace_id, findings=held.findings
        )


class _Held:
    """What is known of one answer while it is held to the policy."""

    def __init__(self, checked: Checked, gate: OutputGate) -> None:
        self._checked, self._gate = checked, gate
        self.question = checked.text
        self.sent, self.trace_id, self.ended = "", "", False

    @property
    def status(self) -> str:
        return self._checked.status if self._checked.status != COMPLIANT else self._gate.status

    @property
    def findings(self) -> tuple[Finding, ...]:
        return (*self._checked.findings, *self._gate.findings)

    def add(self, text: str, *, last: bool) -> str:
        """What may be sent now."""
        out = self._gate.add(text) if text else ""
        if last:
            out += self._gate.finish()
            self.ended = True
        self.sent += out
        return out


def _withheld(asked: Asked, held: _Held) -> Answer:
    return Answer(
        question=asked.query.text,
        text=WITHHELD.format(status=held.status),
        model="",
        grounded=False,
        trace_id=held.trace_id,
    )
