"""The regular expression accepts the same answers as the rules that mask tokens."""

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_llm_system.domain.from_context import FromContext, progress_after, writable
from rag_llm_system.infrastructure.llms.field_regex import field_regex

BOLD = FromContext(
    open="**", close="**", values=["Alien", "Aliens", "M*A", "a.c"], suffixes={"Alien": [" (1979)"]}
)
TAGGED = FromContext(open="<<b", close=">", values=["b", "<b"])


def accepts(text: str, fields: Sequence[FromContext]) -> bool:
    """Read from the left, one mark at a time."""
    marks = [field.open for field in fields]
    progress = ""
    while text:
        progress, text = progress_after(progress, text[0], marks), text[1:]
        if progress in marks:
            entries = [e for f in fields if f.open == progress for e in f.entries]
            entry = next((e for e in entries if text.startswith(e)), None)
            if entry is None:
                return False
            progress, text = "", text[len(entry) :]
    return True


@pytest.mark.parametrize(
    "text",
    [
        "", "no *mark* 2*3\nat all", "**Alien** (1979)", "a **Aliens** b*", "**M*A**", "*", "<<",
        "**Alien** (1979)**Aliens**", "<<<bb>", "<<b<b>**a.c**", "\u00e9 \U0001f3ac",
    ],
)  # fmt: skip
def test_an_answer_from_the_context_matches(text: str) -> None:
    assert re.fullmatch(field_regex([BOLD, TAGGED]), text)


@pytest.mark.parametrize(
    "text",
    ["**", "****", "***", "**Heat**", "**Alien**", "**Alien** (1986)", "**abc**", "<<b", "<<bc>"],
)
def test_a_field_with_something_else_does_not_match(text: str) -> None:
    assert not re.fullmatch(field_regex([BOLD, TAGGED]), text)


def test_without_values_no_mark_may_stand_in_the_answer() -> None:
    closed = field_regex([FromContext(open="**", close="**")])
    assert re.fullmatch(closed, "a * b *")
    assert not re.fullmatch(closed, "a ** b")


@given(st.text("*<b>ac x", max_size=14))
def test_every_text_is_judged_as_by_reading_it(text: str) -> None:
    assert bool(re.fullmatch(field_regex([BOLD, TAGGED]), text)) == accepts(text, [BOLD, TAGGED])


@given(
    st.lists(st.text(r"aB.*+?()[]{}|^$\/-é ", min_size=1, max_size=5), max_size=4),
    st.text(r"aB.*+?()[]{}|^$\/-é ", max_size=8),
    st.booleans(),
)
def test_no_character_of_a_value_has_a_meaning_of_its_own(
    values: list[str], other: str, marked: bool
) -> None:
    field = FromContext(open="^-", close="]", values=[v for v in values if writable(v, "^-", "]")])
    texts = [f"^-{value}]" for value in field.values] + [f"^-{other}]" if marked else other]

    for text in texts:
        assert bool(re.fullmatch(field_regex([field]), text)) == accepts(text, [field])


def test_a_suffix_that_ends_like_a_mark_counts_for_the_next_one() -> None:
    field = FromContext(open="**", close="**", values=["A"], suffixes={"A": [" *"]})
    assert re.fullmatch(field_regex([field]), "**A** *x")
    assert not re.fullmatch(field_regex([field]), "**A** **x")
