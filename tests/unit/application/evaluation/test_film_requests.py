"""Requests for films: a film keeps to their facts or not, and answers are measured by that."""

from pathlib import Path
from typing import Any

import pytest

from rag_llm_system.application.evaluation.film_requests import (
    AskedFilms,
    RequestScore,
    broken,
    film_measures,
    film_values,
    read_asked_films,
    score_films,
    unanswerable,
)
from rag_llm_system.domain.errors import DataError, MissingFile
from rag_llm_system.domain.films import FilmFacts


def film(title: str = "Heat", year: int = 1995, **more: Any) -> FilmFacts:
    facts = {"genres": ("Crime", "Drama"), "cast": ("Al Pacino", "Robert De Niro"), **more}
    return FilmFacts(document_id=f"{title} {year}", title=title, year=year, **facts)


def asked(text: str = "a crime film", **facts: Any) -> AskedFilms:
    return AskedFilms(text=text, **facts)


def score(*films: FilmFacts, ranking: tuple[FilmFacts, ...] = (), **facts: Any) -> RequestScore:
    return score_films(asked(**facts), films, ranking or films)


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"first_year": 1995, "last_year": 1995},
        {"genres": ["Crime", "Drama"], "without_genres": ["Comedy"]},
        {"any_genres": ["War", "Crime"]},
        {"cast": ["al pacino"], "any_cast": ["Tom Hanks", "Robert DeNiro"]},
        {"without_cast": ["Tom Hanks"], "like": ["Heat 2"], "seen": ["Alien"]},
        {"directors": ["Michael Mann"]},
    ],
)
def test_a_film_that_keeps_to_every_fact_breaks_none(facts: dict[str, Any]) -> None:
    directed = "A film written and directed by Michael Mann. It stars two."
    assert broken(asked(**facts), film(text=directed)) == ()


@pytest.mark.parametrize(
    ("facts", "wrong"),
    [
        ({"first_year": 1996}, "it is of 1995, before 1996"),
        ({"last_year": 1994}, "it is of 1995, after 1994"),
        ({"genres": ["War"]}, "genre lacks War"),
        ({"any_genres": ["War", "Noir"]}, "genre has none of War, Noir"),
        ({"without_genres": ["Drama"]}, "genre has Drama"),
        ({"cast": ["Al Pacino", "Tom Hanks"]}, "cast lacks Tom Hanks"),
        ({"any_cast": ["Tom Hanks"]}, "cast has none of Tom Hanks"),
        ({"without_cast": ["Al Pacino"]}, "cast has Al Pacino"),
        ({"directors": ["Ridley Scott"]}, "not directed by Ridley Scott"),
        ({"like": ["Heat"]}, "it was named by the user"),
        ({"unlike": ["Heat"]}, "it was named by the user"),
        ({"unwanted": ["Heat"]}, "it was named by the user"),
        ({"seen": ["HEAT"]}, "it was named by the user"),
        ({"marked_seen": ["Heat"]}, "it was named by the user"),
    ],
)
def test_each_fact_can_be_broken(facts: dict[str, Any], wrong: str) -> None:
    assert broken(asked(**facts), film()) == (wrong,)


@pytest.mark.parametrize(
    ("more", "directs"),
    [
        ({"directors": ("Michael Mann",)}, True),
        ({"text": "It is directed and produced by Michael Mann and Art Linson."}, True),
        ({"text": "It is directed by Ridley Scott and written by Michael Mann."}, False),
        ({"text": "The first of them not directed by Michael Mann."}, False),
        ({"text": "The first of them not to be directed by Michael Mann."}, False),
        ({"text": "The first of them to not be directed by Michael Mann."}, False),
    ],
)
def test_who_directed_is_known_from_the_record(more: dict[str, Any], directs: bool) -> None:
    assert (broken(asked(directors=["Michael Mann"]), film(**more)) == ()) is directs


def test_an_answer_is_right_when_every_film_keeps_to_every_fact() -> None:
    war = film("Fury", 2014, genres=("War",))
    assert score(film(), genres=["Crime"]).right
    wrong = score(film(), war, genres=["Crime"])
    assert not wrong.right
    assert wrong.broken == (("Fury (2014)", "genre lacks Crime"),)


def test_no_film_is_right_only_where_there_is_none() -> None:
    assert not score().right
    assert score(impossible=True).right
    assert not score(film(), impossible=True).right


def test_films_that_the_user_has_seen_are_named() -> None:
    found = score(film(), film("Alien", 1979), seen=["Alien"], marked_seen=["Heat"], like=["Ali"])
    assert found.known == ("Heat (1995)", "Alien (1979)")


def test_a_ranking_is_measured_where_films_are_intended() -> None:
    heat, alien = film(), film("Alien", 1979)
    found = score(heat, ranking=(alien, heat), intended={"Heat (1995)": 3})
    assert found.reciprocal_rank == 0.5
    assert found.ndcg == pytest.approx(0.631, abs=1e-3)
    assert score(heat).ndcg is None
    assert score(impossible=True, intended={"Heat (1995)": 3}).reciprocal_rank is None


def test_each_measure_is_about_its_own_requests() -> None:
    scores = [
        score(film(), text="one", genres=["Crime"]),
        score(film(), text="two", genres=["War"]),
        score(text="three"),
        score(text="four", impossible=True),
    ]
    found = film_measures(scores, seed=7)
    assert {measure: one.mean for measure, one in found.items()} == {
        "right": 0.5,
        "constraints hold": 0.5,
        "answered": pytest.approx(2 / 3),
        "rightly none": 1.0,
    }
    assert film_values("answered", scores) == {"one": 1.0, "two": 1.0, "three": 0.0}


def test_kinds_are_what_a_request_asks_for() -> None:
    assert asked().kinds == ("a story",)
    assert asked(impossible=True, genres=["War"]).kinds == ("impossible",)
    assert asked(marked_seen=["Heat"], any_genres=["War"]).kinds == ("genres", "seen before")
    several = asked(genres=["War"], last_year=1980, without_cast=["Al Pacino"])
    assert several.kinds == ("years", "genres", "exclusions", "several facts")


def test_requests_that_do_not_suit_the_films_are_named() -> None:
    some = [
        asked("fits", genres=["Crime"], intended={"Heat (1995)": 1}),
        asked("no film", genres=["War"]),
        asked("a film after all", impossible=True),
        asked("no such title", like=["Alien"]),
        asked("not known", intended={"Alien (1979)": 1}),
        asked("not meant", last_year=1996, intended={"Ali (2001)": 1}),
    ]
    assert list(unanswerable(some, [film(), film("Ali", 2001)])) == [
        "'no film': no film meets it",
        "'a film after all': a film meets it",
        "'no such title': there is no film 'Alien'",
        "'not known': there is no film 'Alien (1979)'",
        "'not meant': Ali (2001) is intended, but it is of 2001, after 1996",
    ]


def test_requests_are_read_in_their_order(tmp_path: Path) -> None:
    file = tmp_path / "requests.jsonl"
    file.write_text('{"text": "b", "count": 2}\n{"text": "a"}\n', encoding="utf-8")
    assert read_asked_films(file) == [asked("b", count=2), asked("a")]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('{"text": "a"}\n{"text": "a"}', "requests.jsonl:2 asks 'a' again"),
        ('{"text": "a", "genre": "War"}', "requests.jsonl:1: genre: Extra inputs"),
        ('{"text": "a"}\nnothing', "requests.jsonl:2: line: Invalid JSON"),
        ('{"text": ""}', "requests.jsonl:1: text: String should have"),
    ],
)
def test_a_line_that_is_no_request_is_named(tmp_path: Path, lines: str, message: str) -> None:
    file = tmp_path / "requests.jsonl"
    file.write_text(lines, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        read_asked_films(file)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingFile, match=r"nothing\.jsonl is not there"):
        read_asked_films(tmp_path / "nothing.jsonl")
