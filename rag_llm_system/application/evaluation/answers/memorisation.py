"""What a model knows of its training answers without their context: facts that training ought not to have taught.

The probe asks questions of training rows with the context taken away. Where the answers name titles, it counts the
titles of the training answer that come out nevertheless; a title that the question itself has does not count. Elsewhere
it counts the phrases: runs of five words of the training answer. Chance is measured on the same answers: the titles or
phrases of a row that the model was not trained on, which come out by luck and by common wording alone.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from rag_llm_system.application.evaluation.answers.asked import Asked
from rag_llm_system.application.evaluation.answers.grounding import key, mentioned
from rag_llm_system.application.evaluation.answers.intervals import Measured

PHRASE_WORDS = 5

_WORD = re.compile(r"\w+")


class Probe(NamedTuple):
    """A training row that is asked without its context, and an unseen row to compare with by chance."""

    trained: Asked
    unseen: Asked


def probes_of(trained: Sequence[Asked], unseen: Sequence[Asked]) -> list[Probe]:
    """Each training row beside an unseen one; with fewer of those, they are used again. [] without any."""
    if not unseen:
        return []
    return [Probe(row, unseen[n % len(unseen)]) for n, row in enumerate(trained)]


def memorised(answer: str, probe: Probe) -> Measured:
    """The share of the training answer's titles, or else phrases, that the answer has."""
    return _came_out(answer, probe.trained, question=probe.trained.question)


def by_chance(answer: str, probe: Probe) -> Measured:
    """The same share of the unseen row's titles or phrases."""
    return _came_out(answer, probe.unseen, question=probe.trained.question)


def _came_out(answer: str, row: Asked, *, question: str) -> Measured:
    titles = _titles(row)
    if titles:
        asked_for = {key(title) for title in mentioned(question, titles)}
        counted = [title for title in titles if key(title) not in asked_for]
        return _share(len(mentioned(answer, counted)), len(counted))
    phrases = _phrases(row.reference) - _phrases(question)
    return _share(len(phrases & _phrases(answer)), len(phrases))


def _titles(row: Asked) -> Sequence[str]:
    """Those that the reference names."""
    return mentioned(row.reference, dict.fromkeys((*row.picks, *row.titles)))


def _phrases(text: str) -> set[tuple[str, ...]]:
    words = [word.casefold() for word in _WORD.findall(text)]
    return {tuple(words[n : n + PHRASE_WORDS]) for n in range(len(words) - PHRASE_WORDS + 1)}


def _share(came_out: int, counted: int) -> Measured:
    return Measured(came_out / counted, 1.0) if counted else Measured(0.0, 0.0)
