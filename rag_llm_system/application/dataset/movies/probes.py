"""Questions without a library: whoever answers them with a title of the training set has learned it by heart."""

import random
from collections.abc import Iterator, Sequence

from rag_llm_system.application.dataset.movies import wording
from rag_llm_system.application.dataset.movies.films import GENRES
from rag_llm_system.application.dataset.movies.rows import GREATEST_NUMBER, question_message
from rag_llm_system.domain.answers import Message


def memorisation_prompts(count: int, seed: int) -> Iterator[Sequence[Message]]:
    """``count`` prompts in the wording of the training set that list no film; the same seed gives the same prompts."""
    genres = sorted(set(GENRES.values()))
    for number in range(count):
        rng = random.Random(f"{seed}:{number}")  # noqa: S311 - templates, nothing secret
        question = rng.choice(wording.GENRE_QUESTIONS[rng.randint(1, GREATEST_NUMBER)])
        yield (
            Message(role="system", content=wording.SYSTEM_PROMPT),
            Message(
                role="user", content=question_message(question.format(genre=rng.choice(genres)))
            ),
        )
