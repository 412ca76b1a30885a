"""A sentence about films is read as a person would read it."""

from itertools import chain
from typing import Any

import pytest

from rag_llm_system.application.movies.catalogue import FilmCatalogue
from rag_llm_system.application.movies.request import literal
from rag_llm_system.domain.films import FilmFacts, FilmRequest
from tests.unit.application.movies.asked_films import as_labelled, real_films, rows, understood


@pytest.fixture(scope="module")
def catalogue() -> FilmCatalogue:
    return real_films()


@pytest.mark.parametrize("row", list(rows("cases")), ids=lambda row: row["text"])
def test_a_request_is_understood(row: dict[str, Any], catalogue: FilmCatalogue) -> None:
    assert as_labelled(understood(row["text"], catalogue)) == row["expected"]


@pytest.mark.parametrize("row", list(rows("held_out")), ids=lambda row: row["text"])
def test_a_request_that_was_written_after_the_rules_is_understood(
    row: dict[str, Any], catalogue: FilmCatalogue
) -> None:
    """When they were written, before the rules were mended, 39 of the 48 were."""
    assert as_labelled(understood(row["text"], catalogue)) == row["expected"]


def test_labels_tell_every_part(catalogue: FilmCatalogue) -> None:
    asked = (
        "two comedies or dramas from the 90s with Tom Hanks, by Nora Ephron, like Fargo, not like Heat,"
        " no horror, without Tom Cruise, not too long, except Up"
    )
    assert understood(asked, catalogue).labels == (
        "from 1990 to 1999",
        "of the genre Comedy or Drama",
        "not of the genre Horror",
        "with Tom Hanks",
        "without Tom Cruise",
        "directed by Nora Ephron",
        "like Fargo",
        "not like Heat",
        "other than Up",
        "rather not long",
        "2 films",
    )


def test_a_name_that_nobody_has_is_told_and_searched_by_its_words(catalogue: FilmCatalogue) -> None:
    request = understood("a comedy starring Zadie Quux", catalogue)
    assert request.cast == ()
    assert "Zadie Quux" in request.subject
    assert "nobody called Zadie Quux plays in a film of the index" in request.labels


def test_a_list_of_what_is_refused_ends_where_something_else_is_asked_for(
    catalogue: FilmCatalogue,
) -> None:
    asked = understood("no horror, comedy please", catalogue)
    assert (asked.without_genres, asked.genres) == (("Horror",), ("Comedy",))
    refused = understood("no horror, comedy or romance", catalogue)
    assert refused.without_genres == ("Horror", "Comedy", "Romance")


@pytest.mark.parametrize(
    ("text", "cast", "directors"),
    [
        ("Show me a western made after 2010", (), ()),
        ("Heat was good. Another crime movie?", (), ()),
        ("Another western", (), ()),
        ("Play a comedy with Bill Murray", ("Bill Murray",), ()),
        ("Grace Kelly thrillers", (), ()),
        ("something for the weekend, no Marvel", (), ()),
        ("a Kelly film", (), ("Richard Kelly",)),
        ("films with Show Lo", ("Show Lo",), ()),
        ("films by Another Bad Creation", (), ("Another Bad Creation",)),
        ("comedies with Elizabeth Marvel", ("Elizabeth Marvel",), ()),
    ],
)
def test_one_word_of_a_name_is_somebody_only_where_it_can_be_nothing_else(
    text: str, cast: tuple[str, ...], directors: tuple[str, ...]
) -> None:
    request = understood(text, _films_of_people_with_plain_names())
    assert (request.cast, request.directors) == (cast, directors)
    assert request.without_cast == request.without_directors == ()


def _films_of_people_with_plain_names() -> FilmCatalogue:
    cast = ("Show Lo", "Kid 'n Play", "Elizabeth Marvel", "Bill Murray", "Grace Hall")
    directors = ("Another Bad Creation", "Richard Kelly")
    return FilmCatalogue(
        FilmFacts(
            document_id=str(n), title=f"The {n}th Day", year=1990, genres=("Comedy", "Western", "Crime", "Thriller"),
            cast=cast, directors=(directors[n % 2],),
        )
        for n in range(8)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("from the 90s or later", (1990, None)),
        ("from the 90s or earlier", (None, 1999)),
        ("nothing from before 1985", (1985, None)),
        ("pre-1980 films", (None, 1979)),
        ("films of this century", (2000, None)),
        ("the past two decades", (2006, 2026)),
        ("a film for a rainy night in December", (None, None)),
        ("I watched one last week", (None, None)),
    ],
)
def test_years_are_read(
    text: str, years: tuple[int | None, int | None], catalogue: FilmCatalogue
) -> None:
    request = understood(text, catalogue)
    assert (request.first_year, request.last_year) == years


def test_directors_who_never_worked_together_are_alternatives(catalogue: FilmCatalogue) -> None:
    request = understood("films by Stanley Kubrick and Ridley Scott", catalogue)
    assert request.any_directors == ("Stanley Kubrick", "Ridley Scott")
    together = understood("films by Joel Coen and Ethan Coen", catalogue)
    assert together.directors == ("Joel Coen", "Ethan Coen")


@pytest.mark.parametrize(
    "text",
    ["", " ", "???", "no", "not", "like", "without", "except", "seen", "between and", "the", "'s", "“”", "🎬", "1",
     "like like like", "not not not horror", "and or and", "by by by", '"', "*", "with", "(1999)", "as as as"],
)  # fmt: skip
def test_any_text_is_a_request(text: str, catalogue: FilmCatalogue) -> None:
    assert understood(text, catalogue).text == text


def test_an_index_without_films_has_nothing_to_understand_but_years() -> None:
    request = understood("a comedy like Fargo from the 90s with Tom Hanks", FilmCatalogue([]))
    assert (request.first_year, request.last_year) == (1990, 1999)
    assert request.genres == request.cast == ()
    assert request.like == ("Fargo",)


def test_words_of_a_request_may_come_in_any_case(catalogue: FilmCatalogue) -> None:
    """But for titles that are words as well."""
    texts = ["a Comedy from the 90s With Bill Murray", "A COMEDY FROM THE 90S WITH BILL MURRAY"]
    plain = as_labelled(understood("a comedy from the 90s with bill murray", catalogue))
    assert [as_labelled(understood(text, catalogue)) for text in texts] == [plain, plain]


def test_what_is_not_understood_is_the_text_itself() -> None:
    assert literal(" a  comedy like Heat ") == FilmRequest(
        text=" a  comedy like Heat ", subject="a comedy like Heat"
    )


def test_there_are_eighty_cases_at_least() -> None:
    texts = [row["text"] for row in chain(rows("cases"), rows("held_out"))]
    assert len(set(texts)) == len(texts) >= 80
