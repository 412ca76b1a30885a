"""What the inference server takes and gives, and what it asks of an engine."""

from collections.abc import Sequence
from typing import Annotated, Protocol, Self

from pydantic import Field, model_validator

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.from_context import FromContext
from rag_llm_system.infrastructure.local.pending import PendingAnswer

MAX_NEW_TOKENS = 4096
DEFAULT_NEW_TOKENS = 256
MAX_PROMPT_CHARS = 200_000
"""Four times what 8,192 tokens of English hold: longer texts are refused before they are tokenised."""

MAX_FIELDS = 8


class RunningGeneration(Protocol):
    def cancel(self) -> None:
        """Ends it soon; nothing happens when it has ended already."""


class EngineLoad(Protocol):
    """How busy an engine is."""

    @property
    def running(self) -> int: ...

    @property
    def waiting(self) -> int: ...

    @property
    def max_waiting(self) -> int: ...


class EngineStats(Value):
    """An ``EngineLoad`` for engines of this package."""

    running: int
    waiting: int
    max_waiting: int


class Engine(Protocol):
    """Generates text; ``start`` queues a request and reports to its listener, from any thread."""

    model_id: str
    device: str

    def start(
        self,
        messages: Sequence[Message],
        listener: PendingAnswer,
        *,
        max_new_tokens: int,
        temperature: float,
        top_p: float,
        stop: Sequence[str],
        from_context: Sequence[FromContext],
    ) -> RunningGeneration:
        """Raises DataError for a prompt that is too long; Overloaded, or ``queue.Full``, when too many wait."""

    def stats(self) -> EngineLoad: ...

    def close(self) -> None: ...


StopString = Annotated[str, Field(min_length=1, max_length=100)]


class InferRequest(Value):
    """``prompt`` is one user message; ``messages`` is a conversation that ends with the user's.

    ``from_context``: fields of the answer, each between two marks, that hold one of the given values and nothing else.
    """

    prompt: str | None = Field(None, min_length=1, max_length=MAX_PROMPT_CHARS)
    messages: list[Message] | None = Field(None, min_length=1, max_length=200)
    max_new_tokens: int = Field(DEFAULT_NEW_TOKENS, ge=1, le=MAX_NEW_TOKENS)
    temperature: float = Field(0.01, ge=0, le=2)
    top_p: float = Field(0.9, gt=0, le=1)
    stop: list[StopString] = Field(default_factory=list, max_length=8)
    stream: bool = False
    from_context: list[FromContext] = Field(default_factory=list, max_length=MAX_FIELDS)

    @model_validator(mode="after")
    def _asks(self) -> Self:
        if (self.prompt is None) == (self.messages is None):
            raise ValueError("give prompt or messages, one of the two")
        if self.messages and self.messages[-1].role != "user":
            raise ValueError("the last of messages must be the user's")
        if sum(len(m.content) for m in self.conversation) > MAX_PROMPT_CHARS:
            raise ValueError(f"messages have over {MAX_PROMPT_CHARS} characters together")
        return self

    @property
    def conversation(self) -> list[Message]:
        return self.messages or [Message(role="user", content=self.prompt or "")]


class Usage(Value):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class InferResponse(Value):
    """``generated_text`` never repeats the prompt, and is empty when the status is not "compliant".

    ``finish_reason`` is "stop", "length" or "withheld"; ``trace_id`` is "" where nothing is traced.
    """

    generated_text: str = Field(examples=["A list of numbers that stands for a text."])
    compliance_status: str = Field(examples=["compliant"])
    finish_reason: str = Field(examples=["stop"])
    usage: Usage
    model: str
    trace_id: str
