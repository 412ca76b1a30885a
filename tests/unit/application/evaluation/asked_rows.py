"""Rows of the two kinds that models are evaluated on: answers from a context, and an author's prose."""

from rag_llm_system.application.evaluation.answers.asked import Asked
from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.datasets import TrainingRow

LIBRARY = (
    "1. sci-fi | Sigourney Weaver, Tom Skerritt | **Alien** (1979) | it follows the crew of a cargo ship\n"
    "2. comedy | Bill Murray, Andie MacDowell | **Groundhog Day** (1993) | it follows a weatherman in a time loop\n"
    "3. drama | Tim Robbins, Morgan Freeman | **Help!** (1965) | it tells the story of a ring"
)
TITLES = ("Alien", "Groundhog Day", "Help!")
ANSWER = (
    "You're in luck! Watch **Alien** (1979)! It follows the crew of a cargo ship, and Sigourney Weaver is"
    " stunning! Enjoy every minute!"
)


def film_row(
    question: str = "One sci-fi film, please.",
    answer: str = ANSWER,
    *,
    picks: tuple[str, ...] = ("Alien",),
    kind: str = "genre",
) -> TrainingRow:
    return TrainingRow(
        messages=(
            Message(role="system", content="Recommend only films of the library."),
            Message(role="user", content=f"Library:\n{LIBRARY}\n\nQuestion: {question}"),
            Message(role="assistant", content=answer),
        ),
        document_id="film:Alien",
        metadata={"kind": kind, "titles": list(TITLES), "picks": list(picks), "matches": ["Alien"]},
    )


def film(**changes: object) -> Asked:
    """A row about a film as it is asked."""
    asked = Asked(
        question="One sci-fi film, please.",
        context=LIBRARY,
        reference=ANSWER,
        titles=TITLES,
        picks=("Alien",),
        matches=("Alien",),
    )
    return asked.model_copy(update=changes)


def prose(question: str = "How are vectors kept?", reference: str = "In a store.") -> Asked:
    return Asked(question=question, context="", reference=reference)
