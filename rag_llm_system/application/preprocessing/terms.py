"""Text -> weighted words: what a search for words compares (BM25, Robertson and Zaragoza 2009).

The weight of a word in a document is its saturated count, ``tf (k1 + 1) / (tf + k1 (1 - b + b length / reference))``;
how rare it is comes in when it is searched (``VectorStore.search_terms``). The usual reference is the mean length of
the collection's documents. It moves with every document, and all weights with it; ``reference_length`` rounds it, so
that they seldom have to be written again.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from math import log2
from zlib import crc32

import Stemmer

from rag_llm_system.domain.queries import Terms

NAME = "bm25-1"
"""Goes up when the same text would give other terms."""

# The usual values. On scifact (train) and cosqa-dev no other of (0.9, 0.4), (1.5, 0.75), (1.2, 0.5) is better on both.
_K1, _B = 1.2, 0.75
_STEPS_PER_DOUBLING = 2
"""A reference that is off by a fifth at most. One that was 40 % too long cost 0.009 of BM25's nDCG@10 on cosqa-dev and
nothing on scifact (train), one that was 30 % too short gained 0.005 and cost 0.003."""

_LONGEST = 64  # characters; longer runs are keys and data, no words
_CACHED = 50_000  # words whose stem is remembered: 4 MB
_TEXTS = 16_384  # sentences and passages whose words are remembered: about 30 MB

_RUN = re.compile(r"\w+")
_PART = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+|[^\W\d_A-Za-z]+")
_FUNCTION_WORDS = frozenset(
    re.findall(
        r"\w+",
        """
        a about above after again all also am an and any are as at be because been before being below between
        both but by can could did do does doing down during each few for from further had has have having he
        her here hers him his how i if in into is it its itself just me more most my no nor not of off on once
        only or other our out over own same she should so some such than that the their them then there these
        they this those through to too under until up very was we were what when where which while who whom
        why will with would you your
        """,
    )
)
_stemmer = Stemmer.Stemmer("english", 0)  # its own cache is not safe between threads


def word_counts(text: str) -> Counter[str]:
    """Stems of the content words. An identifier counts as a whole and by its parts: ``maxTokens`` as three words."""
    found: Counter[str] = Counter()
    for run in _RUN.findall(_without_accents(text)):
        for name in run.split("_"):
            parts = _PART.findall(name)
            for word in (name, *parts) if len(parts) > 1 else (name,):
                lower = word.lower()
                if 0 < len(lower) <= _LONGEST and lower not in _FUNCTION_WORDS:
                    found[_stem(lower)] += 1
    return found


@lru_cache(_TEXTS)
def content_words(text: str) -> frozenset[str]:
    """The words of :func:`word_counts`, without their counts. Questions look at the same passages again and again."""
    return frozenset(word_counts(text))


def query_terms(text: str) -> Terms:
    """A word that a question repeats counts as often."""
    return {_number(word): float(count) for word, count in word_counts(text).items()}


def document_terms(counts: Mapping[str, int], reference: int) -> Terms:
    """``reference``: the length, in words, at which a document is neither long nor short."""
    norm = _K1 * (1 - _B + _B * sum(counts.values()) / reference)
    return {
        _number(word): round(count * (_K1 + 1) / (count + norm), 4)
        for word, count in counts.items()
    }


def reference_length(mean: float) -> int:
    """The mean length, rounded to one of two values per doubling."""
    return round(2 ** (round(_STEPS_PER_DOUBLING * log2(max(mean, 1))) / _STEPS_PER_DOUBLING))


def _without_accents(text: str) -> str:
    if text.isascii():
        return text
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


@lru_cache(_CACHED)
def _stem(word: str) -> str:
    return str(_stemmer.stemWord(word))


def _number(word: str) -> int:
    """32 bits: of 100,000 different words about one pair shares its number."""
    return crc32(word.encode())
