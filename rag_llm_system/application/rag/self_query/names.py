"""Finds the people that a store knows in a question: whole names, initials, first or last names, misspellings."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from rag_llm_system.application.rag.self_query import words
from rag_llm_system.application.rag.self_query.text import Token, keys_of, spelt_out

MISSPELT_FROM = 5
"""Letters of a name from which on one of them may be wrong; shorter ones are too close to other words."""

_PARTICLES = words.word_set("al bin da de del della den der di dos du el la le ten ter van von")
_NO_NAMES = words.FUNCTION_WORDS - words.WORDS_AND_NAMES
_LONGEST = 6


@dataclass(frozen=True, slots=True)
class Mention:
    """Words ``[start, end)`` of a question that may name one of ``values``.

    ``whole`` is a name of at least two words, which means nobody else; a first or last name alone may mean anything.
    """

    values: tuple[str, ...]
    start: int
    end: int
    whole: bool
    exact: bool


class Names:
    """Built once from the known names; a look-up costs the length of what is looked at."""

    def __init__(self, names: Iterable[str]) -> None:
        whole: dict[str, list[str]] = defaultdict(list)
        short: dict[str, set[str]] = defaultdict(set)
        for name in sorted(set(names)):
            for keys in {keys_of(name), keys_of(spelt_out(name))} - {()}:
                whole[" ".join(keys)].append(name)
                for called in _short_forms(keys):
                    short[called].add(name)
        self._whole: Mapping[str, tuple[str, ...]] = {k: tuple(v) for k, v in whole.items()}
        # a short form of several people names none of them
        self._short = {k: next(iter(v)) for k, v in short.items() if len(v) == 1}
        every = [*self._whole, *self._short]
        self._begin_longer = frozenset(name.partition(" ")[0] for name in every if " " in name)
        self._words = frozenset(word for name in every for word in name.split(" "))
        misspelt: dict[str, list[str]] = defaultdict(list)
        for word in sorted(self._words):
            if len(word) >= MISSPELT_FROM:
                for cut in _one_letter_less(word):
                    misspelt[cut].append(word)
        self._misspelt: Mapping[str, Sequence[str]] = dict(misspelt)

    def mentions(self, tokens: Sequence[Token], question: str) -> list[Mention | None]:
        """For each word of the question the name that begins with it: several words before one, exact before misspelt,
        long before short."""
        similar = [self._similar(token.key) for token in tokens]
        return [self._at(tokens, similar, start, question) for start in range(len(tokens))]

    def named(self, name: str) -> tuple[str, ...]:
        """Those that the text as a whole names; () for an unknown one."""
        keys = keys_of(name)
        return self._exactly(keys) or self._nearly(keys, [self._similar(key) for key in keys])

    def _at(
        self, tokens: Sequence[Token], similar: Sequence[set[str]], start: int, question: str
    ) -> Mention | None:
        if not (tokens[start].key in self._words or similar[start]):
            return None
        if start and tokens[start - 1].glued and tokens[start - 1].gap != ".":
            return None
        for lengths in (self._lengths(tokens, similar, start), range(1, 2)):
            ends = [start + length for length in lengths if _may_end(tokens, start, start + length)]
            keys = {end: _keys(tokens[start:end]) for end in ends}
            for end in ends:
                if values := self._exactly(keys[end]):
                    written = _as_written(values, tokens[start:end], question)
                    return Mention(written, start, end, whole=end - start > 1, exact=True)
            for end in ends:
                if values := self._nearly(keys[end], similar[start:end]):
                    return Mention(values, start, end, whole=end - start > 1, exact=False)
        return None

    def _lengths(
        self, tokens: Sequence[Token], similar: Sequence[set[str]], start: int
    ) -> Iterable[int]:
        if self._begin_longer.isdisjoint({tokens[start].key, *similar[start]}):
            return ()
        return range(min(_LONGEST, len(tokens) - start), 1, -1)

    def _exactly(self, keys: Sequence[str]) -> tuple[str, ...]:
        called = " ".join(keys)
        if called in self._whole:
            return self._whole[called]
        return (self._short[called],) if called in self._short else ()

    def _nearly(self, keys: Sequence[str], similar: Sequence[set[str]]) -> tuple[str, ...]:
        """Of names that differ in one letter of one word, unless several people have such a name."""
        found = {
            value
            for position, near in enumerate(similar)
            for word in near
            for value in self._exactly([*keys[:position], word, *keys[position + 1 :]])
        }
        return tuple(found) if len(found) == 1 else ()

    def _similar(self, word: str) -> set[str]:
        """Known words at one insertion, deletion, replacement or swap: deletions of both meet (Garbe's SymSpell)."""
        if len(word) < MISSPELT_FROM - 1 or word in self._words or word in _NO_NAMES:
            return set()
        found = {near for cut in _one_letter_less(word) for near in self._misspelt.get(cut, ())}
        return {near for near in found if OSA.distance(word, near, score_cutoff=1) <= 1}


def _may_end(tokens: Sequence[Token], start: int, end: int) -> bool:
    """A name has no comma or full stop within and ends where a word ends."""
    return not tokens[end - 1].glued and not any(one.ends_phrase for one in tokens[start : end - 1])


def _keys(tokens: Sequence[Token]) -> list[str]:
    """``Lenny's Newsletter``: the possessive within a name is part of it."""
    inner = [f"{one.key}s" if one.possessive else one.key for one in tokens[:-1]]
    return [*inner, tokens[-1].key]


def _as_written(values: tuple[str, ...], tokens: Sequence[Token], question: str) -> tuple[str, ...]:
    """Of names that differ in accents alone, the one that is written here."""
    if len(values) == 1:
        return values
    written = question[tokens[0].start : tokens[-1].end].casefold()
    return tuple(value for value in values if value.casefold() in written) or values


def _short_forms(keys: Sequence[str]) -> Iterator[str]:
    """What somebody of this name is also called: ``j adeyemi`` for ``john q adeyemi``, ``van der berg``, ``zoe``."""
    if len(keys) < 2 or keys[-1] in words.ORGANISATIONS or keys[0] == "the":
        return
    surname = next((n for n, key in enumerate(keys[1:], 1) if key in _PARTICLES), len(keys) - 1)
    given, family = keys[:surname], " ".join(keys[surname:])
    initials = [key[0] for key in given]
    yield f"{given[0]} {family}"
    yield f"{initials[0]} {family}"
    yield f"{' '.join(initials)} {family}"
    yield f"{''.join(initials)} {family}"
    yield from {
        one
        for one in (keys[0], keys[-1], family)
        if len(one) > 1 and one not in _NO_NAMES and not one.isdigit()
    }


def _one_letter_less(word: str) -> Iterator[str]:
    yield word
    for position in range(len(word)):
        yield word[:position] + word[position + 1 :]
