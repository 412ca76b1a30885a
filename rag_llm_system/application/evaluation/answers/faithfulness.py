"""How much of an answer its source has: words, numbers and names.

Names and numbers are checked one by one: a name is a capitalised word inside a sentence. Of the words, those
of the style do not count, such as "wonderful": words that at least two references use which their own sources lack. The
score is the share of what is left that the context has; for a row without a context, that the row's source has.
"""

import re
from collections import Counter
from collections.abc import Sequence

from rag_llm_system.application.evaluation.answers.asked import Asked
from rag_llm_system.application.evaluation.answers.intervals import Measured
from rag_llm_system.application.preprocessing.terms import word_counts

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NAME = re.compile(r"(?<=[\w,;:)][ *])\*{0,2}(?P<name>[A-Z][\w'\u2019-]+)")
_CITATION = re.compile(r"\[\d{1,3}\]")
_STYLE_ROWS = 2


def style_words(rows: Sequence[tuple[Asked, str]]) -> frozenset[str]:
    """The words of the references that come from the style: (row, source) with what each is checked against."""
    counts: Counter[str] = Counter()
    for asked, source in rows:
        counts.update(_words(asked.reference) - _words(f"{source} {asked.question}"))
    return frozenset(word for word, count in counts.items() if count >= _STYLE_ROWS)


def faithfulness(
    answer: str, asked: Asked, source: str, style: frozenset[str] = frozenset()
) -> Measured | None:
    """None without a source. An answer with nothing to check has the weight 0."""
    if not source:
        return None
    body = _CITATION.sub(" ", answer)
    known = f"{source} {asked.question}"
    words = _words(body) - style
    numbers = set(_NUMBER.findall(body))
    names = {found["name"].casefold() for found in _NAME.finditer(body)}
    folded = set(re.findall(r"[\w'\u2019-]+", known.casefold()))
    supported = (
        len(words & _words(known))
        + len(numbers & set(_NUMBER.findall(known)))
        + len(names & folded)
    )
    checked = len(words) + len(numbers) + len(names)
    return Measured(supported / checked, 1.0) if checked else Measured(0.0, 0.0)


def _words(text: str) -> set[str]:
    """Stems of content words; numbers are checked apart."""
    return {word for word in word_counts(text) if not word.isdigit()}
