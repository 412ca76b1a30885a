"""Films, what somebody asks of them, and what is recommended."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from rag_llm_system.domain.documents import Value


class FilmFacts(Value):
    """One film of the index. ``year`` 0 and empty tuples mean unknown; ``text`` is what it is about."""

    document_id: str
    title: str
    year: int = 0
    genres: tuple[str, ...] = ()
    cast: tuple[str, ...] = ()
    directors: tuple[str, ...] = ()
    text: str = ""
    link: str = ""


class FilmRequest(Value):
    """What a sentence asks for.

    ``subject`` is what is left to search for, without what the other fields hold; "" when nothing is. Every field
    from ``first_year`` to ``without_directors`` is a hard constraint: all of it must hold, ``genres``, ``cast`` and
    ``directors`` each in full, of ``any_genres``, ``any_cast`` and ``any_directors`` at least one; ``without_years``
    are first and last years of spans that are refused. ``like``, ``unlike`` and ``seen`` are titles as the index has
    them, with the year behind them where it was said and tells two films apart, or as they were written where it has
    no such film; ``avoid`` are words for what the film should rather not be like; ``count`` is how many films are
    wanted. ``labels`` tell the reader what was understood.
    """

    text: str
    subject: str = ""
    first_year: int | None = None
    last_year: int | None = None
    without_years: tuple[tuple[int, int], ...] = ()
    genres: tuple[str, ...] = ()
    any_genres: tuple[str, ...] = ()
    without_genres: tuple[str, ...] = ()
    cast: tuple[str, ...] = ()
    any_cast: tuple[str, ...] = ()
    without_cast: tuple[str, ...] = ()
    directors: tuple[str, ...] = ()
    any_directors: tuple[str, ...] = ()
    without_directors: tuple[str, ...] = ()
    like: tuple[str, ...] = ()
    unlike: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    count: int | None = None
    labels: tuple[str, ...] = ()


class Preference(Value):
    """What a user told once: a ``taste`` in their own words, or a film they have ``seen`` (``text`` is its title)."""

    id: str
    user: str
    text: str
    kind: Literal["taste", "seen"] = "taste"


class SimilarPreference(Value):
    """``similarity`` is its cosine to the question."""

    text: str
    similarity: float


class Candidate(Value):
    """A film that may be recommended.

    ``similarity`` is the cosine of its text to what is searched for, ``confidence`` in [0, 1] is computed from the
    scores (see ``application/movies/confidence.py``), ``reasons`` say in words what it was chosen for, ``preference``
    is the stored taste that it matches best, None where none is near.
    """

    film: FilmFacts
    similarity: float
    confidence: float
    reasons: tuple[str, ...] = ()
    preference: SimilarPreference | None = None


class Recommendations(Value):
    """Candidates, best first, that meet every constraint of the request; ``notes`` are for the reader."""

    request: FilmRequest
    candidates: tuple[Candidate, ...] = ()
    preferences: tuple[SimilarPreference, ...] = ()
    notes: tuple[str, ...] = ()
    timings_s: Mapping[str, float] = Field(default_factory=dict)
