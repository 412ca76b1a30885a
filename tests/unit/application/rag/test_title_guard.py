"""A marked title that the context lacks is corrected where it is clear what is meant, and else loses its marks."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_llm_system.application.rag.title_guard import TitleGuard, guarded
from rag_llm_system.domain.from_context import FromContext

FILMS = FromContext(
    name="title",
    open="**",
    close="**",
    values=[
        "Alien",
        "Aliens",
        "The Matrix",
        "Amélie",
        "WALL·E",
        "Dune",
        "Toy Story 2",
        "Gladiator",
    ],
    suffixes={"Alien": [" (1979)"], "Dune": [" (1984)", " (2021)"], "Gladiator": [" (2000)"]},
)
PEOPLE = FromContext(name="person", open="<i>", close="</i>", values=["Ian Holm"])


def checked(*pieces: str, fields: Sequence[FromContext] = (FILMS,)) -> tuple[str, TitleGuard]:
    guard = TitleGuard(fields)
    return "".join(guarded(pieces, guard)), guard


def test_what_is_from_the_context_stays_as_it_is() -> None:
    text = "See **Alien** (1979), **Aliens**, then **Dune** (2021)!\nOr **Alien** again. 2*3."

    same, guard = checked(text)

    assert same == text
    assert (guard.kept, guard.replaced, guard.flagged, guard.notes()) == (4, [], [], [])


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("ALIEN", "Alien"), ("Alien!", "Alien"), (' "Aliens"', "Aliens"), ("Matrix", "The Matrix"),
        ("the matrix", "The Matrix"), ("Amelie", "Amélie"), ("WALL-E", "WALL·E"), ("Gladiater", "Gladiator"),
        ("Toy Story 2:", "Toy Story 2"),
    ],
)  # fmt: skip
def test_a_title_that_is_clearly_meant_is_written_as_the_context_has_it(
    written: str, value: str
) -> None:
    text, guard = checked(f"See **{written}** now.")

    assert text == f"See **{value}** now."
    assert guard.replaced == [(written, value)]
    assert guard.notes() == [f"Corrected from the sources: {written!r} is {value!r}."]


@pytest.mark.parametrize(
    "written",
    ["Amadeus", "Alien 3", "Toy Story 3", "Alie", "Dun", "Matrixes", "???", "Aliens vs Predator"],
)
def test_a_made_up_title_loses_its_marks_and_is_named(written: str) -> None:
    text, guard = checked(f"See **{written}** (1984) now, and **Alien**.")

    assert text == f"See {written} (1984) now, and **Alien**."
    assert (guard.kept, guard.flagged) == (1, [written])
    assert guard.notes() == [f"Careful: the sources have no {written!r}, which this answer names."]


@pytest.mark.parametrize(
    ("written", "given_back"),
    [
        ("**Alien** (1986)", "**Alien** (1979)"),
        ("**Alien (1979)**", "**Alien** (1979)"),
        ("**Alien (1986)**", "**Alien** (1979)"),
        ("**Dune (2021)**", "**Dune** (2021)"),
        ("**Dune (1999)**", "**Dune** (1984)"),
        ("**Dune** (1999)", "**Dune** (1984)"),
        ("**alien** (1979)", "**Alien** (1979)"),
        ("**Alien (1979)** (1979)", "**Alien** (1979)"),
        ('**"Gladiator" (2000)**', "**Gladiator** (2000)"),
        ("**Aliens (1986)**", "**Aliens**"),
    ],
)
def test_the_year_is_the_one_that_the_context_gives(written: str, given_back: str) -> None:
    text, guard = checked(f"See {written}, really.")

    assert text == f"See {given_back}, really."
    assert (len(guard.replaced), guard.flagged) == (1, [])


def test_a_title_without_its_year_is_right() -> None:
    assert checked("See **Alien**.")[0] == "See **Alien**."


def test_a_number_of_a_list_is_no_title() -> None:
    text, guard = checked("**1.** **Alien**\n**2)** **Aliens**")

    assert text == "1. **Alien**\n2) **Aliens**"
    assert guard.flagged == []


@pytest.mark.parametrize(
    ("text", "left", "flagged"),
    [
        ("a ** b\nand **Alien**", "a  b\nand **Alien**", ["b"]),
        ("**Heat\n**Alien**", "Heat\n**Alien**", ["Heat"]),
        (f"**{'x' * 400}** **Alien**", f"{'x' * 400} **Alien**", ["x" * 80]),
        ("So **Heat", "So Heat", ["Heat"]),
        ("So **Ali", "So Ali", []),
        ("So **", "So ", []),
        ("So *", "So *", []),
        ("****", "", []),
    ],
)
def test_a_mark_that_is_not_closed_in_its_line_is_dropped(
    text: str, left: str, flagged: list[str]
) -> None:
    given_back, guard = checked(text)

    assert (given_back, guard.flagged) == (left, flagged)


def test_without_titles_in_the_context_none_stays_marked() -> None:
    nothing = FromContext(open="**", close="**")

    text, guard = checked("See **Alien**.", fields=[nothing])

    assert (text, guard.flagged) == ("See Alien.", ["Alien"])


def test_without_fields_an_answer_passes_as_it_is() -> None:
    assert checked("Any **bold** ", "text", fields=[])[0] == "Any **bold** text"


def test_each_field_has_its_own_values() -> None:
    text, guard = checked("**Alien** with <i>Ian Holm</i>, <i>Alien</i>.", fields=[FILMS, PEOPLE])

    assert text == "**Alien** with <i>Ian Holm</i>, Alien."
    assert guard.flagged == ["Alien"]


def test_the_end_of_a_line_can_close_a_field() -> None:
    line = FromContext(open="Title: ", close="\n", values=["Alien"])

    text, guard = checked("Title: alien\nTitle: Heat\nEnd", fields=[line])

    assert text == "Title: Alien\nHeat\nEnd"
    assert guard.flagged == ["Heat"]


def test_text_comes_as_soon_as_it_is_certain() -> None:
    guard = TitleGuard([FILMS])

    assert guard.add("See *") == "See "
    assert guard.add("*Alie") == ""
    assert guard.add("n**") == ""
    assert guard.add(" (1979)") == "**Alien** (1979)"
    assert guard.add(" now") == " now"
    assert guard.rest() == ""


ANSWERS = st.lists(
    st.sampled_from(
        ["**", "*", "Alien", "aliens", " (1979)", " (1986)", "Dune", "Dune (2021)", "Heat", "\n", " ",
         "<i>", "</i>", "Ian Holm", "1.", "é", "x" * 301]
    )
).map("".join)  # fmt: skip


@given(ANSWERS, st.lists(st.integers(0, 400)))
def test_a_streamed_answer_is_checked_as_a_whole_one(answer: str, cuts: list[int]) -> None:
    ends = sorted({*(cut for cut in cuts if cut < len(answer)), len(answer)})
    pieces = [answer[a:b] for a, b in zip([0, *ends], ends, strict=False)]

    streamed, in_pieces = checked(*pieces, fields=[FILMS, PEOPLE])
    whole, at_once = checked(answer, fields=[FILMS, PEOPLE])

    assert streamed == whole
    assert in_pieces.notes() == at_once.notes()
    assert in_pieces.kept == at_once.kept


@given(ANSWERS)
def test_what_stays_marked_is_from_the_context(answer: str) -> None:
    text, _ = checked(answer)

    parts = text.split("**")
    marked = parts[1::2] if len(parts) % 2 else parts[1:-1:2]
    assert set(marked) <= set(FILMS.values)
