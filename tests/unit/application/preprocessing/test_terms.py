"""Texts become the words that BM25 compares."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_llm_system.application.preprocessing.terms import (
    document_terms,
    query_terms,
    reference_length,
    word_counts,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Indexing", "indexes"),
        ("MÜLLER", "Muller"),
        ("the models of a library", "library model"),
    ],
)
def test_two_forms_of_a_text_have_the_same_words(one: str, other: str) -> None:
    assert word_counts(one) == word_counts(other)


def test_an_identifier_is_found_as_a_whole_and_by_its_parts() -> None:
    found = word_counts("HTTPServer max_tokens")
    assert {"httpserver", "http", "server", "max", "token"} == set(found)


def test_function_words_alone_are_no_words() -> None:
    assert not query_terms("What is it that you have been doing?")


def test_a_run_of_data_is_no_word() -> None:
    assert not word_counts("a" * 65)


def test_a_word_that_the_question_repeats_counts_twice() -> None:
    assert sorted(query_terms("bread, bread and water").values()) == [1.0, 2.0]


def test_document_weights_are_those_of_bm25() -> None:
    [weight] = document_terms({"bread": 3}, reference=6).values()
    # tf (k1 + 1) / (tf + k1 (1 - b + b length / reference)), by hand: 6.6 / (3 + 1.2 * 0.625)
    assert weight == pytest.approx(6.6 / 3.75, abs=1e-4)


@given(st.floats(16, 1e6))
def test_the_reference_is_off_by_a_fifth_at_most(mean: float) -> None:
    assert 1 / 1.22 <= reference_length(mean) / mean <= 1.22


@given(st.text())
def test_every_weight_is_positive_and_every_number_has_32_bits(text: str) -> None:
    terms = document_terms(word_counts(text), reference=8)
    assert all(weight > 0 for weight in terms.values())
    assert all(0 <= number < 2**32 for number in terms)
