"""Finds terms in text as whole words: in any case, over any white space, however the characters are encoded."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache

# Scripts that put no spaces between words, and their punctuation: there every character may begin a word.
UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u3098\u309b-\u30ff\u3400-\u9fff\U00020000-\U0003ffff"
UNSPACED_MARKS = "\u3001-\u3011\uff01\uff0c\uff1a\uff1b\uff1f"

Span = tuple[int, int]


class Terms:
    """What is compared is folded: compatible forms are one, case and invisible characters do not count.

    With ``ignore_accents`` accents do not count either. Letters that only look alike (a Cyrillic a) stay different.
    """

    def __init__(self, terms: Sequence[str], *, ignore_accents: bool = False) -> None:
        self._ignore_accents = ignore_accents
        self._folded = {self._fold(term): shown(term) for term in terms}
        # of two terms that begin alike the longer one is found
        words = (
            r"\s+".join(map(re.escape, term.split()))
            for term in sorted(self._folded, key=lambda term: (-len(term), term))
        )
        begins = rf"(?:(?<![\w{_marks()}])|(?<=[{UNSPACED}]))"
        ends = rf"(?:(?![\w{_marks()}])|(?=[{UNSPACED}]))"
        self._pattern = re.compile(rf"{begins}(?:{'|'.join(words)}){ends}")
        self._beginnings = {
            term[:length] for term in self._folded for length in range(1, len(term))
        }
        self._longest = max(map(len, self._folded))

    def spans(self, text: str) -> Iterator[tuple[Span, str]]:
        """Where terms stand in ``text``, from left to right, and which."""
        folded, starts = _fold(text, self._ignore_accents)
        for match in self._pattern.finditer(folded):
            start, end = match.span()
            span = (starts[start], starts[end]) if starts else (start, end)
            yield span, self._folded[" ".join(match.group().split())]

    def apart(self, left: str) -> bool:
        """Whether no term can begin in ``left`` and end behind it. ``left`` ends in white space, or within an unspaced
        script.
        """
        folded = self._fold(left, keep_end=True)
        tails = (folded[-length:] for length in range(1, min(self._longest, len(folded)) + 1))
        return not any(tail in self._beginnings for tail in tails)

    def _fold(self, text: str, *, keep_end: bool = False) -> str:
        folded, _ = _fold(text, self._ignore_accents)
        end = " " if keep_end and folded[-1:].isspace() else ""
        return " ".join(folded.split()) + end


def shown(term: str) -> str:
    """A term as statuses and messages name it."""
    return " ".join(term.casefold().split())


def _fold(text: str, ignore_accents: bool) -> tuple[str, list[int]]:
    """The folded text, and for each of its characters, and for its end, the place in ``text``; no places when they
    are the same.
    """
    if text.isascii():
        return text.lower(), []
    parts = [_folded_character(character, ignore_accents) for character in text]
    starts = [at for at, part in enumerate(parts) for _ in part]
    return "".join(parts), [*starts, len(text)]


@lru_cache(maxsize=8192)
def _folded_character(character: str, ignore_accents: bool) -> str:
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())
    return "".join(
        c
        for c in folded
        if unicodedata.category(c) != "Cf"
        and not _INVISIBLE.match(c)
        and not (ignore_accents and unicodedata.combining(c))
    )


# the grapheme joiner and the selectors of variants, which Unicode counts among the marks
_INVISIBLE = re.compile("[\u034f\ufe00-\ufe0f\U000e0100-\U000e01ef]")


@cache
def _marks() -> str:
    """Accents and vowel signs as a set for patterns: they belong to the word they stand in, and ``\\w`` has none."""
    ranges: list[list[int]] = []
    for code in range(0x300, 0xFE30):
        if unicodedata.category(chr(code)) not in {"Mn", "Mc"}:
            continue
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)
