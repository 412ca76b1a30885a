"""A sentence is a taste, or names films that somebody has seen."""

import pytest

from rag_llm_system.application.movies.catalogue import FilmCatalogue
from rag_llm_system.application.movies.told import told
from tests.unit.application.movies.offered_films import film

CATALOGUE = FilmCatalogue(
    film(title, 1990)
    for title in (
        "Heat", "Alien", "Aliens", "The Good, the Bad and the Ugly", "Thelma & Louise", "The Matrix",
    )
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("I have seen Heat", ["Heat"]),
        ("I've already watched the matrix.", ["The Matrix"]),
        ("seen: Heat, Alien", ["Heat", "Alien"]),
        ("already watched heat and aliens", ["Heat", "Aliens"]),
        ("I saw the matrix last night", ["The Matrix"]),
        ("seen heat", ["Heat"]),
        (
            "I have seen The Good, the Bad and the Ugly, Thelma & Louise and Alien twice",
            ["The Good, the Bad and the Ugly", "Thelma & Louise", "Alien"],
        ),
        ("I have seen Heat and loved it", ["Heat"]),
        ('I have seen "Black Mirror"', ["Black Mirror"]),
        ("seen: some film that nobody knows", ["some film that nobody knows"]),
    ],
)
def test_films_that_were_seen_are_titles(text: str, titles: list[str]) -> None:
    found = told(text, CATALOGUE)
    assert (found.kind, list(found.texts)) == ("seen", titles)


@pytest.mark.parametrize(
    "text",
    [
        "I like sci-fi, but with good characters",
        "I've seen too many musicals",
        "I have seen all Marvel films",
        "I've seen it",
        "I like films that I have seen as a child",
        "More like The Martian, less like Black Mirror",
    ],
)
def test_anything_else_is_a_taste_in_the_users_own_words(text: str) -> None:
    found = told(f"  {text}\n", CATALOGUE)
    assert (found.kind, found.texts) == ("taste", (text,))


def test_characters_that_nobody_sees_are_not_kept() -> None:
    assert told("I like \u200bnoir\u202e", CATALOGUE).texts == ("I like noir",)
