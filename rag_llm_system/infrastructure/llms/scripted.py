"""A model that says what it was given to say: the double for tests and dry runs."""

from collections.abc import Iterator, Sequence

from rag_llm_system.domain.answers import Message


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
