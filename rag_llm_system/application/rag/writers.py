"""What writes an answer from numbered passages: a language model, or whatever else has the methods."""

from collections.abc import AsyncGenerator, Iterator, Sequence
from typing import Protocol, runtime_checkable

from rag_llm_system.application.rag.context import formatted
from rag_llm_system.application.rag.grounded_fields import from_context
from rag_llm_system.application.rag.prompt_templates import template_for
from rag_llm_system.domain.answers import ContextChunk
from rag_llm_system.domain.from_context import FromContext
from rag_llm_system.domain.ports import LLM, AsyncLLM, GroundedLLM


class AnswerWriter(Protocol):
    """Writes an answer from numbered passages. Closing the iterator, where it can be closed, cancels."""

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
    Earlier turns of a conversation are not shown to it: the question is made whole before, and what an answer said is
    no source.
    """

    def __init__(
        self, llm: LLM, *, max_tokens: int, temperature: float, grounded_decoding: bool = True
    ) -> None:
        self._llm = llm
        self.max_tokens = max_tokens
        self._temperature = temperature
        self._grounded_decoding = grounded_decoding
        self.model_id = llm.model_id

    def from_context(self, passages: Sequence[ContextChunk]) -> Sequence[FromContext]:
        return from_context(template_for(passages).from_context, passages)

    def write(
        self, question: str, passages: Sequence[ContextChunk], *, max_tokens: int | None = None
    ) -> Iterator[str]:
        """``max_tokens``: where this answer is to be shorter than others."""
        llm, temperature = self._llm, self._temperature
        tokens = max_tokens or self.max_tokens
        prompt = template_for(passages).messages(question, formatted(passages))
        if (fields := self._held_to(passages)) and isinstance(llm, GroundedLLM):
            return llm.stream_from_context(
                prompt, max_tokens=tokens, temperature=temperature, from_context=fields
            )
        return llm.stream(prompt, max_tokens=tokens, temperature=temperature)

    def awrite(
        self, question: str, passages: Sequence[ContextChunk], *, max_tokens: int | None = None
    ) -> AsyncGenerator[str] | None:
        """As :meth:`write`, without a thread; None for a model that needs one."""
        if not isinstance(self._llm, AsyncLLM):
            return None
        return self._llm.astream(
            template_for(passages).messages(question, formatted(passages)),
            max_tokens=max_tokens or self.max_tokens,
            temperature=self._temperature,
            from_context=self._held_to(passages),
        )

    def _held_to(self, passages: Sequence[ContextChunk]) -> Sequence[FromContext]:
        return self.from_context(passages) if self._grounded_decoding else ()
