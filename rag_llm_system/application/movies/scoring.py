"""What the facts of a film say for it, beside the meaning of its text."""

from collections.abc import Iterable, Sequence
from math import log

from rag_llm_system.application.movies import request_words as words
from rag_llm_system.application.movies.catalogue import FilmCatalogue
from rag_llm_system.application.movies.sought import Sought
from rag_llm_system.application.preprocessing.terms import content_words
from rag_llm_system.application.rag.self_query.text import keys_of
from rag_llm_system.domain.films import FilmFacts, FilmRequest

_GENRES, _PEOPLE, _WORDS, _PROMINENCE, _ERA, _MOOD = 0.14, 0.04, 0.16, 0.12, 0.1, 0.08
_DISLIKED = -0.12
"""What each adds to the cosine at most.

Chosen on 29 requests over 6,000 films from Wikipedia, with MiniLM, each for itself: nDCG@10 of the films that somebody
who knows them would name was 0.53; without words 0.46, prominence 0.50, shared genres 0.50, moods 0.51, era 0.52. Half
or twice a weight changes it by 0.01.
"""
_MOOD_IN_TITLE = -0.12
"""A film is not scary for being called Scary Movie: texts with the word of a mood are near to the wish for it."""
_MOOD_STEM = 4
_OLD_UNTIL, _MODERN_FROM, _YEARS_FAR = 1985, 2000, 20
_LEADING = 4
"""Of a cast, those whom a film is known for."""


class FactScore:
    """Of one request."""

    def __init__(self, request: FilmRequest, wanted: Sought, catalogue: FilmCatalogue) -> None:
        self._prominence = catalogue.prominence
        self._liked = [(set(one.genres), _people(one)) for one in wanted.liked]
        self._mood_genres = {
            genre
            for word, called in words.MOOD_GENRES.items()
            if word in _words_of(request.subject)
            for genre in catalogue.genres.named(called)
        }
        self._moods = tuple(
            word
            for word in _words_of(request.subject)
            if word in words.MOODS and len(word) >= _MOOD_STEM
        )
        self._era = _era_of(request.subject)
        asked = {*request.genres, *request.any_genres}
        self._disliked = wanted.disliked_genres - asked
        films = max(len(catalogue), 1)
        self._rarity = {
            genre: log(1 + films / len(ids)) for genre, ids in catalogue.ids_by_genre.items()
        }

    def of(self, film: FilmFacts, words_found: float) -> float:
        """``words_found``: its score for the words of the request, in units of the rarest word's."""
        return (
            _WORDS * words_found
            + _GENRES * self.genres_shared(film)
            + _PEOPLE * _mean(bool(people & _people(film)) for _, people in self._liked)
            + _PROMINENCE * self._prominence.get(film.document_id, 0.0)
            + (_MOOD if self._mood_genres.intersection(film.genres) else 0.0)
            + _ERA * self._of_wanted_era(film)
            + (_MOOD_IN_TITLE if self._is_called_so(film) else 0.0)
            + (_DISLIKED if self.is_disliked(film) else 0.0)
        )

    def is_disliked(self, film: FilmFacts) -> bool:
        """Whether it has a genre that the user's preferences refuse and this request does not ask for."""
        return not self._disliked.isdisjoint(film.genres)

    def _is_called_so(self, film: FilmFacts) -> bool:
        """Whether its title has a mood that is wished for: dark, Into Darkness."""
        return any(word.startswith(self._moods) for word in keys_of(film.title))

    def genres_shared(self, film: FilmFacts) -> float:
        """With the liked films, in [0, 1]: what both have of what one has, rare genres counting more."""
        return _mean(self._shared(set(film.genres), genres) for genres, _ in self._liked)

    def _shared(self, ours: set[str], theirs: set[str]) -> float:
        every = sum(self._rarity.get(genre, 0.0) for genre in ours | theirs)
        both = sum(self._rarity.get(genre, 0.0) for genre in ours & theirs)
        return both / every if every else 0.0

    def _of_wanted_era(self, film: FilmFacts) -> float:
        """``classic`` and ``modern`` are wishes: in [-1, 1], 0 where nothing is wished."""
        if not self._era or not film.year:
            return 0.0
        late = film.year - _OLD_UNTIL if self._era == "old" else _MODERN_FROM - film.year
        return 1.0 if late <= 0 else -min(1.0, late / _YEARS_FAR)


def words_in(wished: str, film: FilmFacts) -> list[str]:
    """The words of the wish that the film's text has, as they are written in the wish."""
    said = content_words(film.text)
    return [word for word in dict.fromkeys(wished.split()) if content_words(word) & said]


def words_shared(wished: str, film: FilmFacts) -> float | None:
    """The share of the wish's words that the film's text or genres have; None where nothing is wished."""
    asked = content_words(wished)
    if not asked:
        return None
    said = content_words(film.text) | content_words(" ".join(film.genres))
    return len(asked & said) / len(asked)


def _people(film: FilmFacts) -> set[str]:
    return {*film.directors, *film.cast[:_LEADING]}


def _words_of(subject: str) -> set[str]:
    return set(subject.lower().replace(",", " ").split())


def _era_of(subject: str) -> str:
    said = _words_of(subject)
    if said & words.OLD:
        return "old"
    return "modern" if said & words.MODERN else ""


def _mean(values: Iterable[float]) -> float:
    found: Sequence[float] = list(values)
    return sum(found) / len(found) if found else 0.0
