"""What is searched for: a request, the films that it names and the user's tastes as one vector.

As Rocchio (1971) does it: what is wished for and the liked films, minus the unliked ones and what is to be avoided. A
search with it orders films as the weighted sum of their cosines to each part would.
"""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from rag_llm_system.application.movies import request_words as words
from rag_llm_system.application.movies.catalogue import FilmCatalogue
from rag_llm_system.application.movies.film_search import FilmSearch
from rag_llm_system.application.movies.request import understand
from rag_llm_system.application.rag.question import encoded
from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.films import FilmFacts, FilmRequest, SimilarPreference
from rag_llm_system.domain.ports import Embedder

_WISH, _WISH_WITH_LIKED, _LIKED, _UNLIKED, _AVOIDED, _TASTES = 1.0, 0.7, 1.0, -0.35, -0.25, 0.25
"""The parts of the vector, each of length 1."""
_ANYTHING = "film"
_TOLD = re.compile(r"\b(?:about|set|where|based|on|who|whose|featuring|with|in)\s.*", re.IGNORECASE)


class Sought(NamedTuple):
    """``wish`` and ``liked_vectors`` are None and empty where there is no such part; all vectors have length 1.

    ``text`` is the wish for a closer comparison, ``words`` what is searched by words; ``is_described``: the wish says
    more than the constraints do; ``is_open``: nothing is wished that could be searched for.
    """

    vector: Vectors
    text: str
    words: str
    wish: Vectors | None
    liked: tuple[FilmFacts, ...]
    liked_vectors: tuple[Vectors, ...]
    unliked_vectors: tuple[Vectors, ...]
    tastes: tuple[Vectors, ...]
    disliked_genres: frozenset[str]
    is_described: bool
    is_open: bool


def wish_text(request: FilmRequest) -> str:
    """What is asked for as a text: "dark science fiction film", "war film about Vietnam"; "" where nothing is."""
    genres = " ".join([*request.genres, *request.any_genres]).lower()
    if not (genres or request.subject):
        return ""
    told = _TOLD.search(request.subject)
    described, story = (request.subject[: told.start()], told[0]) if told else (request.subject, "")
    return " ".join(f"{described} {genres} film {story}".split())


def searched_words(request: FilmRequest) -> str:
    """What of the wish a film's text may have: moods are found by meaning alone."""
    kept = (
        word
        for word in re.split(r"[\s,]+", request.subject)
        if word.lower().replace("-", "") not in words.MOODS
    )
    return " ".join(kept)


class SoughtReader:
    """Threads may share it."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    def read(
        self,
        request: FilmRequest,
        preferences: Sequence[SimilarPreference],
        catalogue: FilmCatalogue,
        search: FilmSearch,
    ) -> Sought:
        liked, liked_unknown = _known(request.like, catalogue)
        unliked, unliked_unknown = _known(request.unlike, catalogue)
        own = search.vectors([film.document_id for film in (*liked, *unliked)])
        text = wish_text(request)
        is_open = not (text or liked or liked_unknown or preferences)
        text = _ANYTHING if is_open else text
        tastes = [understand(one.text, catalogue) for one in preferences]
        said = [wish_text(one) or one.text for one in tastes]
        texts = [*filter(None, [text]), *liked_unknown, *unliked_unknown, *request.avoid, *said]
        vectors = dict(zip(texts, self._vectors(texts), strict=True))
        liked_vectors = _vectors_of(liked, own) + tuple(vectors[one] for one in liked_unknown)
        unliked_vectors = _vectors_of(unliked, own) + tuple(vectors[one] for one in unliked_unknown)
        wish = vectors[text] if text else None
        parts = [
            (_WISH_WITH_LIKED if liked_vectors else _WISH, (wish,) if wish is not None else ()),
            (_LIKED, liked_vectors),
            (_UNLIKED, unliked_vectors),
            (_AVOIDED, tuple(vectors[one] for one in request.avoid)),
            (_TASTES, tuple(vectors[one] for one in said)),
        ]
        return Sought(
            vector=_combined(parts),
            text=text,
            words=" ".join([searched_words(request), *liked_unknown]).strip(),
            wish=wish,
            liked=liked,
            liked_vectors=liked_vectors,
            unliked_vectors=unliked_vectors,
            tastes=tuple(vectors[one] for one in said),
            disliked_genres=frozenset(genre for one in tastes for genre in one.without_genres),
            is_described=bool(request.subject),
            is_open=is_open,
        )

    def _vectors(self, texts: Sequence[str]) -> list[Vectors]:
        return [encoded(text, self._embedder, with_tokens=False).vector for text in texts]


def _known(
    titles: Iterable[str], catalogue: FilmCatalogue
) -> tuple[tuple[FilmFacts, ...], tuple[str, ...]]:
    """The films of these titles, and the titles that the index lacks."""
    films: list[FilmFacts] = []
    unknown: list[str] = []
    for title in titles:
        found = catalogue.titled(title)
        films += found
        unknown += [] if found else [title]
    return tuple(films), tuple(unknown)


def _vectors_of(films: Iterable[FilmFacts], own: dict[str, Vectors]) -> tuple[Vectors, ...]:
    return tuple(
        unit(own[film.document_id].mean(axis=0)) for film in films if film.document_id in own
    )


def _combined(parts: Iterable[tuple[float, Sequence[Vectors]]]) -> Vectors:
    given = [weight * unit(np.sum(vectors, axis=0)) for weight, vectors in parts if vectors]
    return unit(np.sum(given, axis=0))


def unit(vector: Vectors) -> Vectors:
    return (vector / (float(np.linalg.norm(vector)) or 1.0)).astype(np.float32)


def similarity(of_film: Vectors, to: Vectors) -> float:
    """The cosine of a film, the best of its windows, to a vector of length 1."""
    return float((of_film @ to).max())
