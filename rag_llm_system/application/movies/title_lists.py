"""Titles in a request: those of the index, misspelt ones, and others as they are written."""

from typing import NamedTuple

from rag_llm_system.application.movies import request_words as words
from rag_llm_system.application.movies.catalogue import FilmCatalogue
from rag_llm_system.application.movies.genres import genre_at
from rag_llm_system.application.movies.names import Person, Role
from rag_llm_system.application.movies.sentence import Sentence
from rag_llm_system.domain.films import FilmFacts

_FILLERS_BEFORE = 3
_MISSPELT_WORDS = 5
_MOST_LOOKED_UP = 20
"""Misspelt titles of one request: each is compared with all titles, which takes milliseconds where there are 40,000."""
_LOOSE_FROM = 6
"""Letters of a title in lower case from which on it may be misspelt; shorter ones are near to any word."""


class FoundTitles(NamedTuple):
    """Titles as the index has them, or as they are written; ``end`` is the word behind them."""

    titles: tuple[str, ...]
    end: int


class TitleReader:
    """Reads one request, behind words that make titles likely."""

    def __init__(self, sentence: Sentence, catalogue: FilmCatalogue) -> None:
        self._sentence, self._catalogue = sentence, catalogue
        self._looked_up = 0
        people, tokens, text = catalogue.people, sentence.tokens, sentence.text
        self._people: dict[Role, list[Person | None]] = {
            "cast": people.mentions(tokens, text, "cast"),
            "directors": people.mentions(tokens, text, "directors"),
        }

    def title(self, at: int, *, is_known: bool, is_first: bool) -> FoundTitles | None:
        """One title; ``is_known``: only of the index, as what was loved may be anything."""
        sentence = self._sentence
        year = 0
        for position in range(at, min(at + 1 + _FILLERS_BEFORE, len(sentence))):
            if not sentence.is_free(position):
                return None
            found = self._title_at(position, is_known=is_known, is_first=is_first)
            if found is not None:
                return self._in_year(found, year)
            is_year = sentence.key(position).isdigit() and len(sentence.key(position)) == 4
            if not (sentence.key(position) in words.TITLE_FILLERS or is_year):
                break
            if sentence.ends_phrase(position):
                break
            year = int(sentence.key(position)) if is_year else year
        if is_first and not is_known and self.is_behind_an_adjective(at):
            return self._title_at(at + 1, is_known=False, is_first=True)
        return None

    def _in_year(self, found: FoundTitles, year: int) -> FoundTitles:
        """The ``1982`` film The Thing."""
        films = [film for title in found.titles for film in self._catalogue.titled(title)]
        of_year = [film for film in films if film.year == year]
        return FoundTitles(self._catalogue.shown(of_year), found.end) if of_year else found

    def is_behind_an_adjective(self, at: int) -> bool:
        """Whether a title stands behind this word: like ``depressing`` Black Mirror."""
        sentence = self._sentence
        if at + 1 >= len(sentence) or sentence.tokens[at].capital or sentence.ends_phrase(at):
            return False
        is_plain = sentence.is_free(at) and sentence.key(at) not in words.BOUNDARIES
        behind = sentence.tokens[at + 1].capital and not self._is_person(at + 1)
        return is_plain and behind and not self._genre(at) and sentence.key(at + 1) != "i"

    def _title_at(self, position: int, *, is_known: bool, is_first: bool) -> FoundTitles | None:
        quoted = self._sentence.quoted_at(position)
        if quoted is not None:
            written, end = quoted
            films = self._catalogue.titled(written)
            return self.of(films, end) if films else FoundTitles((written,), end)
        exact = self._catalogue.titles.at(self._sentence.tokens, position)
        if exact is None and self._is_person(position):
            return None
        if exact is not None and self._is_meant(position, exact.end, is_first=is_first):
            return self.of(exact.films, exact.end)
        if self._genre(position):
            return None
        return self._written(position, is_known=is_known, is_first=is_first)

    def _is_meant(self, start: int, end: int, *, is_first: bool) -> bool:
        """Whether these words, which are a title, are used as one."""
        sentence = self._sentence
        content = [n for n in range(start, end) if sentence.key(n) not in {"the", "a", "an"}]
        if any(sentence.tokens[n].capital or sentence.key(n).isdigit() for n in content):
            run = sentence.capital_run(start)
            # "Alien Covenant" is not "Alien"
            is_subtitle = sentence.tokens[end - 1].gap.strip() == ":"
            if is_subtitle and run > end:
                return False
            return run <= end or self._is_person(end) or not sentence.tokens[end].capital
        if len(content) > 1:
            return not self._genre(start)
        key = sentence.key(content[0]) if content else ""
        is_free = sentence.ends_phrase(end - 1) or sentence.key(end) in words.BOUNDARIES
        is_first = is_first or not any(token.capital for token in sentence.tokens[1:])
        return is_free and is_first and key not in words.NO_TITLES and not self._genre(start)

    def _written(self, position: int, *, is_known: bool, is_first: bool) -> FoundTitles | None:
        """A title that the index lacks or that is misspelt."""
        sentence = self._sentence
        end = sentence.capital_run(position)
        if end > position and not (end == position + 1 and sentence.key(position) in {"i", "im"}):
            written = sentence.written(position, end)
            films = self._catalogue.titled(written)
            if films:
                return self.of(films, end)
            is_number = written.isdigit()
            return None if is_known or is_number else FoundTitles((written,), end)
        return self._misspelt(position) if is_first else None

    def _misspelt(self, position: int) -> FoundTitles | None:
        """In lower case, up to where the phrase ends."""
        sentence = self._sentence
        end = position
        while end < len(sentence) and sentence.key(end) not in words.BOUNDARIES:
            end += 1
            if sentence.ends_phrase(end - 1):
                break
        if not 0 < end - position <= _MISSPELT_WORDS:
            return None
        written = sentence.written(position, end)
        if len(written) < _LOOSE_FROM or sentence.key(position) in words.NO_TITLES - {"the"}:
            return None
        if self._looked_up >= _MOST_LOOKED_UP:
            return None
        self._looked_up += 1
        films = self._catalogue.titled(written)
        return self.of(films, end) if films else None

    def of(self, films: tuple[FilmFacts, ...], end: int) -> FoundTitles:
        """With the year behind it, in parentheses or not, only the film of that year."""
        key = self._sentence.key(end)
        year = int(key) if len(key) == 4 and key.isdigit() else 0
        in_year = tuple(film for film in films if film.year == year)
        if in_year:
            return FoundTitles(self._catalogue.shown(in_year), end + 1)
        return FoundTitles(self._catalogue.shown(films), end)

    def _genre(self, position: int) -> bool:
        return genre_at(self._sentence.tokens, position, self._catalogue.genres) is not None

    def _is_person(self, position: int) -> bool:
        """Somebody's name as it is written: Heat is not Heath Ledger."""
        return any(
            one is not None and one.exact and self.is_named(one)
            for one in (self.person_at(position, "cast"), self.person_at(position, "directors"))
        )

    def is_named(self, person: Person) -> bool:
        """``Black`` Mirror is nobody."""
        sentence = self._sentence
        if person.whole:
            return sentence.tokens[person.start].capital or person.exact
        is_alone = sentence.capital_run(person.start) <= person.end
        return sentence.tokens[person.start].capital and is_alone

    def person_at(self, position: int, role: Role) -> Person | None:
        people = self._people[role]
        return people[position] if position < len(people) else None

    def next_of_list(self, end: int) -> int | None:
        """Where the next of a list begins: behind a comma, "and" or "or"."""
        key, sentence = self._sentence.key, self._sentence
        if end >= len(sentence):
            return None
        if sentence.ends_phrase(end - 1) and not sentence.comma_behind(end - 1):
            return None
        joint = key(end) in words.JOINED or key(end) == "meets"
        if not (joint or sentence.comma_behind(end - 1)):
            return None
        at = end + joint
        while key(at) in {"also", "maybe", "even"}:
            at += 1
        return at if at < len(sentence) else None

    def with_series(self, titles: tuple[str, ...]) -> tuple[str, ...]:
        """No Star Wars, no Star Wars of another number."""
        catalogue = self._catalogue
        films = [film for title in titles for film in catalogue.titled(title)]
        every = dict.fromkeys(one for film in films for one in catalogue.titles.series_of(film))
        return (*titles, *(one for one in catalogue.shown(every) if one not in titles))

    def is_title_in_capitals(self, at: int) -> bool:
        exact = self._catalogue.titles.at(self._sentence.tokens, at)
        return (
            exact is not None
            and all(self._sentence.tokens[n].capital for n in range(at + 1, exact.end))
            and exact.end > at + 1
        )
