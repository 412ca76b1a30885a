"""Citations: every form that models write becomes [n], and n is a source."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_llm_system.application.rag.citations import checked_citations


@pytest.mark.parametrize(
    ("written", "normalised", "cited"),
    [
        ("It stops [1].", "It stops [1].", {1}),
        ("It stops [1, 2].", "It stops [1][2].", {1, 2}),
        ("It stops [1][3].", "It stops [1][3].", {1, 3}),
        ("It stops [1-3].", "It stops [1][2][3].", {1, 2, 3}),
        ("It stops [1\u20133].", "It stops [1][2][3].", {1, 2, 3}),
        ("It stops [2; 1 and 3].", "It stops [2][1][3].", {1, 2, 3}),
        ("It stops 【1】.", "It stops [1].", {1}),
        ("It stops【2†L3-L9】.", "It stops[2].", {2}),
        ("It stops (source 1).", "It stops [1].", {1}),
        ("It stops (see sources 1 and 2).", "It stops [1][2].", {1, 2}),
        ("It stops [Source 2].", "It stops [2].", {2}),
        ("It stops [^3].", "It stops [3].", {3}),
        ("It stops [1], they say [7].", "It stops [1], they say.", {1}),
        ("It stops [7, 2].", "It stops [2].", {2}),
        ("[9] It stops.", "It stops.", set()),
        ("It stops [1-9999].", "It stops [1][2][3].", {1, 2, 3}),
        ("It stops.", "It stops.", set()),
    ],
)
def test_a_citation_of_any_form_is_a_number_in_brackets(
    written: str, normalised: str, cited: set[int]
) -> None:
    assert checked_citations(written, {1, 2, 3}) == (normalised, cited)


@pytest.mark.parametrize(
    "text",
    [
        "Use rows[7] here.",
        "Use `rows [7]` here.",
        "```python\nrows = [7]\nfirst = rows [1]\n```",
        "See [2](http://a.example).",
        "It was (in 1998).",
    ],
)
def test_what_is_no_citation_is_left_alone(text: str) -> None:
    assert checked_citations(text, {1, 2}) == (text, set())


@given(st.text(alphabet="[]()0123456789,-– `\nsource【】 a", max_size=80))
def test_checking_twice_is_checking_once(text: str) -> None:
    once, cited = checked_citations(text, {1, 2, 3})
    assert cited <= {1, 2, 3}
    assert checked_citations(once, {1, 2, 3})[0] == once
