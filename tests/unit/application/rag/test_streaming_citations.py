"""Citations are checked while an answer is written: its pieces do not matter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_llm_system.application.rag.citations import CitationGuard, checked_citations

_PARTS = (
    "[1]", "[9]", "[1, 2]", "[1", "-3]", "]", "【2】", "【2†L3】", "(source 1)", "(see sources 1 and 2)", "(in 1998)",
    "[^3]", "](http://a.example)", "rows[1]", "`", "``", "```", "\n```\n", "\n\n    ", "\n- ", "\n> ", "~~~", "<code>",
    "</code>", "<pre>", "\n", "\n\n", " ", "\t", "a", "Text.", "0", ",", "[", "(", "【", "(see ", "source", "s ", "and",
)  # fmt: skip
TEXTS = st.lists(st.sampled_from(_PARTS), max_size=14).map("".join)


def in_pieces(text: str, cuts: list[int]) -> list[str]:
    ends = sorted({min(cut, len(text)) for cut in cuts} | {len(text)})
    return [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]


@given(TEXTS, st.lists(st.integers(0, 80), max_size=12))
def test_any_pieces_give_what_the_whole_text_gives(text: str, cuts: list[int]) -> None:
    guard = CitationGuard({1, 2, 3})
    given_back = "".join(guard.add(piece) for piece in in_pieces(text, cuts)) + guard.rest()
    assert (given_back.strip(), guard.cited) == checked_citations(text, {1, 2, 3})


@given(TEXTS)
def test_single_characters_give_what_the_whole_text_gives(text: str) -> None:
    guard = CitationGuard({1, 2, 3})
    given_back = "".join(map(guard.add, text)) + guard.rest()
    assert (given_back.strip(), guard.cited) == checked_citations(text, {1, 2, 3})


@pytest.mark.parametrize("text", ["It stops when ", "It ` stops", "It stops [at", "```python\nx"])
def test_what_cannot_be_a_citation_is_given_back_at_once(text: str) -> None:
    guard = CitationGuard({1})
    assert guard.add(text) == text.rstrip(" ")


@pytest.mark.parametrize("text", ["[" + "1, " * 500, "【1†" + "x" * 500, "(source " + "1 " * 900])
def test_what_is_held_back_is_bounded(text: str) -> None:
    guard = CitationGuard({1})
    given_back = "".join(map(guard.add, text))
    assert len(text) - len(given_back) < 500
