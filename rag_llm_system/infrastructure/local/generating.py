"""One request to the engine: checked, traced, measured, recorded, and ended when its client leaves."""

import asyncio
import queue
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.errors import BackendError, Overloaded, RagSystemError
from rag_llm_system.domain.from_context import FromContext
from rag_llm_system.domain.ports import Tracer
from rag_llm_system.infrastructure.local.governance import (
    COMPLIANT,
    Finding,
    GovernanceMonitor,
)
from rag_llm_system.infrastructure.local.pending import Done, PendingAnswer
from rag_llm_system.infrastructure.local.protocol import Engine, RunningGeneration
from rag_llm_system.infrastructure.serving.metrics import ServerMetrics

WITHHELD = "withheld"
"""Why an answer ended that governance did not let through."""

_CANCELLED, _FAILED = "cancelled", "failed"
_UNKNOWN = Done(reason="", prompt_tokens=0, completion_tokens=0)
"""An answer that was cut off has no counts."""


class Asked(Value):
    """What ``/infer`` and ``/v1/chat/completions`` have in common."""

    messages: tuple[Message, ...]
    max_new_tokens: int
    temperature: float
    top_p: float
    stop: tuple[str, ...] = ()
    from_context: tuple[FromContext, ...] = ()


class Ended(Value):
    """How an answer ended. ``text`` is all of it, "" where ``status`` is not "compliant"."""

    text: str = ""
    status: str
    reason: str
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Inference:
    """One request. ``trace_id`` is known from the first event on."""

    def __init__(
        self,
        engine: Engine,
        asked: Asked,
        *,
        governance: GovernanceMonitor,
        metrics: ServerMetrics,
        tracer: Tracer,
        caller: Mapping[str, str],
    ) -> None:
        self._engine = engine
        self._asked = asked
        self._governance = governance
        self._metrics = metrics
        self._tracer = tracer
        self._caller = caller
        self._began = time.perf_counter()
        self.trace_id = ""

    @property
    def model(self) -> str:
        return self._engine.model_id

    async def whole(self) -> Ended:
        """The answer without its pieces."""
        async with aclosing(self.events()) as events:
            async for event in events:
                if isinstance(event, Ended):
                    return event
        raise BackendError("the engine ended without an answer")

    async def events(self) -> AsyncGenerator[str | Ended]:
        """Pieces of text, then how it ended. Closing the generator cancels the generation.

        Raises what the engine refuses with before the first piece, and what it fails with after it.
        """
        # in a thread: a long conversation takes a while to search, and others wait for the loop
        messages, checked = await asyncio.to_thread(
            self._governance.check_messages, self._asked.messages
        )
        asked = self._asked.model_copy(update={"messages": tuple(messages)})
        blocked = not checked.compliant
        ended = Ended(status=checked.status, reason=WITHHELD)
        with self._tracer.span(
            "generate",
            kind="llm",
            inputs=_shown(asked, self.model, blocked=blocked),
            caller=self._caller,
        ) as span:
            self.trace_id = span.trace_id
            if blocked:
                await self._record("", checked.status, checked.findings)
            else:
                async with aclosing(self._generated(asked, checked.findings)) as events:
                    async for event in events:
                        if isinstance(event, Ended):
                            ended = event
                        else:
                            yield event
            span.record(**ended.model_dump())
        self._count(ended)
        yield ended

    async def _generated(
        self, asked: Asked, findings: Sequence[Finding]
    ) -> AsyncGenerator[str | Ended]:
        answer = PendingAnswer(asyncio.get_running_loop())
        generation = await _started(self._engine, asked, answer)
        gate = self._governance.gate()
        text, status, done = "", _CANCELLED, _UNKNOWN
        try:
            async with aclosing(answer.events()) as events:
                async for event in events:
                    piece = gate.finish() if isinstance(event, Done) else gate.add(event)
                    if piece:
                        if not text:
                            self._observe("first_token")
                        text += piece
                        yield piece
                    done = event if isinstance(event, Done) else _UNKNOWN
                    if gate.status != COMPLIANT:
                        break
            status = gate.status
        except RagSystemError:
            status = _FAILED
            raise
        finally:
            generation.cancel()
            self._observe("generate")
            # an answer counts as given once it is on record: its end is told after that
            await self._record(text, status, (*findings, *gate.findings))
        withheld = status != COMPLIANT
        yield Ended(
            text="" if withheld else text,
            status=status,
            reason=WITHHELD if withheld else done.reason,
            prompt_tokens=done.prompt_tokens,
            completion_tokens=done.completion_tokens,
        )

    async def _record(self, answer: str, status: str, findings: Sequence[Finding]) -> None:
        """What was asked as it came: the log takes the secrets out by itself."""
        if status in {_CANCELLED, _FAILED}:
            self._metrics.count(f"generation_{status}")
        prompt = "\n".join(message.content for message in self._asked.messages)
        await asyncio.to_thread(
            self._governance.log_inference,
            prompt,
            answer,
            status,
            self.trace_id,
            findings=findings,
        )

    def _observe(self, stage: str) -> None:
        """Both from when the request came: with the time it waited for others."""
        self._metrics.observe_stage(stage, time.perf_counter() - self._began)

    def _count(self, ended: Ended) -> None:
        self._metrics.count("prompt_tokens", ended.prompt_tokens)
        self._metrics.count("completion_tokens", ended.completion_tokens)
        if ended.reason == WITHHELD:
            self._metrics.count("answer_withheld")


async def _started(engine: Engine, asked: Asked, answer: PendingAnswer) -> RunningGeneration:
    """In a thread, as the prompt is made into tokens first. Who leaves meanwhile leaves no generation behind."""
    starting = asyncio.ensure_future(asyncio.to_thread(_start, engine, asked, answer))
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        starting.add_done_callback(_cancel)
        raise


def _start(engine: Engine, asked: Asked, answer: PendingAnswer) -> RunningGeneration:
    try:
        return engine.start(
            asked.messages,
            answer,
            max_new_tokens=asked.max_new_tokens,
            temperature=asked.temperature,
            top_p=asked.top_p,
            stop=asked.stop,
            from_context=asked.from_context,
        )
    except queue.Full as error:
        if isinstance(error, Overloaded):
            raise
        raise Overloaded(str(error) or "too many requests wait; try again later") from error


def _cancel(starting: "asyncio.Future[RunningGeneration]") -> None:
    if not starting.cancelled() and starting.exception() is None:
        starting.result().cancel()


def _shown(asked: Asked, model: str, *, blocked: bool) -> dict[str, Any]:
    """What the trace shows of a request; the tracer cuts texts and takes secrets out of them."""
    conversation = [message.model_dump() for message in asked.messages]
    return {
        "messages": WITHHELD if blocked else conversation,
        "model": model,
        **asked.model_dump(include={"max_new_tokens", "temperature", "top_p", "stop"}),
        "fields_from_context": len(asked.from_context),
    }
