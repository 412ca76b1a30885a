"""Weaker readings of a question, for when nothing meets all of its conditions."""

from collections.abc import Iterator, Mapping

from rag_llm_system.application.rag.self_query.vocabulary import (
    AUTHOR,
    CAST,
    CATEGORY,
    GENRES,
    LANGUAGE,
    PLATFORM,
    PUBLISHED,
    REPOSITORY,
    YEAR,
)
from rag_llm_system.domain.queries import Interpretation

_GIVEN_UP: Mapping[str, str] = {
    PUBLISHED: "the date",
    YEAR: "the year",
    LANGUAGE: "the language",
    PLATFORM: "the platform",
    CATEGORY: "the category",
    GENRES: "the genre",
    CAST: "the cast",
    REPOSITORY: "the repository",
    AUTHOR: "the author",
}
"""In the order in which conditions are given up: what is most often imprecise first, a name last."""


def relaxed(interpretation: Interpretation) -> Iterator[tuple[Interpretation, str]]:
    """One condition fewer each time, down to none, with the line that tells the reader."""
    asked = interpretation.conditions
    order = sorted(asked, key=lambda one: list(_GIVEN_UP).index(one.field))
    nothing = f"nothing {' '.join(one.label for one in asked)}"
    for count in range(1, len(order) + 1):
        dropped = order[:count]
        given_up = " and ".join(_GIVEN_UP[one.field] for one in dropped)
        kept = tuple(one for one in asked if one not in dropped)
        yield Interpretation(conditions=kept), f"{nothing}: searched without {given_up}"
