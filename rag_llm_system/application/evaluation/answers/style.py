"""How near an answer is to the style of the references: documented heuristics, each a share from 0 to 1.

Two styles are told apart by the references themselves. Where most of them exclaim and set a title in bold, the style is
*enthusiastic*, and its parts are

- ``enthusiasm``: half for exclamation marks (the share of sentences that have one, by that of the references, at
  most 1), half for an opener that is warm ("You'll love", "Great", "What a", "Happy to help", an exclamation);
- ``bold``: the share of the titles of the context that the answer mentions which stand in bold; 0 when it has none;
- ``reason``: the share of the titles that are followed, before the next one, by a sentence of at least four
  words that tells why: it has at least two content words of the context, where there is one.

Otherwise it is the *prose* of an author, with neither. It is compared with all references together, since one short
answer says little about a style:

- ``sentence_length``: the shorter mean number of words in a sentence by the longer one;
- ``function_words``: the cosine of the counts of 63 frequent function words, whose use a writer hardly controls
  (Mosteller and Wallace 1963);
- ``punctuation``: 1 less half of the summed differences of the shares of each punctuation mark.

The score is the mean of the parts.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Literal

from rag_llm_system.application.evaluation.answers.asked import Asked
from rag_llm_system.application.evaluation.answers.grounding import mentioned
from rag_llm_system.application.preprocessing.terms import word_counts
from rag_llm_system.domain.documents import Value

StyleName = Literal["enthusiastic", "prose"]

MIN_REASON_WORDS = 4
MIN_REASON_FACTS = 2

_FUNCTION_WORDS = frozenset(
    re.findall(
        r"\w+",
        """
        the of and to a in that it is was for as with on be by not this but at from or have an they which one
        you were all her she there would their we him been has when who will more no if out so up what its
        about into than them can only other then some could these may i
        """,
    )
)
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?")
_SENTENCE = re.compile(r"[^.!?\u2026]*[.!?\u2026]+[\"')\]*\u201d\u2019]*|[^.!?\u2026]+\Z")
_PUNCTUATION = ",;:.!?-\u2013\u2014()\"'\u2019\u2026"
_BOLD = re.compile(r"\*\*[^*\n]+?\*\*(?:\s*\(\d{4}\))?")
_WARM = re.compile(
    r"you(?:['\u2019]ll| will| must| have to| are in|['\u2019]re in)\b|great|good|excellent|perfect|wonderful"
    r"|fantastic|amazing|what an?\b|oh\b|wow\b|yes\b|happy\b|love|i (?:just )?(?:love|adore|know)|let['\u2019]s"
    r"|get |now we|here (?:comes|we)|absolutely|sorry\b|of course|thrilled|delighted",
    re.IGNORECASE,
)


class StyleParts(Value):
    """``score`` is the mean of the ``parts``."""

    style: StyleName
    parts: Mapping[str, float]
    score: float


class StyleProfile(Value):
    """What the references have in common; see :func:`profile_of`."""

    style: StyleName
    exclaiming: float
    sentence_words: float
    function_words: Mapping[str, float]
    punctuation: Mapping[str, float]


def profile_of(references: Iterable[str]) -> StyleProfile:
    """The style of all references together. An empty set has the profile of an empty prose."""
    texts = list(references)
    lively = sum(bool(_BOLD.search(text)) and "!" in text for text in texts)
    together = "\n".join(texts)
    return StyleProfile(
        style="enthusiastic" if 2 * lively > len(texts) else "prose",
        exclaiming=_exclaiming(together),
        sentence_words=_sentence_words(together),
        function_words=_function_words(together),
        punctuation=_punctuation(together),
    )


def style_of(answer: str, asked: Asked, profile: StyleProfile) -> StyleParts:
    """How the answer does in the style of the profile; every part of an answer without words is 0."""
    if not _WORD.search(answer):
        names: Sequence[str] = _PARTS[profile.style]
        parts = dict.fromkeys(names, 0.0)
    elif profile.style == "enthusiastic":
        parts = _enthusiastic(answer, asked, profile)
    else:
        parts = _prose(answer, profile)
    return StyleParts(style=profile.style, parts=parts, score=fmean(parts.values()))


_PARTS: Mapping[StyleName, tuple[str, ...]] = {
    "enthusiastic": ("enthusiasm", "bold", "reason"),
    "prose": ("sentence_length", "function_words", "punctuation"),
}


def _enthusiastic(answer: str, asked: Asked, profile: StyleProfile) -> dict[str, float]:
    exclaims = min(1.0, _exclaiming(answer) / (profile.exclaiming or 1.0))
    opener = next((s.strip() for s in _SENTENCE.findall(answer) if _WORD.search(s)), "")
    warm = bool(_WARM.match(opener.lstrip("*\"' "))) or opener.endswith("!")
    return {
        "enthusiasm": (exclaims + warm) / 2,
        "bold": _bold(answer, asked),
        "reason": _reasons(answer, asked),
    }


def _prose(answer: str, profile: StyleProfile) -> dict[str, float]:
    words, marks = _function_words(answer), _punctuation(answer)
    differences = (
        abs(marks.get(mark, 0.0) - profile.punctuation.get(mark, 0.0))
        for mark in marks.keys() | profile.punctuation.keys()
    )
    return {
        "sentence_length": _ratio(_sentence_words(answer), profile.sentence_words),
        "function_words": _cosine(words, profile.function_words),
        "punctuation": max(0.0, 1 - sum(differences) / 2),
    }


def _bold(answer: str, asked: Asked) -> float:
    bold = " ".join(_BOLD.findall(answer))
    named = mentioned(answer, asked.titles)
    if not named:
        return float(bool(bold))
    return len(mentioned(bold, named)) / len(named)


def _reasons(answer: str, asked: Asked) -> float:
    titles = [re.escape(title) for title in sorted(asked.titles, key=len, reverse=True)]
    pieces = re.split("|".join((_BOLD.pattern, *titles)), answer)[1:]
    if not pieces:
        return 0.0
    facts = set(word_counts(asked.context))
    return fmean(any(_tells_why(s, facts) for s in _SENTENCE.findall(piece)) for piece in pieces)


def _tells_why(sentence: str, facts: set[str]) -> bool:
    if len(_WORD.findall(sentence)) < MIN_REASON_WORDS:
        return False
    return not facts or len(facts & set(word_counts(sentence))) >= MIN_REASON_FACTS


def _exclaiming(text: str) -> float:
    sentences = [s for s in _SENTENCE.findall(text) if _WORD.search(s)]
    return sum("!" in s for s in sentences) / len(sentences) if sentences else 0.0


def _sentence_words(text: str) -> float:
    counts = [len(_WORD.findall(s)) for s in _SENTENCE.findall(text)]
    counts = [count for count in counts if count]
    return fmean(counts) if counts else 0.0


def _function_words(text: str) -> dict[str, float]:
    counts = Counter(word.lower() for word in _WORD.findall(text))
    return {word: float(counts[word]) for word in sorted(_FUNCTION_WORDS) if counts[word]}


def _punctuation(text: str) -> dict[str, float]:
    counts = Counter(c for c in text if c in _PUNCTUATION)
    total = counts.total()
    return {mark: counts[mark] / total for mark in sorted(counts)}


def _ratio(a: float, b: float) -> float:
    return min(a, b) / max(a, b) if a and b else 0.0


def _cosine(a: Mapping[str, float], b: Mapping[str, float]) -> float:
    dot = sum(value * b.get(word, 0.0) for word, value in a.items())
    norms = math.hypot(*a.values()) * math.hypot(*b.values())
    return dot / norms if norms else 0.0
