"""The films of the index, by everything that people call them."""

import pytest

from rag_llm_system.application.indexing import Indexer
from rag_llm_system.application.movies.catalogue import (
    CurrentCatalogue,
    FilmCatalogue,
    film_catalogue,
)
from rag_llm_system.domain.films import FilmFacts
from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
from rag_llm_system.infrastructure.vector_stores.memory import MemoryVectorStore
from tests.unit.application.builders import cleaned
from tests.unit.application.movies.asked_films import FilmIndex, film_document


def film(title: str, year: int = 2000, **more: object) -> FilmFacts:
    return FilmFacts.model_validate(
        {"document_id": f"{title}-{year}", "title": title, "year": year, **more}
    )


KNOWN = FilmCatalogue(
    film(*one)
    for one in [
        ("Alien", 1979), ("The Matrix", 1999), ("Amélie", 2001), ("Carrie", 1976), ("Carrie", 2013),
        ("Dumb & Dumber", 1994), ("Rocky II", 1979), ("Seven", 1995), ("Ocean's Eleven", 2001), ("Brave", 2012),
        ("Dr. Strangelove or: How I Learned to Stop Worrying and Love the Bomb", 1964), ("Interstellar", 2014),
        ("Dune: Part One", 2021), ("Dune: Part Two", 2024), ("M", 1931), ("2012", 2009),
    ]
)  # fmt: skip


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("alien", ["Alien"]), ("matrix", ["The Matrix"]), ("Amelie", ["Amélie"]), ("THE  MATRIX!", ["The Matrix"]),
        ("Dumb and Dumber", ["Dumb & Dumber"]), ("Rocky 2", ["Rocky II"]), ("Se7en", ["Seven"]),
        ("Oceans Eleven", ["Ocean's Eleven"]), ("Carrie (1976)", ["Carrie (1976)"]), ("Carrie", ["Carrie"]),
        ("Intersteller", ["Interstellar"]), ("Matriix", ["The Matrix"]), ("Dr Strangelove", [KNOWN.titled(
            "Dr. Strangelove or: How I Learned to Stop Worrying and Love the Bomb")[0].title]),
        ("Dune", ["Dune: Part One", "Dune: Part Two"]), ("M", ["M"]),
    ],
)  # fmt: skip
def test_a_title_is_found_as_people_write_it(written: str, meant: list[str]) -> None:
    assert list(KNOWN.shown(KNOWN.titled(written))) == meant


@pytest.mark.parametrize(
    "written",
    ["Aliens", "Grave", "2013", "Rocky III", "Carrie (1999)", "", "The", "Interstellar 2", "?!", "Black Mirror"],
)  # fmt: skip
def test_another_title_is_not_taken_for_one_that_is_near(written: str) -> None:
    assert KNOWN.titled(written) == ()


def test_a_film_is_read_back_with_its_facts() -> None:
    facts = {"genres": ["Drama"], "cast": ["Ada Bell"], "directors": ["Jo Reed"]}
    index = FilmIndex([film_document("Fog", 1999, "A keeper waits. " * 40, **facts)])

    [found] = index.catalogue

    assert (found.title, found.year, found.genres) == ("Fog", 1999, ("Drama",))
    assert (found.cast, found.directors) == (("Ada Bell",), ("Jo Reed",))
    assert found.text.startswith("A keeper waits.")
    assert found.link == "https://films.example/1999/Fog"
    assert index.catalogue.film(found.document_id) == found


def test_facts_that_are_no_facts_are_unknown() -> None:
    store = MemoryVectorStore()
    indexer = Indexer(store, HashingEmbedder())
    odd = cleaned(
        "http://films.example/1", "A story.", category="movies",
        metadata={"year": "soon", "genres": "Drama", "cast": []},
    )  # fmt: skip
    indexer.load_chunks(indexer.embed_changed([odd]))
    [found] = film_catalogue(store)
    assert (found.year, found.genres, found.cast, found.directors) == (0, (), (), ())


def test_the_catalogue_follows_the_index() -> None:
    index = FilmIndex([film_document("Fog", 1999, "A keeper waits.")])
    now = [0.0]
    current = CurrentCatalogue(index.store, clock=lambda: now[0])
    before = current()
    assert current() is before

    indexer = Indexer(index.store, index.embedder)
    more = [
        film_document("Mist", 2001, "A ship comes."),
        film_document("Fog", 1999, "A keeper waits."),
    ]
    indexer.load_chunks(
        indexer.embed_changed(
            [
                cleaned(
                    one.link,
                    one.text,
                    category="movies",
                    title=one.title,
                    metadata=dict(one.metadata),
                )
                for one in more
            ]
        )
    )
    now[0] = 60.0

    assert {one.title for one in current()} == {"Fog", "Mist"}


def test_an_empty_store_is_an_empty_catalogue() -> None:
    catalogue = CurrentCatalogue(MemoryVectorStore())()
    assert len(catalogue) == 0
    assert (catalogue.known_genres, catalogue.newest_year) == ((), 0)


def test_films_whose_cast_is_known_from_others_are_the_best_known() -> None:
    catalogue = FilmCatalogue(
        [
            film("One", cast=("Ada Bell", "Jo Reed")),
            film("Two", cast=("Ada Bell",)),
            film("Three", cast=("Nobody Else",)),
        ]
    )
    assert catalogue.prominence["One-2000"] == 1.0
    assert catalogue.prominence["Three-2000"] == 0.0
