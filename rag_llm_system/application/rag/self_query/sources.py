"""What kind of source a question wants: category and platform, repository and language of code, films of a genre."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from rag_llm_system.application.rag.self_query import words
from rag_llm_system.application.rag.self_query.author_cues import Found
from rag_llm_system.application.rag.self_query.text import Token
from rag_llm_system.application.rag.self_query.vocabulary import Phrases, Vocabulary

_LEAD = words.word_set(
    "a all an and any are be best biggest can classic collect compare could count do early earliest every each "
    "eighties favourite few fetch find first for from get give good great have i id ill im in interesting into is "
    "ive last late latest like list little longest look looking many me mid more most my name need new newer "
    "newest nineties of old older oldest one only or other our own please popular published read recent recommend "
    "recommended search see seventies short show sixties some something suggest summarise summarize summary tell "
    "that the their there these those through to top us want watch what which with would you your"
)
"""Words in front of what is asked for: ``find me the latest`` articles."""

_ASKING = words.word_set("any find give list search show what which")
_INSIDE = words.word_set("in from of within across through search throughout inside")
_DETERMINERS = words.word_set("the my our your his her their this these those all")
_BEHIND = words.FUNCTION_WORDS | words.SAYS_BASE | words.SAYS_INFLECTED
IN_CODE = "repositories"
FILMS = "movies"
_FILES = words.word_set("code file files modules scripts source sources")
_BEFORE_LANGUAGE = words.word_set(
    "all find from in just list me of only search show the which within"
)
_REPOSITORY = words.word_set("codebase repo repos repositories repository")
_PUBLISHED = frozenset({"published", "posted", "written", "shared", "wrote"})
_WHERE = frozenset({"on", "from", "via", "at"})
_WHICH = words.word_set(
    "about by on before after featuring from in of released set since starring that where which with"
)
_OF_A_FILM = frozenset({"with", "starring", "featuring", "from", "of"})


@dataclass(frozen=True, slots=True)
class Named:
    """Known values at words ``[start, end)``."""

    values: tuple[str, ...]
    start: int
    end: int

    @property
    def value(self) -> str:
        return self.values[0]


def phrases(tokens: Sequence[Token], known: Phrases) -> list[Named]:
    """Every known value in the question, the longest first; words with hyphens are others."""
    found: list[Named] = []
    position = 0
    while position < len(tokens):
        phrase = known.at(tokens, position)
        if phrase is not None:
            found.append(Named(phrase[0], position, phrase[1]))
        position = phrase[1] if phrase else position + 1
    return [
        one
        for one in found
        if not tokens[one.end - 1].glued and (one.start == 0 or tokens[one.start - 1].gap != "-")
    ]


class Sources:
    """Reads one question, in which authors and cast have been found."""

    def __init__(
        self,
        tokens: Sequence[Token],
        known: Vocabulary,
        authors: Sequence[Found],
        cast: Sequence[Named],
    ) -> None:
        self._tokens = tokens
        self._keys = [token.key for token in tokens]
        self._authors = authors
        self._author_words = {n for one in authors for n in range(one.start, one.end)}
        self._platforms = phrases(tokens, known.platforms)
        self._genres = phrases(tokens, known.genres)
        self._languages = phrases(tokens, known.languages)
        self._repositories = phrases(tokens, known.repositories)
        of_genres = _words_of(self._genres)
        nouns = phrases(tokens, known.categories)
        # "film noir" is a genre
        self._nouns = [one for one in nouns if one.start not in of_genres]
        named = chain(self._platforms, self._genres, self._languages, self._nouns, cast)
        self._head = self._end_of_head(self._author_words | _words_of(named))

    def categories(self) -> list[Named]:
        return [one for one in self._nouns if self._is_asked_for(one)]

    def platforms(self) -> list[Named]:
        return [one for one in self._platforms if self._is_where(one)]

    def repositories(self) -> list[Named]:
        """By full name wherever it stands, by the short one beside the word "repository"."""
        return [
            one
            for one in self._repositories
            if self._tokens[one.start].gap == "/"
            or _REPOSITORY & {self._key(one.start - 1), self._key(one.end)}
        ]

    def languages(self, *, of_code: bool) -> list[Named]:
        """``only Python files``; ``Python code`` alone is a topic, unless the question is about a repository."""
        return [one for one in self._languages if self._is_of_files(one, of_code=of_code)]

    def films(self, categories: Sequence[Named], cast: Sequence[Named]) -> tuple[bool, list[Named]]:
        """Whether films are asked for, and of which genres."""
        genres = [one for one in self._genres if one.end <= self._head]
        films = any(one.value == FILMS for one in categories)
        played = {one.start - 1 for one in cast}
        if films or any(self._is_film(one) or one.end in played for one in genres):
            return True, genres
        return "starring" in self._keys, []

    def _key(self, position: int) -> str:
        return self._keys[position] if 0 <= position < len(self._keys) else ""

    def _end_of_head(self, named: set[int]) -> int:
        """How many words at the start say what is asked for: ``find me the latest``, ``sci-fi``, ``Ada's``."""
        nouns = {one.end for one in self._nouns}
        # funny films, gripping thrillers
        described = {one.start - 1 for one in self._genres}
        described |= {one.start - 1 for one in self._nouns if one.value == FILMS}
        passed = named | described
        for position, key in enumerate(self._keys):
            if not (key in _LEAD or position in passed or key.rstrip("s").isdigit()):
                return position
            if position + 1 in nouns and self._key(position + 1) not in {"and", "or"}:
                return position + 1
        return len(self._keys)

    def _ends(self, end: int) -> bool:
        """Whether the term ends here, and is not part of a longer one."""
        if end >= len(self._tokens) or self._tokens[end - 1].ends_phrase:
            return True
        return self._keys[end] in _BEHIND or self._keys[end].isdigit()

    def _is_asked_for(self, noun: Named) -> bool:
        excluded = any(one.excluded and one.start <= noun.start < one.end for one in self._authors)
        if excluded or self._key(noun.start - 1) == "blog":
            return False
        plural = self._keys[noun.end - 1].endswith("s")
        if noun.value == IN_CODE:
            listed = noun.end <= self._head and self._keys[0] in _ASKING and plural
            return listed or self._is_inside(noun)
        if noun.value != FILMS and self._is_written(noun):
            return True
        if noun.end <= self._head:
            return plural or self._key(noun.end) in _WHICH
        return plural and (self._is_on_platform(noun) or self._is_inside(noun))

    def _is_written(self, noun: Named) -> bool:
        """``articles`` by Ada, Ada's ``articles``."""
        return any(
            noun.end == one.start or one.start <= noun.start < one.end for one in self._authors
        )

    def _is_on_platform(self, noun: Named) -> bool:
        """``posts`` on LinkedIn, but not how to export them."""
        there = any(one.start == noun.end + 1 and self._ends(one.end) for one in self._platforms)
        return there and self._key(noun.end) in _WHERE and "how" not in self._keys[: noun.start]

    def _is_inside(self, noun: Named) -> bool:
        """In the ``code``, from our ``posts``; a code of conduct is no code."""
        if not self._ends(noun.end) or (noun.value == IN_CODE and self._key(noun.end) == "of"):
            return False
        passed = self._author_words | _words_of([*self._platforms, *self._languages])
        before = noun.start - 1
        while before in passed:
            before -= 1
        return self._key(before) in _DETERMINERS and self._key(before - 1) in _INSIDE

    def _is_where(self, one: Named) -> bool:
        before, earlier, behind = (
            self._key(one.start - 1),
            self._key(one.start - 2),
            self._key(one.end),
        )
        if behind in words.DOCUMENTS:
            return one.end <= self._head or bool({one.start, one.end} & self._author_words)
        if before not in _WHERE or not self._ends(one.end):
            return False
        if earlier in words.REFUSALS | words.EXCLUSIONS:
            return False
        if earlier in words.DOCUMENTS | _PUBLISHED:
            return bool(self._authors) or self._keys[0] != "how"
        # "posting on LinkedIn" is a topic
        topic = earlier.endswith("ing") and earlier not in words.ANYTHING
        published = not _PUBLISHED.isdisjoint(self._keys[: one.start])
        return before == "on" and not topic and (bool(self._authors) or published)

    def _is_of_files(self, one: Named, *, of_code: bool) -> bool:
        if self._key(one.end) not in _FILES:
            return False
        before = self._key(one.start - 1)
        if self._keys[0] == "how" and before != "the":
            return False
        first = one.start == 0 or self._tokens[one.start - 1].ends_phrase
        return before in _BEFORE_LANGUAGE or (of_code and first)

    def _is_film(self, genre: Named) -> bool:
        """``comedies``, ``a thriller with``, ``film noir from``: words that mean the film itself."""
        last, behind = self._key(genre.end - 1), self._key(genre.end)
        if behind in words.SOURCES:
            return False
        return last in words.FILM_NOUNS or (last in words.FILM_SINGULAR and behind in _OF_A_FILM)


def _words_of(named: Iterable[Named]) -> set[int]:
    return {position for one in named for position in range(one.start, one.end)}
