"""What is recommended meets every constraint, is new to the user, and fits best first."""

from itertools import product

import pytest

from rag_llm_system.application.movies.request import literal
from rag_llm_system.application.rag.reranking import LateInteraction
from rag_llm_system.domain.errors import ConfigurationError
from rag_llm_system.domain.films import FilmRequest, SimilarPreference
from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
from tests.unit.application.movies.asked_films import FilmIndex, film_document, understood

SPACE = "A crew drifts in space and repairs its ship near a dying star."
FARM = "A farmer and his dog save a farm in a dry valley."
CITY = "A detective hunts a thief through a city of rain."


@pytest.fixture(scope="module")
def index() -> FilmIndex:
    return FilmIndex(
        [
            film_document("Far Star", 1984, SPACE, genres=["Science Fiction"], cast=["Ada Bell"]),
            film_document("Star Ship", 1999, SPACE, genres=["Science Fiction", "Comedy"], cast=["Jo Reed"]),
            film_document("Dry Valley", 1992, FARM, genres=["Drama"], cast=["Ada Bell", "Jo Reed"]),
            film_document("Good Dog", 2005, FARM, genres=["Comedy", "Family"], cast=["Mina Okafor"]),
            film_document("Rain", 2010, CITY, genres=["Crime", "Thriller"], directors=["Carl Dunn"]),
            film_document("Night Rain", 2020, CITY, genres=["Crime"], directors=["Carl Dunn"]),
            film_document("Old Rain", 1975, CITY, genres=["Crime"], cast=["Ada Bell"]),
            film_document("Carrie", 1976, CITY, genres=["Horror"]),
            film_document("Carrie", 2013, CITY, genres=["Horror"]),
        ]
    )  # fmt: skip


def test_the_nearest_film_comes_first(index: FilmIndex) -> None:
    city = {"Rain", "Night Rain", "Old Rain", "Carrie"}
    assert set(index.titles("a detective and a thief in a city", k=5)) == city
    assert index.titles("a dog on a farm", k=2) == ["Good Dog", "Dry Valley"]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("science fiction", {"Far Star", "Star Ship"}),
        ("a science fiction comedy", {"Star Ship"}),
        ("a comedy or a drama", {"Star Ship", "Dry Valley", "Good Dog"}),
        ("crime from the 90s or later", {"Rain", "Night Rain"}),
        ("crime films after 2000", {"Rain", "Night Rain"}),
        ("crime, but nothing from the 2010s", {"Night Rain", "Old Rain"}),
        ("with Ada Bell and Jo Reed", {"Dry Valley"}),
        ("with Ada Bell or Mina Okafor", {"Far Star", "Dry Valley", "Good Dog", "Old Rain"}),
        ("films with Ada Bell without Jo Reed", {"Far Star", "Old Rain"}),
        ("directed by Carl Dunn, no thriller", {"Night Rain"}),
        ("not directed by Carl Dunn, crime", {"Old Rain"}),
    ],
)
def test_every_constraint_holds(index: FilmIndex, asked: str, found: set[str]) -> None:
    assert set(index.titles(asked, k=9)) == found


def test_films_that_are_seen_liked_or_unliked_are_left_out(index: FilmIndex) -> None:
    found = index.titles("like Rain, unlike Far Star, except Good Dog", k=9, seen=["Old Rain"])
    assert {"Rain", "Far Star", "Good Dog", "Old Rain"}.isdisjoint(found)
    assert found[0] == "Night Rain"


def test_a_year_tells_two_films_of_one_title_apart(index: FilmIndex) -> None:
    assert index.titles("horror", k=9, seen=["Carrie (1976)"]) == ["Carrie"]
    assert index.titles("horror", k=9, seen=["Carrie"]) == []


def test_what_is_not_liked_comes_later(index: FilmIndex) -> None:
    asked = FilmRequest(text="", subject="a crew, a farm", genres=("Comedy",))
    unlike = asked.model_copy(update={"unlike": ("Far Star",)})
    recommend = index.recommender().recommend
    [star, dog] = recommend(asked).candidates
    [better, worse] = recommend(unlike).candidates
    assert (better.film.title, worse.film.title) == ("Good Dog", "Star Ship")
    of_star = next(one for one in (star, dog) if one.film.title == "Star Ship")
    assert worse.similarity < of_star.similarity
    assert worse.confidence < of_star.confidence


def test_a_preference_moves_films_up_and_is_quoted(index: FilmIndex) -> None:
    tastes = [SimilarPreference(text="a farmer and his dog save a farm", similarity=0.7)]
    found = index.recommender().recommend(understood("something", index.catalogue), tastes, k=2)
    assert {one.film.title for one in found.candidates} == {"Dry Valley", "Good Dog"}
    assert [one.preference for one in found.candidates] == [tastes[0], tastes[0]]
    assert found.preferences == tuple(tastes)


def test_a_genre_that_the_user_dislikes_comes_later_unless_it_is_asked_for(
    index: FilmIndex,
) -> None:
    tastes = [SimilarPreference(text="no comedies", similarity=0.5)]
    recommend = index.recommender().recommend
    asked = understood("a dog on a farm", index.catalogue)
    assert recommend(asked, tastes, k=2).candidates[0].film.title == "Dry Valley"
    comedy = understood("a comedy about a dog on a farm", index.catalogue)
    assert recommend(comedy, tastes, k=2).candidates[0].film.title == "Good Dog"


def test_nothing_is_relaxed_and_the_note_says_what_leaves_nothing(index: FilmIndex) -> None:
    asked = understood("a comedy with Ada Bell from the 80s", index.catalogue)
    found = index.recommender().recommend(asked)
    assert found.candidates == ()
    assert found.notes == (
        "no film is all of this at once: of 9 films 1 from 1980 to 1989, 2 of the genre Comedy, 3 with Ada Bell;"
        ' without "of the genre Comedy", 1 would be left',
    )


@pytest.mark.parametrize(
    ("request_", "seen", "note"),
    [
        (FilmRequest(text="", first_year=1900, last_year=1901), (), "no film of the index is from 1900 to 1901"),
        (FilmRequest(text="", genres=("Horror",)), ("Carrie",),
         "the 2 films of the genre Horror are seen or named in the request"),
        (FilmRequest(text="", genres=("Drama",)), (), "only one film meets all of the request"),
        (FilmRequest(text="", genres=("Crime",)), (), "only 3 films meet all of the request"),
        (FilmRequest(text="", directors=("Nobody",)), (), "no film of the index is directed by Nobody"),
    ],
)  # fmt: skip
def test_notes_tell_why_there_are_few(
    index: FilmIndex, request_: FilmRequest, seen: tuple[str, ...], note: str
) -> None:
    assert index.recommender().recommend(request_, seen=seen).notes == (note,)


def test_when_all_films_are_seen_the_note_says_so(index: FilmIndex) -> None:
    seen = [film.title for film in index.catalogue]
    found = index.recommender().recommend(FilmRequest(text="anything"), seen=seen)
    assert found.notes == ("every film of the index is seen or named in the request",)


def test_reasons_are_facts_of_the_film(index: FilmIndex) -> None:
    asked = understood("crime with a detective like Rain, without Jo Reed", index.catalogue)
    found = {one.film.title: one for one in index.recommender().recommend(asked).candidates}
    assert found["Night Rain"].reasons == (
        "of the genre Crime",
        "shares the director Carl Dunn and Crime with Rain",
        'its story has "detective"',
    )


def test_confidence_and_similarity_order_a_right_film_over_a_wrong_one(index: FilmIndex) -> None:
    asked = understood("a detective hunts a thief in the rain", index.catalogue)
    found = {one.film.title: one for one in index.recommender().recommend(asked, k=9).candidates}
    assert found["Rain"].confidence > found["Far Star"].confidence
    assert found["Rain"].similarity > found["Far Star"].similarity
    assert all(0 <= one.confidence < 1 for one in found.values())


def test_nothing_that_could_be_searched_for_gives_the_best_known_films(index: FilmIndex) -> None:
    found = index.recommender().recommend(
        understood("what should I watch tonight?", index.catalogue)
    )
    assert found.candidates[0].film.title == "Dry Valley"


@pytest.mark.parametrize(("hybrid", "reranked"), list(product([True, False], repeat=2)))
def test_constraints_hold_with_every_part_switched_off(hybrid: bool, reranked: bool) -> None:
    films = [
        film_document("Rain", 2010, CITY, genres=["Crime"]),
        film_document("Dry Valley", 1992, FARM, genres=["Drama"]),
        film_document("Old Rain", 1975, CITY, genres=["Crime"]),
    ]
    index = FilmIndex(films, HashingEmbedder(dimension=256))
    reranking = LateInteraction(index.store, HashingEmbedder(dimension=256)) if reranked else None
    recommender = index.recommender(hybrid=hybrid, reranking=reranking)
    asked = understood("crime films about a detective in the city", index.catalogue)
    found = recommender.recommend(asked)
    assert {one.film.title for one in found.candidates} == {"Rain", "Old Rain"}
    stages = {"embed", "search"} | ({"rerank"} if reranked else set())
    assert found.timings_s.keys() == stages


def test_without_understanding_the_sentence_is_searched_as_it_stands(index: FilmIndex) -> None:
    found = index.recommender().recommend(literal("a dog on a farm, no comedies"), k=2)
    assert {one.film.title for one in found.candidates} == {"Dry Valley", "Good Dog"}


def test_more_films_than_are_named_to_the_store_are_searched_by_the_filter() -> None:
    """Three genres at once are rare among many films that have one of them."""
    common = [
        film_document(f"Film {n}", 1990 + n % 30, f"{CITY} Part {n}.", genres=["Crime", f"Kind {n % 7}"])
        for n in range(450)
    ]  # fmt: skip
    far = film_document("Far Star", 1984, SPACE, genres=["Crime", "Science Fiction"])
    index = FilmIndex([*common, far], HashingEmbedder(dimension=64))
    asked = FilmRequest(text="", subject="a detective", genres=("Crime",))
    assert len(index.recommender().recommend(asked, k=20).candidates) == 20
    rare = asked.model_copy(update={"without_years": ((1985, 2030),)})
    assert [one.film.title for one in index.recommender().recommend(rare).candidates] == [
        "Far Star"
    ]


def test_films_that_fit_alike_come_in_the_order_of_their_titles() -> None:
    films = [film_document("Rain", year, CITY) for year in (2001, 1999, 2000)]
    index = FilmIndex([*films, film_document("Dry Valley", 1992, FARM)])
    found = index.recommender().recommend(FilmRequest(text="", subject="a thief"))
    assert [one.film.year for one in found.candidates] == [1999, 2000, 2001, 1992]


def test_without_an_index_nothing_is_recommended() -> None:
    index = FilmIndex([])
    found = index.recommender().recommend(FilmRequest(text="a film"))
    assert (found.candidates, found.notes) == ((), ())


@pytest.mark.parametrize("k", [0, 101])
def test_a_number_of_films_out_of_range_is_refused(index: FilmIndex, k: int) -> None:
    with pytest.raises(ConfigurationError, match="it must be from 1 to 100"):
        index.recommender().recommend(FilmRequest(text="a film"), k=k)


@pytest.mark.parametrize(
    "asked", ["a detective in a city", "crime", "a scary night", "a dog like Rain"]
)
def test_no_film_is_surer_than_one_above_it(index: FilmIndex, asked: str) -> None:
    request = understood(asked, index.catalogue)
    found = index.recommender().recommend(request, k=9).candidates
    shown = [f"{one.confidence:.2f}" for one in found]
    assert len(shown) > 1
    assert shown == sorted(shown, reverse=True)


def test_a_film_does_not_fit_a_mood_for_being_called_so() -> None:
    story = f"{SPACE} {FARM} {CITY} Far in the north two brothers open an old hotel beside the frozen lake."
    films = [
        film_document(title, 2000, story, genres=["Horror"])
        for title in ("Scary House", "The House")
    ]
    assert FilmIndex(films).titles("something scary", k=1) == ["The House"]
