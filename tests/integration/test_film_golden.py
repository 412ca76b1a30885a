"""With the real encoder, a film lover's question finds the films that a film lover would name."""

import json
from pathlib import Path

import pytest

from rag_llm_system.infrastructure.embedders.sentence_transformer import SentenceTransformerEmbedder
from tests.unit.application.movies.asked_films import FilmIndex, film_document

_FILMS = Path(__file__).parents[2] / "examples" / "movies" / "films.jsonl"
_SOME = frozenset(
    {
        "Inception", "The Matrix", "Dark City", "Tenet", "Groundhog Day", "Alien", "Paddington", "Amélie", "Unforgiven",
        "The Godfather", "Toy Story", "Casablanca", "Jaws", "Airplane!", "Rocky", "Up", "Platoon",
    }
)  # fmt: skip


@pytest.fixture(scope="module")
def index() -> FilmIndex:
    with _FILMS.open(encoding="utf-8") as lines:
        films = [row for row in map(json.loads, lines) if row["title"] in _SOME]
    documents = [
        film_document(
            row["title"], row["year"], row["extract"],
            genres=row["genres"], cast=row["cast"], directors=row["directors"],
        )
        for row in films
    ]  # fmt: skip
    return FilmIndex(documents, SentenceTransformerEmbedder())


def test_dark_science_fiction_like_inception(index: FilmIndex) -> None:
    found = index.titles("I want a dark sci-fi movie like Inception.", k=4)
    assert set(found) <= {"The Matrix", "Dark City", "Tenet", "Alien"}
    assert {"The Matrix", "Dark City", "Tenet"} & set(found[:2])


@pytest.mark.parametrize(
    ("asked", "title"),
    [
        ("a man lives the same day again and again", "Groundhog Day"),
        ("a monster in the sea", "Jaws"),
        ("an animated film about toys", "Toy Story"),
        ("soldiers in the Vietnam war", "Platoon"),
        ("a boxer gets his chance", "Rocky"),
    ],
)
def test_what_a_film_is_about_finds_it(index: FilmIndex, asked: str, title: str) -> None:
    assert title in index.titles(asked, k=2)
