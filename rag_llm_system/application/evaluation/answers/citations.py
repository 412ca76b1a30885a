"""Citations of an answer: each ``[n]`` must be a source of its context, which supports the statement that cites it.

A source supports a statement when it has at least half of the statement's content words. Measured on the rows whose
reference cites; an answer that cites nothing there scores 0.
"""

import re

from rag_llm_system.application.evaluation.answers.asked import Asked, numbered_sources
from rag_llm_system.application.evaluation.answers.intervals import Measured
from rag_llm_system.application.preprocessing.terms import word_counts
from rag_llm_system.application.rag.citations import checked_citations

SUPPORTED = 0.5
"""The share of a statement's content words that its source must have."""

_ANY = frozenset(range(10_000))
_NUMBER = re.compile(r"\[(\d{1,4})\]")
# a statement ends with its full stop and the citations behind it
_STATEMENT = re.compile(r"[^.!?\n]*(?:[.!?]+|\n|\Z)(?:\s*\[\d{1,4}\])*")


def citations(answer: str, asked: Asked) -> Measured | None:
    """The share of the citations that exist and are supported; rows whose reference cites nothing do not count."""
    sources = numbered_sources(asked.context)
    if not sources or not checked_citations(asked.reference, sources.keys())[1]:
        return None
    text, _ = checked_citations(answer, _ANY)
    verdicts = [
        number in sources and _supports(sources[number], _NUMBER.sub(" ", statement[0]))
        for statement in _STATEMENT.finditer(text)
        for number in map(int, _NUMBER.findall(statement[0]))
    ]
    return Measured(sum(verdicts) / len(verdicts)) if verdicts else Measured(0.0)


def _supports(source: str, statement: str) -> bool:
    words = set(word_counts(statement))
    return bool(words) and len(words & set(word_counts(source))) >= SUPPORTED * len(words)
