"""A model that says what it was given to say: the double for tests and dry runs."""

from collections.abc import AsyncGenerator, Iterator, Sequence

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.from_context import FromContext


class ScriptedLLM:
    """Answers in turn with ``answers``, the last one for ever; ``asked`` keeps what it was asked."""

    model_id = "scripted"

    def __init__(self, answers: Sequence[str] = ("Nothing to say.",)) -> None:
        self._answers = list(answers)
        self.asked: list[Sequence[Message]] = []

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float,  # noqa: ARG002 - a script has no temperature
    ) -> Iterator[str]:
        self.asked.append(tuple(messages))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        for word in answer.split(" ")[:max_tokens]:
            yield f"{word} "

    async def astream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float,
        from_context: Sequence[FromContext] = (),  # noqa: ARG002 - a script is not held to anything
    ) -> AsyncGenerator[str]:
        for piece in self.stream(messages, max_tokens=max_tokens, temperature=temperature):
            yield piece
