"""What a model writes about films names only the films found, with the confidence that was computed."""

import pytest

from rag_llm_system.application.movies.guard import FilmGuard
from tests.unit.application.movies.offered_films import (
    DARK_CITY,
    SUNSHINE,
    TENET,
    candidate,
    film,
    offer,
)

FILMS = offer(
    candidate(DARK_CITY, 0.86),
    candidate(TENET, 0.71),
    candidate(SUNSHINE, 0.64),
    candidate(film("Carrie", 1976), 0.55),
    candidate(film("Carrie", 2013), 0.5),
).films

AS_DOCUMENTED = """\
Based on the user's preference history, I've curated two films:

**1.** **"Sunshine" (2007)**

Description: A team of astronauts.

Why it matches their preferences: Like "Arrival," it is upbeat.

Confidence score: 0.855

**2.** **"Another Earth" (2011)**

Description: A duplicate Earth appears in the sky.

Confidence score: 0.832

**3.** **"Tenet" (2020)**

Description: Time runs backwards.

Confidence score: 0.8
"""


def guarded(answer: str, size: int = 1000) -> tuple[str, FilmGuard]:
    guard = FilmGuard(FILMS, mentioned=["Inception"])
    pieces = [guard.add(answer[at : at + size]) for at in range(0, len(answer), size)]
    return "".join(pieces) + guard.rest(), guard


def titles(guard: FilmGuard) -> list[str]:
    return [f"{one.title}{one.year}" for one in guard.told]


def test_the_documented_answer_keeps_the_films_that_were_found() -> None:
    text, guard = guarded(AS_DOCUMENTED)
    assert text == (
        "Based on the user's preference history, I've curated two films:\n\n"
        "1. **Sunshine** (2007)\n\n"
        "Description: A team of astronauts.\n\n"
        'Why it matches their preferences: Like "Arrival," it is upbeat.\n\n'
        "Confidence: 0.64\n\n"
        "2. **Tenet** (2020)\n\n"
        "Description: Time runs backwards.\n\n"
        "Confidence: 0.71"
    )
    assert guard.notes() == [
        "Left out of the answer: 'Another Earth (2011)', which is none of the films found."
    ]
    assert (guard.left_out, guard.unmarked) == (True, [])


@pytest.mark.parametrize(
    ("line", "film"),
    [
        ("1. **Tenet** (2020): spies", "Tenet (2020)"),
        ("1. **Tenet (2020)**", "Tenet (2020)"),
        ("1) **Tenet**", "Tenet (2020)"),
        ("### 1. **Tenet** (2020)", "Tenet (2020)"),
        ("- **Tenet** (2020)", "Tenet (2020)"),
        ("1. Tenet (2020) - spies", "Tenet (2020)"),
        ('1. "Tenet" (2020)', "Tenet (2020)"),
        ("1. Title: Tenet (2020)", "Tenet (2020)"),
        ("1. *Tenet* (2020)", "Tenet (2020)"),
        ("1. Dark Citty (1998): a man", "Dark City (1998)"),
        ("1. **Carrie** (2013)", "Carrie (2013)"),
        ("1. Carrie (1976): a girl", "Carrie (1976)"),
    ],
)
def test_a_film_is_known_however_a_model_writes_it(line: str, film: str) -> None:
    text, guard = guarded(f"{line}\n   Plot: something happens.\n")
    assert titles(guard) == [film]
    name, year = film.split(" (")
    assert text.startswith(f"1. **{name}** ({year}")


@pytest.mark.parametrize(
    "said",
    [
        "Confidence: 0.99",
        "Confidence score (0.0-1.0): 0.99",
        "- **Confidence:** 99%",
        "* Confidence level: very high",
        "4. Confidence score: .99",
        "Match: 99 %",
        "Rating: 9/10",
        "It fits. Confidence: 0.99",
        "I say this with 99% confidence.",
    ],
)
def test_a_confidence_that_a_model_made_up_is_replaced(said: str) -> None:
    text, _ = guarded(f"1. **Tenet** (2020)\n   Spies.\n   {said}\n")
    assert "9" not in text.removeprefix("1. **Tenet** (2020)")
    assert text.count("0.71") == 1


def test_a_missing_confidence_is_added_to_its_film() -> None:
    text, _ = guarded("1. **Tenet** (2020)\n   Spies.\n\n2. **Dark City** (1998)\n   A city.")
    assert text == (
        "1. **Tenet** (2020)\n   Spies.\n\n   Confidence: 0.71\n\n"
        "2. **Dark City** (1998)\n   A city.\n\n   Confidence: 0.86"
    )


def test_films_in_running_text_have_their_confidence_at_the_end() -> None:
    text, guard = guarded("You must see **Dark City** (1998)! I'm 95% confident. Then **Tenet**.")
    assert text == (
        "You must see **Dark City** (1998)! I'm confident. Then **Tenet**.\n\n"
        "Confidence: Dark City 0.86, Tenet 0.71."
    )
    assert titles(guard) == ["Dark City (1998)", "Tenet (2020)"]


def test_a_film_is_recommended_once_and_items_are_numbered_anew() -> None:
    text, guard = guarded("1. **Alien**\n2. **Tenet** (2020)\n3. **Tenet** (2020)\n7. **Sunshine**")
    assert [line for line in text.splitlines() if line[:1].isdigit()] == [
        "1. **Tenet** (2020)",
        "2. **Sunshine** (2007)",
    ]
    assert titles(guard) == ["Tenet (2020)", "Sunshine (2007)"]


def test_numbered_parts_of_an_item_are_no_items() -> None:
    answer = "1. **Tenet** (2020)\n   1. Title: Tenet\n   2. Brief description: spies\n"
    assert guarded(answer)[0] == f"{answer.rstrip()}\n\n   Confidence: 0.71"
    flat = "1. **Tenet** (2020)\n2. Description: spies\n3. Why it matches: time"
    assert guarded(flat)[0].startswith(flat)


def test_a_made_up_title_in_running_text_loses_its_marks_and_is_told() -> None:
    text, guard = guarded("Since you like **Inception**, try **Memento** (2000) or **Tenet**!")
    assert text.startswith("Since you like Inception, try Memento (2000) or **Tenet**!")
    assert guard.notes() == [
        "Careful: none of the films found is 'Memento', which this answer names."
    ]


def test_labels_and_emphasis_are_no_titles() -> None:
    _, guard = guarded("1. **Tenet** (2020)\n   **Why it matches:** it is **really** clever.")
    assert guard.notes() == []


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50])
@pytest.mark.parametrize(
    "answer",
    [
        AS_DOCUMENTED,
        "You must see **Dark City**! I'm 95 % confident you will.\nConfident? 100% confidence: 1.0",
        "1. Dark City (1998) - A man.\n2. Foo\n   text\n\n3. Carrie (2013): teens\n4. Carrie (1976)\n",
        "None of these fits what you asked for, and I am confident about it.",
        "1. " + "a very long line about nothing " * 20 + "**Tenet**\n2. **Sunshine**",
    ],
)
def test_the_pieces_of_an_answer_do_not_matter(answer: str, size: int) -> None:
    whole, one = guarded(answer)
    cut, other = guarded(answer, size)
    assert (cut, titles(other), other.notes()) == (whole, titles(one), one.notes())


def test_text_is_given_on_while_its_line_is_written() -> None:
    guard = FilmGuard(FILMS)
    guard.add("1. **Tenet** (2020)\n")
    shown = guard.add("   A story about an agent who learns how time is turned around, and then")
    assert shown.endswith("and then")
