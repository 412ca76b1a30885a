"""Films that a request compares with without saying "like": a Matrix-like film, darker than Seven, Alien meets Heat."""

from dataclasses import dataclass, field

from rag_llm_system.application.movies.catalogue import FilmCatalogue
from rag_llm_system.application.movies.sentence import Sentence
from rag_llm_system.application.movies.title_lists import TitleReader
from rag_llm_system.application.rag.self_query.words import word_set

_LIKE_BEHIND = frozenset({"like", "esque", "ish", "style", "type"})
_VIBES = frozenset({"vibe", "vibes", "style", "esque", "energy", "feel", "atmosphere"})
_MAKERS = word_set("director directors maker makers creator creators filmmaker filmmakers")


@dataclass
class Wished:
    """What was found, in the order of the request."""

    like: list[str] = field(default_factory=list)
    unlike: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    avoid: list[str] = field(default_factory=list)
    without_years: list[tuple[int, int]] = field(default_factory=list)
    without_genres: list[str] = field(default_factory=list)
    without_cast: list[str] = field(default_factory=list)
    without_directors: list[str] = field(default_factory=list)
    directors: list[str] = field(default_factory=list)


class ComparisonReader:
    """Reads one request, and marks what it has understood."""

    def __init__(
        self, sentence: Sentence, catalogue: FilmCatalogue, titles: TitleReader, found: Wished
    ) -> None:
        self._sentence, self._catalogue, self._titles = sentence, catalogue, titles
        self._found = found

    def read_at(self, position: int) -> int | None:
        """Where a comparison that begins with this word ends; None when none does."""
        for look in (self._makers, self._described, self._compared):
            end = look(position)
            if end is not None:
                return end
        return None

    def _makers(self, position: int) -> int | None:
        """By the ``director of`` Inception: its directors."""
        sentence = self._sentence
        if sentence.key(position) not in _MAKERS or sentence.key(position + 1) != "of":
            return None
        one = self._titles.title(position + 2, is_known=True, is_first=True)
        titles = one.titles if one else ()
        films = [film for title in titles for film in self._catalogue.titled(title)]
        directors = [name for film in films for name in film.directors]
        if one is None or not directors:
            return None
        self._found.directors.extend(directors)
        start = position
        while sentence.key(start - 1) in {"the", "same", "by", "from"}:
            start -= 1
        sentence.take(start, one.end)
        return one.end

    def _described(self, position: int) -> int | None:
        """A ``Matrix-like`` film, ``Blade Runner vibes``, ``Alien meets`` Die Hard."""
        sentence = self._sentence
        if position in sentence.gone or not sentence.tokens[position].capital:
            return None
        exact = self._catalogue.titles.at(sentence.tokens, position)
        if exact is None:
            return None
        behind = sentence.key(exact.end)
        is_glued = sentence.tokens[exact.end - 1].glued
        phrase_ends = sentence.ends_phrase(exact.end - 1)
        if behind in (_LIKE_BEHIND if is_glued else _VIBES) and not phrase_ends:
            end = exact.end + 1
        elif behind == "meets":
            end = exact.end
        else:
            return None
        self._found.like.extend(self._titles.of(exact.films, exact.end).titles)
        if behind == "meets":
            other = self._titles.title(exact.end + 1, is_known=False, is_first=True)
            self._found.like.extend(other.titles if other else ())
            end = other.end if other else end
        sentence.take(position, end)
        return end

    def _compared(self, position: int) -> int | None:
        """As dark ``as Se7en``, darker ``than`` Alien."""
        key = self._sentence.key
        before = [key(position - back) for back in (1, 2, 3)]
        is_as = key(position) == "as" and "as" in before[1:]
        is_than = key(position) == "than" and (
            before[0].endswith("er") or before[1] in {"more", "less"}
        )
        if not (is_as or is_than) or before[0] in {"other", "rather"}:
            return None
        one = self._titles.title(position + 1, is_known=True, is_first=True)
        if one is None:
            return None
        self._found.like.extend(one.titles)
        self._sentence.take(position, one.end)
        return one.end
