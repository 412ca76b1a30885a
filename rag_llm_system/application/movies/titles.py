"""Titles as people write them: found in a sentence, and meant by a name that is nearly right."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from rapidfuzz import process
from rapidfuzz.distance import OSA

from rag_llm_system.application.rag.self_query.text import Token, keys_of
from rag_llm_system.domain.films import FilmFacts

_ARTICLES = frozenset({"the", "a", "an"})
_NUMERALS = {
    numeral: str(number)
    for number, numeral in enumerate(("ii", "iii", "iv", "v", "vi", "vii", "viii", "ix"), start=2)
}
_YEAR_BEHIND = re.compile(r"(?P<title>.*\S)\s*\((?P<year>(?:18|19|20)\d\d)\)\W*")
_BREAK = re.compile(r"\s*(?::|\s[–-]\s|,? or[:,]?\s)")  # noqa: RUF001 - "Dr. Strangelove or: How I"
_MISSPELT_FROM = 5
"""Letters of a title from which on one of them may be wrong."""
_LETTERS_AROUND = 3
_DIGITS_AS_LETTERS = str.maketrans("013457", "oieasv")
_CHARS_PER_TYPO = 8
_SWAPPED_FROM = 8
"""Shorter titles have too many neighbours, "Brave" and "Grave": of them, a letter may be doubled, lost or swapped."""


class TitleMatch(NamedTuple):
    """Films that words ``[start, end)`` of a sentence name."""

    films: tuple[FilmFacts, ...]
    start: int
    end: int


def title_words(title: str) -> tuple[str, ...]:
    """What titles are compared by: case, accents, punctuation, a leading article, "&" and Roman numerals aside."""
    words = ["and" if word == "&" else _plain(word) for word in keys_of(title)]
    if len(words) > 1 and words[0] in _ARTICLES:
        words = words[1:]
    return (*words[:1], *(_NUMERALS.get(word, word) for word in words[1:]))


def _plain(word: str) -> str:
    """``Se7en`` is Seven."""
    if word.isalpha() or sum(map(str.isalpha, word)) < _LETTERS_AROUND:
        return word
    return word.translate(_DIGITS_AS_LETTERS)


class Titles:
    """Built once from the films; a look-up costs the length of what is looked at."""

    def __init__(self, films: Iterable[FilmFacts]) -> None:
        named: dict[tuple[str, ...], list[FilmFacts]] = defaultdict(list)
        series: dict[tuple[str, ...], list[FilmFacts]] = defaultdict(list)
        for film in films:
            named[title_words(film.title)].append(film)
            series[_series_words(film.title)].append(film)
        named.pop((), None)
        series.pop((), None)
        self._series = series
        self._named = named
        self._plain = {" ".join(words): words for words in named}
        self._longest: dict[str, int] = {}
        for words in (*self._named, *self._series):
            self._longest[words[0]] = max(len(words), self._longest.get(words[0], 0))

    def named(self, written: str) -> tuple[FilmFacts, ...]:
        """The films of that title; with a year behind it, of that year. Of a series when only that is named.

        A title may be slightly misspelt where no other is as near; () for an unknown one.
        """
        if (dated := _YEAR_BEHIND.fullmatch(written.strip())) is not None:
            year = int(dated["year"])
            return tuple(one for one in self.named(dated["title"]) if one.year == year)
        words = title_words(written)
        found = self._exactly(words) or self._begun(words)
        return found or self._exactly(self._near(" ".join(words)))

    def series_of(self, film: FilmFacts) -> tuple[FilmFacts, ...]:
        """The film, and all that are called so with a number or a subtitle behind it."""
        return (
            film,
            *(one for one in self._series.get(title_words(film.title), ()) if one != film),
        )

    def at(self, tokens: Sequence[Token], start: int) -> TitleMatch | None:
        """The longest title that begins with this word, its article included."""
        first = start + (tokens[start].key in _ARTICLES and start + 1 < len(tokens))
        longest = self._longest.get(_key(tokens, first, last=True), 0)
        longest = max(longest, self._longest.get(_key(tokens, first, last=False), 0))
        for length in range(min(longest, len(tokens) - first), 0, -1):
            end = first + length
            for last in (True, False):
                inner = [_key(tokens, n, last=last and n == end - 1) for n in range(first, end)]
                words = (*inner[:1], *(_NUMERALS.get(word, word) for word in inner[1:]))
                if found := self._exactly(words):
                    return TitleMatch(found, start, end)
        return None

    def _exactly(self, words: tuple[str, ...]) -> tuple[FilmFacts, ...]:
        return tuple(self._named.get(words) or self._series.get(words) or ())

    def _begun(self, words: tuple[str, ...]) -> tuple[FilmFacts, ...]:
        """The only title that begins with these words, of which there are two at least: "Dr. Strangelove"."""
        if len(words) < 2:
            return ()
        begun = [one for one in self._named if one[: len(words)] == words]
        return tuple(self._named[begun[0]]) if len(begun) == 1 else ()

    def _near(self, written: str) -> tuple[str, ...]:
        if len(written) < _MISSPELT_FROM:
            return ()
        allowed = max(1, len(written) // _CHARS_PER_TYPO)
        found = process.extract(
            written, self._plain.keys(), scorer=OSA.distance, score_cutoff=allowed, limit=3
        )
        near = [(title, distance) for title, distance, _ in found if _may_be_meant(written, title)]
        if not near or (len(near) > 1 and near[0][1] == near[1][1]):
            return ()
        return self._plain[near[0][0]]


def _series_words(title: str) -> tuple[str, ...]:
    """Without subtitle and number."""
    words = title_words(_BREAK.split(title, maxsplit=1)[0])
    return words[:-1] if len(words) > 1 and words[-1].isdigit() else words


def _key(tokens: Sequence[Token], position: int, *, last: bool) -> str:
    """``Child's Play``: the possessive within a title is part of it, behind it it is none."""
    token = tokens[position]
    key = "and" if token.key == "&" else _plain(token.key)
    return f"{key}s" if token.possessive and not last else key


def _may_be_meant(written: str, title: str) -> bool:
    """A number is never a typo, and neither is a plural: "Alien" and "Aliens" are two films."""
    if _digits(written) != _digits(title) or written[0] != title[0]:
        return False
    if written == f"{title}s" or title == f"{written}s":
        return False
    is_swapped = sorted(written) == sorted(title)
    return len(written) >= _SWAPPED_FROM or len(written) != len(title) or is_swapped


def _digits(text: str) -> Sequence[str]:
    return re.findall(r"\d+", text)


def shown_titles(films: Sequence[FilmFacts], homonyms: Mapping[str, int]) -> tuple[str, ...]:
    """Each title once; where only some of the films called so are meant, with their years."""
    meant: dict[str, list[FilmFacts]] = defaultdict(list)
    for film in films:
        meant[film.title].append(film)
    return tuple(
        shown
        for title, of_it in meant.items()
        for shown in (
            [title]
            if len(of_it) == homonyms.get(title, len(of_it))
            else [f"{one.title} ({one.year})" for one in of_it]
        )
    )
