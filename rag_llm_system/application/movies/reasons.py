"""Why a film is recommended, in words that its facts bear out."""

from collections.abc import Iterator, Sequence

from rag_llm_system.application.movies.constraints import Constraint
from rag_llm_system.application.movies.scoring import words_in
from rag_llm_system.application.movies.sought import Sought
from rag_llm_system.domain.films import FilmFacts

_WORDS_NAMED = 3
_SHARED_NAMED = 2
_REFUSING = ("not ", "without ")


def reasons(film: FilmFacts, wanted: Sought, met: Sequence[Constraint]) -> Iterator[str]:
    """The constraints that it meets, what it shares with the liked films, and words of the wish that it has."""
    for one in met:
        # "without Tom Cruise" is true of thousands of films
        if not one.label.startswith(_REFUSING):
            yield one.label
    for liked in wanted.liked[:_SHARED_NAMED]:
        if shared := _shared(film, liked):
            yield f"shares {shared} with {liked.title}"
    if said := words_in(wanted.words, film)[:_WORDS_NAMED]:
        quoted = " and ".join(f'"{word}"' for word in said)
        yield f"its story has {quoted}"


def _shared(film: FilmFacts, liked: FilmFacts) -> str:
    directors = [name for name in liked.directors if name in film.directors]
    cast = [name for name in liked.cast if name in film.cast]
    genres = [genre for genre in liked.genres if genre in film.genres]
    named = [*(f"the director {name}" for name in directors), *cast[:_SHARED_NAMED], *genres]
    if not named:
        return ""
    *most, last = named
    return f"{', '.join(most)} and {last}" if most else last
