"""A request that goes on with the one before means all of it, and no film comes twice."""

from collections.abc import Sequence
from functools import partial

import pytest

from rag_llm_system.application.movies.conversation import Meant, follows, meant
from rag_llm_system.application.movies.request import understand
from rag_llm_system.domain.answers import Message
from tests.unit.application.movies.offered_films import CATALOGUE

SHOWN = "You'll love these!\n\n1. **Dark City** (1998)\n\n2. **Tenet** (2020)\n\n3. **Heat** (1995)"


def after(*turns: str, text: str) -> Meant:
    roles: Sequence[str] = ("user", "assistant") * len(turns)
    history = [
        Message.model_validate({"role": role, "content": turn})
        for role, turn in zip(roles, turns, strict=False)
    ]
    return meant(text, history, partial(understand, catalogue=CATALOGUE))


@pytest.mark.parametrize(
    "text",
    [
        "another one", "one more please", "something else", "something newer", "anything older?", "I've seen that",
        "I have already seen the first one", "We saw it", "more like the second one", "darker", "less violent please",
        "but with Al Pacino", "and without horror", "what about westerns?", "from the 90s", "a different one",
    ],
)  # fmt: skip
def test_a_change_of_the_request_before_is_recognised(text: str) -> None:
    assert follows(text)


@pytest.mark.parametrize(
    "text",
    [
        "a comedy from the 90s", "I want a dark sci-fi movie like Inception.", "More like The Martian", "thriller",
        "films about chess", "Something like Arrival but more upbeat", "I have seen Heat",
        "with all that has happened this week I would love something light about friends on a long journey",
    ],
)  # fmt: skip
def test_a_request_of_its_own_begins_anew(text: str) -> None:
    assert not follows(text)


def test_another_one_is_asked_for_as_before_and_is_none_of_those_shown() -> None:
    found = after("a dark sci-fi film from the 90s", SHOWN, text="another one")
    assert found.request.genres == ("Science Fiction",)
    assert (found.request.first_year, found.request.last_year) == (1990, 1999)
    assert found.request.count == 1
    assert found.request.text == "a dark sci-fi film from the 90s; another one"
    assert found.shown == ("Dark City (1998)", "Tenet (2020)", "Heat (1995)")


def test_something_newer_is_newer_than_the_film_in_the_middle() -> None:
    found = after("a sci-fi film from the 90s", SHOWN, text="something newer")
    assert (found.request.first_year, found.request.last_year) == (1999, None)
    assert "since 1999" in found.request.labels
    found = after("a sci-fi film", SHOWN, text="anything older?")
    assert (found.request.first_year, found.request.last_year) == (None, 1997)


def test_what_is_said_anew_replaces_and_what_is_excluded_goes() -> None:
    found = after("a horror film from the 70s", SHOWN, text="but from the 80s, without horror")
    assert (found.request.first_year, found.request.last_year) == (1980, 1989)
    assert (found.request.genres, found.request.without_genres) == ((), ("Horror",))
    found = after("a horror film", SHOWN, text="science fiction instead")
    assert found.request.genres == ("Science Fiction",)


def test_a_film_of_the_answer_can_be_pointed_at() -> None:
    assert after("a film", SHOWN, text="more like the second one").request.like == ("Tenet (2020)",)
    assert after("a film", SHOWN, text="something like that").request.like == ("Dark City (1998)",)


def test_a_request_of_its_own_keeps_nothing_but_what_was_shown() -> None:
    found = after("a horror film from the 70s", SHOWN, text="a film about crime in big cities")
    assert (found.request.genres, found.request.first_year) != (("Horror",), 1970)
    assert found.request.text == "a film about crime in big cities"
    assert len(found.shown) == 3


def test_follow_ups_add_up() -> None:
    found = after("a sci-fi film", SHOWN, "with Ada Bell", "1. **Alien** (1979)", text="one more")
    assert found.request.cast == ("Ada Bell",)
    assert found.request.genres == ("Science Fiction",)
    assert "Alien (1979)" in found.shown
    assert found.request.count == 1


def test_without_a_conversation_nothing_is_added() -> None:
    found = after(text="another one")
    assert (found.shown, found.request.text) == ((), "another one")
