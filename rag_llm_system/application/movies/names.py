"""The people of the films, found in a sentence: who plays, who directs."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from rapidfuzz import fuzz, process

from rag_llm_system.application.movies.request_words import COMMON
from rag_llm_system.application.rag.self_query.names import Names
from rag_llm_system.application.rag.self_query.text import Token, keys_of
from rag_llm_system.domain.films import FilmFacts

Role = Literal["cast", "directors"]

_WELL_KNOWN_FILMS, _WELL_KNOWN_TIMES = 3, 3
"""A last name alone means who has so many films, and so many times those of anybody else of that name."""
_TIMES_IN_TITLES = 10
"""A word that titles have is a name alone of who has so many times as many films: Cruise is, Marvel is not."""
_SIMILAR = 90
"""Of two spellings of a whole name, out of 100: "Bil Murray" has 95 to Bill Murray, Tom Hardy 67 to Tom Hanks."""


class Person(NamedTuple):
    """Somebody of the films whom words ``[start, end)`` name; ``whole``: by a name of several words."""

    names: tuple[str, ...]
    start: int
    end: int
    whole: bool
    exact: bool


class People:
    """Built once from the films."""

    def __init__(self, films: Iterable[FilmFacts]) -> None:
        counts: dict[Role, Counter[str]] = {"cast": Counter(), "directors": Counter()}
        in_titles: Counter[str] = Counter()
        for film in films:
            counts["cast"].update(film.cast)
            counts["directors"].update(film.directors)
            in_titles.update(set(keys_of(film.title)))
        self._counts: Mapping[Role, Mapping[str, int]] = counts
        self._in_titles = in_titles
        self._given = {
            keys_of(name)[0] for called in counts.values() for name in called if keys_of(name)
        }
        self._names: Mapping[Role, Names] = {role: Names(counts[role]) for role in counts}
        self._last_names = {role: _well_known(counts[role]) for role in counts}

    def mentions(self, tokens: Sequence[Token], text: str, role: Role) -> list[Person | None]:
        """For each word the person in that role whose name begins with it."""
        found = self._names[role].mentions(tokens, text)
        return [
            Person(one.values, one.start, one.end, one.whole, one.exact)
            if one is not None
            else self._by_last_name(tokens, start, role)
            for start, one in enumerate(found)
        ]

    def nearest(self, written: str, role: Role) -> tuple[str, ...]:
        """Whom a whole name that is misspelt means; () when nobody is called nearly so, or two are."""
        found = process.extract(
            written, self._counts[role].keys(), scorer=fuzz.ratio, score_cutoff=_SIMILAR, limit=2
        )
        if not found or (len(found) > 1 and found[0][1] == found[1][1]):
            return ()
        return (found[0][0],)

    def known_for(self, names: Sequence[str]) -> Role:
        """The role in which they have most films."""
        directed = sum(self._counts["directors"].get(name, 0) for name in names)
        played = sum(self._counts["cast"].get(name, 0) for name in names)
        return "directors" if directed > played else "cast"

    def is_unusual(self, person: Person, written: str) -> bool:
        """Whether the one word that is written means this person where nothing else says that it is a name.

        ``Kubrick`` does; ``Show``, ``Another`` and ``Marvel`` are words, names of firms or of what titles tell of.
        """
        if written in COMMON:
            return False
        films = max(
            self._counts[role].get(name, 0) for role in self._counts for name in person.names
        )
        if written in self._given and films < _WELL_KNOWN_FILMS:
            return False
        return self._in_titles[written] * _TIMES_IN_TITLES <= films

    def is_given_name(self, written: str) -> bool:
        """Whether somebody of the films has it as the first name."""
        return written in self._given

    def films_of(self, name: str, role: Role) -> int:
        return self._counts[role].get(name, 0)

    def _by_last_name(self, tokens: Sequence[Token], start: int, role: Role) -> Person | None:
        token = tokens[start]
        name = self._last_names[role].get(token.key) if token.capital else None
        return Person((name,), start, start + 1, whole=False, exact=True) if name else None


def _well_known(counts: Mapping[str, int]) -> dict[str, str]:
    """Of a last name that several have, whom it means; with ties nobody."""
    by_last_name: dict[str, list[tuple[int, str]]] = {}
    for name, films in counts.items():
        keys = keys_of(name)
        if len(keys) > 1:
            by_last_name.setdefault(keys[-1], []).append((films, name))
    meant = {}
    for last_name, called in by_last_name.items():
        (films, name), *others = sorted(called, key=lambda one: (-one[0], one[1]))
        second = others[0][0] if others else 0
        if films >= _WELL_KNOWN_FILMS and films >= _WELL_KNOWN_TIMES * second:
            meant[last_name] = name
    return meant
