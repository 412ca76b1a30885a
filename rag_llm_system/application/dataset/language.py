"""Whether a text is written in one of the languages that a training set is to have."""

from collections.abc import Sequence

import py3langid

from rag_llm_system.application.preprocessing.markdown import code_or_prose
from rag_llm_system.domain.errors import ConfigurationError

MIN_LETTERS = 60
"""Shorter texts are not judged: names and borrowed terms decide what a few words look like."""

_SURE = 0.25
"""By how much, in log probability for each letter, another language must lead. English came first for each of 1,780
passages of English articles full of names; a German sentence of mostly English terms leads by 1.3."""


def is_in(text: str, languages: Sequence[str]) -> bool:
    """``languages`` as in ISO 639, such as ``en``; blocks of code are not looked at. In doubt a text is in one of them.

    Raises ConfigurationError for a language that cannot be told.
    """
    prose = "\n".join(line for is_code, line in code_or_prose(text) if not is_code)
    letters = sum(map(str.isalpha, prose))
    if letters < MIN_LETTERS:
        return True
    ranked: list[tuple[str, float]] = py3langid.rank(prose)
    scores = dict(ranked)
    if unknown := [language for language in languages if language not in scores]:
        raise ConfigurationError(
            f"language {unknown[0]!r} cannot be told from others; use codes such as 'en', 'de', 'fr', or an empty list"
        )
    return (ranked[0][1] - max(map(scores.__getitem__, languages))) / letters < _SURE
