"""Small builders for tests of the movie assistant: films, candidates and an index that knows them."""

from collections.abc import Callable, Sequence

from rag_llm_system.application.movies.catalogue import FilmCatalogue
from rag_llm_system.application.movies.constraints import left_out
from rag_llm_system.application.movies.offer import Offer, offer_of
from rag_llm_system.application.movies.preferences import Preferences
from rag_llm_system.domain.films import (
    Candidate,
    FilmFacts,
    FilmRequest,
    Recommendations,
    SimilarPreference,
)
from rag_llm_system.domain.ports import DocumentStore, VectorStore
from rag_llm_system.infrastructure.db.memory import MemoryDocumentStore
from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
from rag_llm_system.infrastructure.vector_stores.memory import MemoryVectorStore


def film(
    title: str,
    year: int,
    plot: str = "The story follows a man who loses his memory.",
    *,
    genres: Sequence[str] = ("Science Fiction",),
    cast: Sequence[str] = ("Ada Bell", "Carl Dunn"),
) -> FilmFacts:
    return FilmFacts(
        document_id=f"{title}-{year}",
        title=title,
        year=year,
        genres=tuple(genres),
        cast=tuple(cast),
        text=f"{title} is a {year} American film directed by Jo Reed. {plot}",
        link=f"https://films.example/{year}/{title.replace(' ', '_')}",
    )


DARK_CITY = film("Dark City", 1998, "The film follows a man who wakes in a city without a sun.")
TENET = film("Tenet", 2020, "The story follows an agent who learns to turn time around.")
SUNSHINE = film("Sunshine", 2007, "The film follows a crew that is sent to light the sun again.")
CATALOGUE = FilmCatalogue(
    [
        DARK_CITY,
        TENET,
        SUNSHINE,
        film("Inception", 2010),
        film("Heat", 1995, genres=("Crime",)),
        film("Alien", 1979),
        film("Carrie", 1976, genres=("Horror",)),
        film("Carrie", 2013, genres=("Horror",)),
    ]
)


def candidate(
    facts: FilmFacts, confidence: float = 0.8, *, preference: str = "", **more: object
) -> Candidate:
    liked = SimilarPreference(text=preference, similarity=0.679) if preference else None
    return Candidate.model_validate(
        {
            "film": facts,
            "similarity": 0.6,
            "confidence": confidence,
            "reasons": ("science fiction",),
            "preference": liked,
            **more,
        }
    )


def found(
    *candidates: Candidate, request: FilmRequest | None = None, **more: object
) -> Recommendations:
    asked = request or FilmRequest(text="a dark sci-fi film", subject="dark")
    return Recommendations.model_validate({"request": asked, "candidates": candidates, **more})


def offer(*candidates: Candidate, **more: object) -> Offer:
    return offer_of("a dark sci-fi film", found(*candidates, **more), defence=True)  # type: ignore[arg-type]


class FirstFilms:
    """Recommends what the constraints leave, in the order of the index; ``asked`` keeps what it was asked."""

    def __init__(self, catalogue: FilmCatalogue = CATALOGUE) -> None:
        self._catalogue = catalogue
        self.asked: list[
            tuple[FilmRequest, tuple[SimilarPreference, ...], tuple[str, ...], int]
        ] = []

    def recommend(
        self,
        request: FilmRequest,
        preferences: Sequence[SimilarPreference] = (),
        seen: Sequence[str] = (),
        k: int = 5,
    ) -> Recommendations:
        self.asked.append((request, tuple(preferences), tuple(seen), k))
        hidden = left_out(request, seen, self._catalogue)
        fitting = [
            one
            for one in self._catalogue
            if one.document_id not in hidden
            and set(request.genres) <= set(one.genres)
            and (request.first_year or 0) <= one.year <= (request.last_year or 9999)
        ]
        return Recommendations(
            request=request,
            candidates=tuple(candidate(one, 0.9 - n / 10) for n, one in enumerate(fitting[:k])),
            preferences=tuple(preferences),
            notes=() if fitting else ("No film is left.",),
        )


def memory_preferences(
    store: VectorStore | None = None,
    documents: Callable[[], DocumentStore] | None = None,
    **more: object,
) -> Preferences:
    kept = MemoryDocumentStore()
    return Preferences(
        documents or (lambda: kept),
        store or MemoryVectorStore(),
        HashingEmbedder(),
        catalogue=lambda: CATALOGUE,
        **more,  # type: ignore[arg-type]
    )
