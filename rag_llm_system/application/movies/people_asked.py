"""Who must play in a film or have directed it."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from rag_llm_system.application.movies import request_words as words
from rag_llm_system.application.movies.names import People, Person, Role
from rag_llm_system.application.movies.sentence import Sentence
from rag_llm_system.application.rag.self_query.words import NEVER_AUTHORS, WORDS_AND_NAMES, word_set

_PLAYED_BY = words.PLAYED_BY
_PASSED = word_set("the mr actor actress actors director legendary great young old either both")
_PLAYS = word_set("stars starring plays acts acting performs performing appears playing")
_ROLES: tuple[Role, ...] = ("cast", "directors")
_NAME_WORDS = 3
_MOST_LOOKED_UP = 5
"""Misspelt names of one request that nothing tells of: each is compared with all names."""
_DIRECTS = word_set("directed directs directing made")


class Mentions(Protocol):
    """Who is named where."""

    def person_at(self, position: int, role: Role) -> Person | None: ...


@dataclass
class AskedPeople:
    """``notes`` tell of names that nobody in the index has."""

    cast: list[str] = field(default_factory=list)
    any_cast: list[str] = field(default_factory=list)
    directors: list[str] = field(default_factory=list)
    any_directors: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class _Found(NamedTuple):
    names: tuple[str, ...]
    start: int
    end: int
    role: Role


def find_people(
    sentence: Sentence,
    mentions: Mentions,
    people: People,
    topics: Collection[int],
    nouns: Collection[int],
) -> AskedPeople:
    """Takes what it understands; ``nouns`` are words in front of which a name says whose film it is."""
    reader = _Reader(sentence, mentions, people, topics, nouns)
    asked = AskedPeople(notes=reader.notes)
    for group in reader.groups():
        between = sentence.keys[group[0].end : group[-1].start]
        either = "or" in between
        for one in group:
            into = {
                ("cast", False): asked.cast, ("cast", True): asked.any_cast,
                ("directors", False): asked.directors, ("directors", True): asked.any_directors,
            }[one.role, either]  # fmt: skip
            into.extend(one.names)
    return asked


class _Reader:
    def __init__(
        self,
        sentence: Sentence,
        mentions: Mentions,
        people: People,
        topics: Collection[int],
        nouns: Collection[int],
    ) -> None:
        self._sentence, self._mentions, self._people = sentence, mentions, people
        self._topics, self._nouns = topics, nouns
        self.notes: list[str] = []
        self._looked_up = 0

    def groups(self) -> list[list[_Found]]:
        """People who are named in one list share a role."""
        groups: list[list[_Found]] = []
        position = 0
        while position < len(self._sentence):
            before = groups[-1][-1] if groups else None
            found = self._at(position, before) if self._sentence.is_free(position) else None
            if found is not None and not self._is_asked_for(found):
                found = None
            if found is None:
                position += 1
                continue
            if before is not None and self._is_joined(before.end, found.start):
                groups[-1].append(found)
            else:
                groups.append([found])
            start = found.start
            while self._sentence.key(start - 1) in _PASSED | _PLAYED_BY | _DIRECTS | {words.BY}:
                start -= 1
            self._sentence.take(start, found.end)
            position = found.end
        return groups

    def _is_asked_for(self, found: _Found) -> bool:
        """A film about somebody is another thing than one where somebody plays."""
        return found.start not in self._topics or self._sentence.key(found.end) in _PLAYS

    def _at(self, position: int, before: _Found | None) -> _Found | None:
        told = self._told(position)
        if told is None and before is not None and self._is_joined(before.end, position):
            told = before.role
        if told is None:
            return self._untold(position)
        for role in (told, "cast" if told == "directors" else "directors"):
            person = self._mentions.person_at(position, role)
            if person is not None and self._is_name(person, told):
                # somebody who is known for the other thing alone is meant as what they are
                return _Found(person.names, position, person.end, role)
        return self._misspelt(position, told)

    def _told(self, position: int) -> Role | None:
        """What the words in front make of a name."""
        key = self._sentence.key
        cue = position - 1
        while key(cue) in _PASSED and not self._sentence.ends_phrase(cue):
            if key(cue) == "director":
                return "directors"
            cue -= 1
        if cue < 0 or self._sentence.ends_phrase(cue):
            return None
        if key(cue) == words.BY:
            return "cast" if key(cue - 1) in {"played", "performed", "performance"} else "directors"
        if key(cue) in {"directed", "directs"}:
            return "directors"
        return "cast" if key(cue) in _PLAYED_BY else None

    def _is_name(self, person: Person, told: Role) -> bool:
        """A last name in lower case must be nothing else; with talking animals is nobody."""
        token, cue = self._sentence.tokens[person.start], self._sentence.key(person.start - 1)
        is_word = token.key in NEVER_AUTHORS | WORDS_AND_NAMES | words.FILLERS
        sure = told == "directors" or cue in {"starring", "featuring", "actor", "actress"}
        if person.whole:
            return True
        if token.capital:
            return self._sentence.capital_run(person.start) <= person.end or person.exact
        return sure and person.exact and not is_word

    def _untold(self, position: int) -> _Found | None:
        """A whole name anywhere, or a last name in front of films: ``Tom Hanks``, a ``Kubrick`` film."""
        key, sentence = self._sentence.key, self._sentence
        people = [
            (person, role)
            for role in ("cast", "directors")
            if (person := self._mentions.person_at(position, role)) is not None
        ]
        if not people:
            return self._misspelt_untold(position)
        person = max((one for one, _ in people), key=lambda one: one.end)
        roles = [role for one, role in people if one.end == person.end]
        named = [one for one, _ in people if one.end == person.end]
        names = tuple(dict.fromkeys(name for one in named for name in one.names))
        behind = key(person.end)
        if behind in _DIRECTS and "directors" in roles:
            role: Role = "directors"
        elif behind in _PLAYS and "cast" in roles:
            role = "cast"
        else:
            role = self._people.known_for(names)
        ahead = range(person.end, min(person.end + 3, len(sentence)))
        of_films = any(n in self._nouns for n in ahead) and not sentence.ends_phrase(person.end - 1)
        told = of_films or behind in _PLAYS | _DIRECTS or sentence.tokens[person.end - 1].possessive
        capital = sentence.tokens[position].capital
        is_plain = person.whole and person.exact
        if not person.whole and not self._is_alone(person):
            return self._misspelt_untold(position)
        if not (is_plain or (told and capital and (person.whole or person.exact))):
            return None
        of_role = next(
            (one for one, what in people if what == role and one.end == person.end), named[0]
        )
        return _Found(of_role.names, position, person.end, role)

    def _is_alone(self, person: Person) -> bool:
        """One word of a name means somebody unless it begins a sentence and is a word, or is part of another name."""
        sentence, start = self._sentence, person.start
        written = sentence.key(start)
        if sentence.begins_sentence(start) and not self._people.is_unusual(person, written):
            return False
        ends = sentence.capital_run(start) <= person.end or person.end in self._nouns
        if not (ends or sentence.tokens[person.end - 1].possessive or person.end in sentence.gone):
            return False  # Grace Kelly is neither Grace nor Kelly
        before = start - 1
        if sentence.begins_phrase(start) or not sentence.tokens[before].capital:
            return written not in words.COMMON
        is_filler = sentence.key(before) in words.FILLERS or before in sentence.gone
        begins = sentence.begins_sentence(before)
        return is_filler or (begins and not self._people.is_given_name(sentence.key(before)))

    def _misspelt_untold(self, position: int) -> _Found | None:
        """Bil Murray comedies: nearly somebody's whole name in capitals."""
        sentence = self._sentence
        end = sentence.capital_run(position)
        if not 2 <= end - position <= _NAME_WORDS or self._looked_up >= _MOST_LOOKED_UP:
            return None
        if any(n in self._nouns for n in range(position, end)) or position in self._topics:
            return None
        self._looked_up += 1
        written = sentence.written(position, end)
        found = [names for role in _ROLES if (names := self._people.nearest(written, role))]
        if len({*found}) != 1:
            return None
        return _Found(found[0], position, end, self._people.known_for(found[0]))

    def _misspelt(self, position: int, role: Role) -> _Found | None:
        """A name in capitals that nobody has, or somebody nearly so."""
        sentence = self._sentence
        end = sentence.capital_run(position)
        if end - position < 2 or not sentence.tokens[position].capital:
            return None
        written = sentence.written(position, end)
        names = self._people.nearest(written, role)
        if names:
            return _Found(names, position, end, role)
        does = "plays in" if role == "cast" else "has directed"
        self.notes.append(f"nobody called {written} {does} a film of the index")
        return None

    def _is_joined(self, end: int, start: int) -> bool:
        between = self._sentence.keys[end:start]
        if not between:
            return start == end and self._sentence.comma_behind(end - 1)
        if len(between) > 2:
            return False
        return between[0] in words.JOINED and set(between[1:]) <= {"with", "by", "also"}
