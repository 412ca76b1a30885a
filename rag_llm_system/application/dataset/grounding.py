"""How much of an answer its source holds: the share of its words, names and numbers that are found there.

Words that carry no content are left out. Words are compared by their first five letters, so that "training" is found in
"trained" (truncation instead of stemming: McNamee and Mayfield 2004); names and numbers are compared as a whole.
A share of 1 does not make an answer true, but what is not in the source at all was made up or is padding.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from rag_llm_system.application.dataset.overlap import normalised
from rag_llm_system.domain.documents import Value

_STEM_LETTERS = 5
_WINDOW_WORDS, _STEP_WORDS = 300, 150
"""A passage: two to three paragraphs, or what a generator is shown; passages overlap by half."""

_TOKEN = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_][\w'\u2019-]*")
_SENTENCE_START = re.compile(r"(?:^|[.!?:\u2026\n])\W*$")
_CONTRACTION = re.compile(r"(?:n['\u2019]t|['\u2019](?:ll|re|ve|d|m))$", re.IGNORECASE)
_LOOK_BACK = 9
"""Characters between a full stop and the word after it: quotes, marks of Markdown, spaces."""
_MARKS = re.compile(r"['\u2019s-]+$")
_NO_CONTENT = (
    "a about above after again all also an and any are as at be because been before being below between both but by "
    "can could did do does doing down during each few for from further had has have having he her here hers him his "
    "how i if in into is it its itself just may me might more most must my no nor not now of off on once only or other "
    "our out over own same she should so some such than that the their them then there these they this those through "
    "to too under until up very was we were what when where which while who whom why will with would you your"
)
_STOP_WORDS = frozenset(_NO_CONTENT.split())


class Grounding(Value):
    """Of one answer. ``missing`` are its words, names and numbers that the source lacks."""

    share: float
    verbatim: bool
    missing: Sequence[str]


def grounding(answer: str, source: str) -> Grounding | None:
    """None when the answer has no words that carry content."""
    tokens = list(content_tokens(answer))
    if not tokens:
        return None
    known, _ = _known(source)
    missing = [word for key, word in tokens if key not in known]
    return Grounding(
        share=(len(tokens) - len(missing)) / len(tokens),
        verbatim=_is_in(answer, source),
        missing=tuple(dict.fromkeys(missing)),
    )


def content_tokens(text: str) -> Iterator[tuple[str, str]]:
    """(what is compared, word) of words, names and numbers; a name is a capitalised word that begins no sentence."""
    for match in _TOKEN.finditer(text):
        word, start = match.group(), match.start()
        begins = _SENTENCE_START.search(text, max(0, start - _LOOK_BACK), start)
        if word[0].isupper() and not begins:
            yield _name(word), word
        elif word.casefold() not in _STOP_WORDS and not _CONTRACTION.search(word):
            yield _stem(word), word


def _name(word: str) -> str:
    """Without the marks of plural and possession."""
    return _MARKS.sub("", word.casefold()) or word.casefold()


def _stem(word: str) -> str:
    """Marked as a beginning, so that no name is found in a word that begins like it."""
    return word if word[0].isdigit() else f"{_name(word)[:_STEM_LETTERS]}*"


@lru_cache(maxsize=64)
def _known(source: str) -> tuple[frozenset[str], str]:
    """Every word of a source as a name and as a stem, and its normalised text; rows of a document come together."""
    words = [match.group() for match in _TOKEN.finditer(source)]
    known = frozenset(map(_name, words)) | frozenset(map(_stem, words))
    return known, f" {normalised(source)} "


class Corpus:
    """Source texts whose rows do not say which they were made from: the passage that holds most of an answer.

    The best of all passages is the most that can be said for an answer, so a low share means that no source holds it.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._passages: list[str] = []
        self._where: dict[str, list[int]] = {}
        for text in texts:
            for passage in _windows(text):
                for token in _known(passage)[0]:
                    self._where.setdefault(token, []).append(len(self._passages))
                self._passages.append(passage)

    def best_passage(self, answer: str) -> str:
        """Of equals one that has the answer word for word, else the earliest; "" when none has a word of it."""
        counts: Counter[int] = Counter()
        for key, _ in content_tokens(answer):
            counts.update(self._where.get(key, ()))
        most = max(counts.values(), default=0)
        best = [self._passages[n] for n in sorted(counts) if counts[n] == most]
        exact = (passage for passage in best if _is_in(answer, passage))
        return next(exact, best[0]) if best else ""


def _is_in(answer: str, source: str) -> bool:
    return f" {normalised(answer)} " in _known(source)[1]


def _windows(text: str) -> Iterator[str]:
    starts = [match.start() for match in re.finditer(r"\S+", text)]
    for n in range(0, max(1, len(starts) - _STEP_WORDS), _STEP_WORDS):
        end = starts[n + _WINDOW_WORDS] if n + _WINDOW_WORDS < len(starts) else len(text)
        yield text[starts[n] if starts else 0 : end]
