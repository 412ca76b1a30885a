"""A reranker without a model: the words that a text shares with the question. For tests and dry runs."""

import re
from collections.abc import Sequence

_WORD = re.compile(r"\w+")


class OverlapReranker:
    """The share of the question's different words that a text has; ``at_most`` texts are scored, as if time ran out."""

    def __init__(self, at_most: int | None = None) -> None:
        self._at_most = at_most

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        asked = _words(question)
        return [len(asked & _words(text)) / max(1, len(asked)) for text in texts[: self._at_most]]


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text.casefold()))
