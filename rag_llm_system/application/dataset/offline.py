"""Generates rows without a language model: questions from headings and terms, answers in the author's words."""

from collections.abc import Iterable, Iterator
from typing import TypedDict

from rag_llm_system.application.dataset.generation_report import GenerationReport
from rag_llm_system.application.dataset.generation_rows import (
    alike,
    instruction_row,
    preference_row,
)
from rag_llm_system.application.dataset.near_duplicates import NearDuplicates
from rag_llm_system.application.dataset.offline_fitness import unfit
from rag_llm_system.application.dataset.offline_questions import (
    Asked,
    last_sentence,
    questions,
    topic_of,
)
from rag_llm_system.application.dataset.offline_rejected import rejected_answers
from rag_llm_system.application.dataset.overlap import normalised
from rag_llm_system.application.dataset.passages import passages, unwrapped
from rag_llm_system.application.dataset.prompts import GenerationPrompt
from rag_llm_system.domain.datasets import Row
from rag_llm_system.domain.documents import sha256_of

NAME = "offline-1"
"""Stands in each row, so that a training set says what made it; changes when the rows would."""

_DIGEST_CHARS = 20


class _Origin(TypedDict):
    generator: str
    section: str


class OfflineGenerator:
    """One row for each passage of an extract that reads well on its own; no question is asked twice.

    The answer is the passage, white space aside. Of a question only a signature is kept, of an answer a digest.
    """

    name = NAME

    def __init__(self) -> None:
        self._asked = NearDuplicates()
        self._answered: set[str] = set()

    def rows(self, prompts: Iterable[GenerationPrompt], report: GenerationReport) -> Iterator[Row]:
        for prompt in prompts:
            report.prompts += 1
            yield from self._of_prompt(prompt, report)

    def _of_prompt(self, prompt: GenerationPrompt, report: GenerationReport) -> Iterator[Row]:
        before, used = "", frozenset[str]()
        for passage in passages(prompt.extract):
            report.candidates += 1
            answer = unwrapped(passage.text)
            asked = Asked(
                prompt=prompt,
                passage=passage,
                before=last_sentence(before) if passage.follows else "",
                used=used,
            )
            before = passage.text
            made = self._row(asked, answer)
            if isinstance(made, str):
                report.lose(made)
                continue
            used |= {term.casefold() for term in asked.terms}
            report.rows += 1
            yield made

    def _row(self, asked: Asked, answer: str) -> Row | str:
        """The row, or why there is none."""
        if reason := unfit(asked.passage.text):
            return reason
        if _digest(answer) in self._answered:
            return "answer given before"
        question = next((q for q in questions(asked) if not self._asked.similar(q)), "")
        if not question:
            return "question asked before"
        prompt, origin = asked.prompt, _Origin(generator=NAME, section=asked.passage.heading)
        row: Row
        if prompt.kind == "instruction":
            row = instruction_row(prompt, question, answer, **origin)
        else:
            others = rejected_answers(prompt, answer, topic_of(asked), asked.choice)
            rejected = next((other for other in others if not alike(answer, other)), "")
            if not rejected:
                return "no worse answer"
            row = preference_row(prompt, question, chosen=answer, rejected=rejected, **origin)
        self._asked.add("", question)
        self._answered.add(_digest(answer))
        return row


def _digest(text: str) -> str:
    return sha256_of(normalised(text))[:_DIGEST_CHARS]
