"""The films that a request compares with, names as seen or refuses, and what else it leaves out."""

from collections.abc import Mapping

from rag_llm_system.application.movies import request_words as words
from rag_llm_system.application.movies.catalogue import FilmCatalogue
from rag_llm_system.application.movies.comparisons import ComparisonReader, Wished
from rag_llm_system.application.movies.genres import genre_at
from rag_llm_system.application.movies.names import Person, Role
from rag_llm_system.application.movies.request_words import Cue
from rag_llm_system.application.movies.sentence import Sentence
from rag_llm_system.application.movies.title_lists import TitleReader
from rag_llm_system.application.movies.years import YearReader
from rag_llm_system.application.rag.self_query.words import word_set

_OUT_OF = word_set(
    "a an any another the too much many more all anything anybody anyone films movies film movie with by starring "
    "featuring from in directed made of about kind sort type very so such being other every films' pure straight "
    "released one ones something stuff things some those these that which who were was are is star stars starred made"
)
_BY_ROLE: Mapping[str, Role] = {
    **dict.fromkeys(("with", "starring", "featuring", "star", "stars", "starred"), "cast"),
    **dict.fromkeys(("by", "directed"), "directors"),
}
_INTRODUCES = _BY_ROLE.keys() | word_set(
    "from in made released set before after since until between about of like for around during something anything"
)
"""What a part of a request begins with that is of another kind than the one before."""
_AVOIDED_WORDS = 4
_KNOWN_FILMS = 3
"""Whoever has fewer is not called by their last name alone."""
_BLACK_AND_WHITE = ("black", "and", "white")
_BEFORE_VERB = word_set("i you we they would id don't didn't people who really also what do to")


class WishReader:
    """Reads one request from left to right, and marks what it has understood."""

    def __init__(
        self,
        sentence: Sentence,
        catalogue: FilmCatalogue,
        titles: TitleReader,
        years: YearReader,
    ) -> None:
        self._sentence, self._catalogue, self._years = sentence, catalogue, years
        self._titles = titles
        self._found = Wished()
        self._comparisons = ComparisonReader(sentence, catalogue, titles, self._found)

    def read(self) -> Wished:
        position = 0
        while position < len(self._sentence):
            position = self._read_at(position)
        self._keep_titles()
        return self._found

    def _read_at(self, position: int) -> int:
        """What begins with this word is taken; where to go on."""
        if (end := self._comparisons.read_at(position)) is not None:
            return end
        cue, start = self._cue_at(position)
        if cue is None:
            return position + 1
        if cue is Cue.NONE:
            return start
        return self._behind(cue, position, start) or position + 1

    def _cue_at(self, position: int) -> tuple[Cue | None, int]:
        """The longest cue that begins here, and where it ends."""
        sentence = self._sentence
        if sentence.quoted_at(position) or position in sentence.gone:
            return None, position
        for length in range(words.LONGEST_CUE, 0, -1):
            phrase = tuple(sentence.keys[position : position + length])
            cue = words.CUES.get(phrase) if len(phrase) == length else None
            last = position + length - 1
            if cue is None or any(sentence.ends_phrase(n) for n in range(position, last)):
                continue
            is_verb = phrase == ("like",) and sentence.key(position - 1) in _BEFORE_VERB
            is_answer = phrase in {("no",), ("not",)} and sentence.ends_phrase(last)
            return (Cue.NONE if is_verb or is_answer else cue), position + length
        return None, position

    def _behind(self, cue: Cue, start: int, first: int) -> int | None:
        """Reads what follows a cue; None when nothing does that it could mean."""
        if cue is Cue.LESS:
            end = self._avoided(first)
        elif cue in {Cue.EXCEPT, Cue.UNLIKE}:
            end = self._left_out(cue, first)
        else:
            end = self._liked_or_seen(cue, first)
        if end is not None:
            self._sentence.take(start, end)
            if cue is Cue.SEEN or cue is Cue.LOVED:
                self._take_behind(end)
        return end

    def _take_behind(self, end: int) -> None:
        """I have seen X ``already``."""
        while self._sentence.key(end) in {"already", "before", "too", "though"}:
            self._sentence.take(end, end + 1)
            end += 1

    def _liked_or_seen(self, cue: Cue, first: int) -> int | None:
        into = self._found.seen if cue is Cue.SEEN else self._found.like
        at: int | None = first
        end = None
        while at is not None:
            one = self._titles.title(at, is_known=cue is Cue.LOVED, is_first=end is None)
            if one is None:
                break
            into.extend(one.titles)
            end = one.end
            at = self._titles.next_of_list(end)
        return end

    def _left_out(self, cue: Cue, first: int) -> int | None:
        """A list of films, genres, people and years; other words are what it should rather not be like."""
        at: int | None = first
        end = None
        is_open = True
        while at is not None:
            ended = self._one_left_out(cue, at, is_open=is_open, is_first=end is None)
            if ended is None:
                break
            is_open = self._sentence.key(ended) in {"or", "nor"}
            following = self._titles.next_of_list(ended)
            if following is not None and not self._reaches(at, ended, following):
                return ended
            end, at = ended, following
        return end

    def _reaches(self, at: int, end: int, following: int) -> bool:
        """Whether a refusal of ``[at, end)`` goes on with ``following``: no horror, from the 80s does not."""
        sentence = self._sentence
        if sentence.key(end) in {"or", "nor"}:
            return True
        position, _ = self._thing(following)
        introduced = _INTRODUCES & set(sentence.keys[following : max(position, following + 1)])
        if introduced:
            first, _ = self._thing(at)
            again = introduced <= set(sentence.keys[max(0, at - 1) : first])
            return following > end and again
        return following > end or self._is_of_the_list(position, self._kind(self._thing(at)[0])[0])

    def _is_of_the_list(self, at: int, kind: str) -> bool:
        """No horror``, comedy`` or romance refuses comedies, no horror``, comedy`` please asks for one."""
        own, end = self._kind(at)
        if not own or (own == kind and own != "genre"):
            return True
        if kind and own != kind:
            return False
        following = self._titles.next_of_list(end)
        if following is None:
            return False
        return following > end or self._is_of_the_list(following, own)

    def _kind(self, at: int) -> tuple[str, int]:
        """What begins with this word, "" for films and anything else, and the word behind it."""
        if (span := self._years.refused_at(at)) is not None:
            return "years", span.end
        for role in ("cast", "directors"):
            person = self._titles.person_at(at, role)
            if person is not None and self._titles.is_named(person):
                return "person", person.end
        if at >= len(self._sentence):
            return "", at
        genre = genre_at(self._sentence.tokens, at, self._catalogue.genres)
        return ("genre", genre.end) if genre is not None else ("", at)

    def _one_left_out(self, cue: Cue, at: int, *, is_open: bool, is_first: bool) -> int | None:
        sentence = self._sentence
        position, role = self._thing(at)
        if position >= len(sentence) or not sentence.is_free(position):
            return None
        if sentence.key(position) in words.DATED:
            return None
        titles = self._found.unlike if cue is Cue.UNLIKE else self._found.seen
        if (span := self._years.refused_at(position)) is not None and cue is Cue.EXCEPT:
            self._found.without_years.append((span.first or 0, span.last or 9999))
            return span.end
        if (end := self._person_left_out(position, role)) is not None:
            return end
        if (end := self._title_left_out(cue, position, is_first=is_first)) is not None:
            return end
        if (end := self._genre_left_out(position)) is not None:
            return end
        exact = (
            self._titles.title(at, is_known=True, is_first=is_first) if cue is Cue.UNLIKE else None
        )
        if exact is not None:
            titles.extend(exact.titles)
            return exact.end
        return self._avoided(position) if is_open else None

    def _title_left_out(self, cue: Cue, position: int, *, is_first: bool) -> int | None:
        sentence = self._sentence
        if sentence.key(position) in words.FIRMS:
            return None
        behind = cue is Cue.UNLIKE and is_first and self._titles.is_behind_an_adjective(position)
        if not (behind or sentence.tokens[position].capital or sentence.quoted_at(position)):
            return None
        if behind:
            self._found.avoid.append(sentence.written(position, position + 1))
        one = self._titles.title(position + behind, is_known=False, is_first=is_first)
        if one is None:
            return None
        into = self._found.unlike if cue is Cue.UNLIKE else self._found.seen
        into.extend(self._titles.with_series(one.titles) if cue is Cue.EXCEPT else one.titles)
        return one.end

    def _thing(self, at: int) -> tuple[int, Role | None]:
        """Where the thing itself begins, and whether it plays or directs."""
        key = self._sentence.key
        role = _BY_ROLE.get(key(at - 1))
        while key(at) in _OUT_OF and not self._titles.is_title_in_capitals(at):
            role = _BY_ROLE.get(key(at), role)
            if self._sentence.ends_phrase(at):
                return len(self._sentence), role
            at += 1
        return at, role

    def _person_left_out(self, position: int, role: Role | None) -> int | None:
        """In the role that was said, else in each that they have."""
        ended = None
        roles: tuple[Role, ...] = (role,) if role else ("cast", "directors")
        named = {which: self._titles.person_at(position, which) for which in roles}
        is_exact = any(person is not None and person.exact for person in named.values())
        for which, person in named.items():
            if person is None or person.exact < is_exact:
                continue
            if not (self._titles.is_named(person) or (role and person.exact)):
                continue
            if not (person.whole or role or self._is_meant_alone(person, which)):
                continue
            into = self._found.without_cast if which == "cast" else self._found.without_directors
            into.extend(person.names)
            ended = max(person.end, ended or 0)
        return ended

    def _is_meant_alone(self, person: Person, role: Role) -> bool:
        """No ``Marvel`` is not Elizabeth Marvel."""
        people = self._catalogue.people
        known = max(people.films_of(name, role) for name in person.names) >= _KNOWN_FILMS
        return known and people.is_unusual(person, self._sentence.key(person.start))

    def _genre_left_out(self, position: int) -> int | None:
        """Of several words for one kind, the first: no ``romantic comedies`` leaves the other comedies."""
        genre = genre_at(self._sentence.tokens, position, self._catalogue.genres)
        if genre is None:
            return None
        self._found.without_genres.append(genre.values[0])
        end = genre.end
        while not self._sentence.ends_phrase(end - 1):
            more = genre_at(self._sentence.tokens, end, self._catalogue.genres)
            if more is None:
                break
            end = more.end
        while self._sentence.key(end) in words.FILM_NOUNS | {"elements", "stuff", "genre", "ones"}:
            end += 1
        return end

    def _avoided(self, first: int) -> int | None:
        """Up to the end of the phrase."""
        sentence = self._sentence
        at = first
        while sentence.key(at) in _OUT_OF and not sentence.ends_phrase(at):
            at += 1
        end = at
        if sentence.starts_with(at, _BLACK_AND_WHITE):
            end += len(_BLACK_AND_WHITE)
        while end < len(sentence) and end - at < _AVOIDED_WORDS and sentence.is_free(end):
            if sentence.key(end) in words.BOUNDARIES:
                break
            end += 1
            if sentence.ends_phrase(end - 1):
                break
        if end == at:
            return None
        self._found.avoid.append(sentence.written(at, end))
        return end

    def _keep_titles(self) -> None:
        """Titles of several words that nothing is said of: what they contain is no wish."""
        sentence = self._sentence
        for position, token in enumerate(sentence.tokens):
            if not token.capital or not sentence.is_free(position):
                continue
            exact = self._catalogue.titles.at(sentence.tokens, position)
            if exact is None or exact.end - position < 2:
                continue
            inner = range(position + 1, exact.end)
            if any(sentence.tokens[n].capital or sentence.key(n).isdigit() for n in inner):
                sentence.keep(position, exact.end)
