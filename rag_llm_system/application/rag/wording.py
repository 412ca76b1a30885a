"""How well a quote fits a question by its words, its place and its form; what it means is the encoder's part."""

import math
import re
from collections import Counter
from collections.abc import Sequence

from rag_llm_system.application.preprocessing.terms import word_counts
from rag_llm_system.application.rag.quotes import Quote

_WORDS, _PLACE, _FORM = 0.4, 0.15, 0.1
"""What shared words, the rank of the passage and the form of a sentence count for beside a cosine. Round
numbers, tried on 30 questions about 76 real articles: with these, 18 answers had the phrase that was looked for, with
others 15 to 19."""

_HEADING_SHARE = 0.5
"""What a word of the question counts for that stands in the heading only."""

_ANNOUNCES = re.compile(
    r"(?:let['\u2019]?s|let us|in (?:this|the (?:next|following)) (?:article|section|post|lesson|example|tutorial)"
    r"|(?:now|first|next), (?:let|we|i)\b|we(?:['\u2019]ll| will)|i(?:['\u2019]ll| will)|you can find|as you can see"
    r"|check out|(?:special )?thanks?\b|(?:what|which|why|how|who)\b"
    r"|(?:the|this) (?:article|chapter|section|figure|table)\b)",
    re.IGNORECASE,
)
"""Begins what talks about the text and not about its subject."""

_FORMS = (
    (r"how (?:many|much|long|often|high|large|big|fast|few|likely)|wh(?:at|ich) (?:port|version)", r"\d"),
    (r"who", r"\b[A-Z][\w.]+ [A-Z]\w+"),
    (r"when|what year", r"\b(?:(?:19|20)\d\d|when|once|after)\b"),
    (r"why|reasons?", r"(?i:\b(?:because|since|so that|due to|reasons?|in order to|otherwise|problem)\b)"),
)  # fmt: skip
_ASKED_FORMS = tuple((re.compile(rf"\b(?:{asks})\b"), re.compile(has)) for asks, has in _FORMS)
"""What a question asks for, and how a sentence looks that has it."""

_DEFINED = re.compile(
    r"\bwhat (?:is|are|does)\s+(?:an?\s+|the\s+)?(?P<term>[^?]{2,40}?)(?:\s+mean)?\s*\?*$"
)
_ASKS_FOR_CODE = re.compile(
    r"\b(?:code|snippet|example|command|syntax|script|show)\b|\bhow (?:do|can|should) (?:i|you|we)\b"
)


def asks_for_code(question: str) -> bool:
    """Whether a block of code could be the answer."""
    return bool(_ASKS_FOR_CODE.search(question.casefold()))


class Wording:
    """A question's words, weighed by how rare they are in what could be quoted."""

    def __init__(self, question: str, quotes: Sequence[Quote]) -> None:
        frequency = Counter(word for quote in quotes for word in quote.words)
        self._weights = {
            word: math.log1p(len(quotes) / (frequency[word] or 0.5))
            for word in word_counts(question)
        }
        asked = question.casefold().strip()
        self._forms = [form for asks, form in _ASKED_FORMS if asks.search(asked)]
        if defined := _DEFINED.search(asked):
            self._forms.append(_definition_of(defined["term"]))

    def score(self, quote: Quote) -> float:
        """To be added to the cosine; at most 0.65, less than 0 for what only announces."""
        total = sum(self._weights.values()) or 1.0
        shared = sum(weight * _share(word, quote) for word, weight in self._weights.items())
        fits = any(form.search(quote.text) for form in self._forms)
        announces = bool(_ANNOUNCES.match(quote.text))
        return _WORDS * shared / total + _PLACE * quote.place + _FORM * (fits - announces)


def _share(word: str, quote: Quote) -> float:
    if word in quote.words:
        return 1.0
    return _HEADING_SHARE if word in quote.heading_words else 0.0


def _definition_of(term: str) -> re.Pattern[str]:
    return re.compile(
        rf"^(?:\W|an? |the )*{re.escape(term)}\b.{{0,60}}?\b(?:is|are|means?|refers?)\b",
        re.IGNORECASE,
    )
