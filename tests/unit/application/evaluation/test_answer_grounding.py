import pytest
from asked_rows import film, prose

from rag_llm_system.application.evaluation.answers.grounding import (
    grounded,
    hallucinated,
    named_titles,
    right_picks,
)


@pytest.mark.parametrize(
    ("answer", "titles"),
    [
        ("Watch **Alien** (1979)!", ["Alien"]),
        ("Watch **Help!** now.", ["Help!"]),
        ("**alien** and **GROUNDHOG DAY**", ["alien", "GROUNDHOG DAY"]),
        ('Watch "Groundhog Day," it is fun.', ["Groundhog Day"]),
        ("Watch “Alien”!", ["Alien"]),
        ("Groundhog Day is the one, with Bill Murray.", ["Groundhog Day"]),
        ("nothing here", []),
        ("", []),
    ],
)
def test_titles_of_the_context_are_found_as_people_write_them(answer: str, titles: list[str]):
    named = named_titles(answer, film())

    assert [title.title for title in named] == titles
    assert all(title.in_context for title in named)


@pytest.mark.parametrize(
    ("answer", "title"),
    [
        ("Watch **Aliens** (1986)!", "Aliens"),
        ("Watch **Groundhog in my library! You", "Groundhog in my library"),
        ('Watch "Ghost Story" tonight.', "Ghost Story"),
        ("Tonight calls for The Silent Harbor.", "The Silent Harbor"),
    ],
)
def test_a_title_that_the_context_lacks_is_made_up(answer: str, title: str):
    [named] = named_titles(answer, film())

    assert named.title == title
    assert not named.in_context
    assert answer[named.start : named.end].strip() == title


def test_names_of_the_context_are_no_titles():
    assert named_titles("It stars Sigourney Weaver.", film()) == []


def test_without_listed_titles_a_phrase_of_the_context_will_do():
    asked = prose().model_copy(update={"context": "The Design of Everyday Things is a book."})

    titles = named_titles("Read **Everyday Things** and **Other Things**.", asked)

    assert [title.in_context for title in titles] == [True, False]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [("**Alien**!", 1), ("**Alien**, **Aliens**", 0), ("Nothing.", 0), ("**Alien", 1)],
)
def test_an_answer_is_grounded_when_every_title_is_in_the_context(answer: str, expected: int):
    measured = grounded(answer, film())

    assert measured is not None
    assert measured.value == expected


def test_made_up_titles_are_a_share_of_those_that_are_named():
    measured = hallucinated("**Alien**, **Aliens**, **Prometheus**, **Help!**", film())

    assert measured == (0.5, 4)
    assert hallucinated("No title.", film()) == (0.0, 0.0)


def test_the_title_that_was_asked_for_is_not_made_up():
    asked = film(question="Do you have Prometheus?", missing=True)

    assert hallucinated("I don't have **Prometheus**. Watch **Alien**!", asked) == (0.0, 1)
    assert grounded("I don't have **Prometheus**. Watch **Alien**!", asked) == (1.0, 1.0)


def test_rows_without_titles_do_not_count():
    assert grounded("**Alien**", prose()) is None
    assert hallucinated("**Alien**", prose()) is None
    assert right_picks("**Alien**", prose()) is None


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("**Alien** (1979)", 1),
        ("**Alien** and again **Alien**", 0),
        ("**Help!**", 0),
        ("**Alien** and **Help!**", 0),
        ("none", 0),
    ],
)
def test_the_right_picks_are_as_many_as_asked_for_and_fit(answer: str, expected: int):
    measured = right_picks(answer, film())

    assert measured is not None
    assert measured.value == expected
