"""How likely the sources are about the question, from their cosine and the words they share with it."""

import re
from collections.abc import Sequence

from rag_llm_system.application.preprocessing.terms import content_words
from rag_llm_system.domain.answers import Confidence, ContextChunk

_WORDS = 0.2
"""What a passage with all the words of the question gains: as much as lies between an unrelated text's cosine and a
related one's. The encoder alone overlooks names and short questions, the words alone overlook synonyms."""

MIN_EVIDENCE = 0.35
"""Below it a passage is about something else. Measured with MiniLM on the handbook and on 76 articles: the best passage
of 50 questions about them had 0.48 to 0.96; that of 20 questions about something else, asked of both, 0.11 to 0.41, and
38 of the 40 stayed below. Another encoder has another scale."""

_MEDIUM, _HIGH = 0.5, 0.65
"""Of the 50 questions 4 were low, 20 medium and 26 high. The questions about the articles, asked of the handbook, which
is about the same field and holds few of the answers: 11 without a source, 14 low, 4 medium, 1 high. How far the best
stands above the others tells the two kinds apart less well, and adds nothing to this."""

_NAMED = _MEDIUM
_ONLY_CODE = re.compile(r"[A-Z_.]")

LOW = "The sources say little about this."


def evidence(question: str, passage: ContextChunk) -> float:
    """The cosine of the passage, and up to 0.2 for the share of the question's words that it or its titles have.

    Code that defines what the question calls by its name is about it, whatever the encoder makes of names.
    """
    asked = content_words(question)
    about = (passage.title, passage.author_full_name, *passage.headings, passage.content)
    said = frozenset().union(*map(content_words, about))
    found = passage.score + _WORDS * len(asked & said) / max(1, len(asked))
    return max(found, _NAMED) if _names(question, passage.symbols) else found


def _names(question: str, symbols: Sequence[str]) -> bool:
    """Whether one of the symbols stands in the question; a plain word only as code: ``save()`` or in backticks."""
    written = (
        s if _ONLY_CODE.search(s) else rf"(?:`{s}`|{s}\(\))" for s in map(re.escape, symbols)
    )
    return any(re.search(rf"(?<!\w){one}(?!\w)", question) for one in written)


def confidence_in(question: str, passages: Sequence[ContextChunk]) -> Confidence:
    """That of the best passage. The value orders questions; it is no probability."""
    value = max(evidence(question, passage) for passage in passages)
    level = "high" if value >= _HIGH else "medium" if value >= _MEDIUM else "low"
    return Confidence(value=round(min(1.0, max(0.0, value)), 4), level=level)
