"""Makes rows of questions and answers, and says in each where it comes from."""

from rag_llm_system.application.dataset.near_duplicates import shingles
from rag_llm_system.application.dataset.prompts import GenerationPrompt
from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.datasets import PreferenceRow, TrainingRow
from rag_llm_system.domain.documents import Metadata

_ALIKE = 0.5
"""Share of common runs of three words: of two answers that say the same in mostly the same words."""


def system_message(author_full_name: str) -> Message:
    """The same for all rows of an author: style comes from training, facts from the question's sources."""
    author = author_full_name.strip() or "the author"
    return Message(role="system", content=f"You write as {author} does, in the author's own style.")


def instruction_row(
    prompt: GenerationPrompt, question: str, answer: str, *, generator: str, section: str = ""
) -> TrainingRow:
    """``section`` is the heading above the answer, where it is known better than the prompt knows."""
    return TrainingRow(
        messages=(
            system_message(prompt.author_full_name),
            Message(role="user", content=question),
            Message(role="assistant", content=answer),
        ),
        document_id=prompt.document_id,
        metadata=_origin(prompt, generator, section),
    )


def preference_row(
    prompt: GenerationPrompt,
    question: str,
    *,
    chosen: str,
    rejected: str,
    generator: str,
    section: str = "",
) -> PreferenceRow:
    """``section`` as in ``instruction_row``."""
    return PreferenceRow(
        prompt=(
            system_message(prompt.author_full_name),
            Message(role="user", content=question),
        ),
        chosen=chosen,
        rejected=rejected,
        document_id=prompt.document_id,
        metadata=_origin(prompt, generator, section),
    )


def alike(answer: str, other: str) -> bool:
    """Whether two answers are too near to tell which one is better."""
    one, two = set(shingles(answer)), set(shingles(other))
    return len(one & two) >= _ALIKE * min(len(one), len(two))


def _origin(prompt: GenerationPrompt, generator: str, section: str) -> Metadata:
    return {
        "title": prompt.title,
        "section": section or prompt.heading,
        "category": prompt.category,
        "chunk_id": prompt.chunk_id,
        "generator": generator,
        "prompt_version": prompt.prompt_version,
    }
