import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_llm_system.application.dataset.near_duplicates import NearDuplicates, shingles
from rag_llm_system.domain.errors import ConfigurationError

WORDS = [f"word{n}" for n in range(400)]


def text_of(seed: int, words: int = 60) -> str:
    return " ".join(random.Random(seed).choices(WORDS, k=words))  # noqa: S311 - texts of tests


def jaccard(a: str, b: str) -> float:
    first, second = set(shingles(a)), set(shingles(b))
    return len(first & second) / len(first | second)


def test_case_and_punctuation_make_no_difference():
    index = NearDuplicates()
    index.add("a", "What is a vector database, and when is it used?")

    assert index.similar("what is a VECTOR database - and when is it used") == ["a"]


def test_a_text_with_one_word_changed_is_similar_and_another_text_is_not():
    index = NearDuplicates()
    index.add("a", text_of(1))
    index.add("b", text_of(2))
    changed = text_of(1).replace(text_of(1).split()[-1], "another")

    assert index.similar(changed) == ["a"]
    assert index.similar(text_of(3)) == []


def test_texts_under_the_threshold_are_not_similar():
    index = NearDuplicates(threshold=0.8)
    words = text_of(1).split()
    half = " ".join((*words[:30], *text_of(2).split()[:30]))
    index.add("a", text_of(1))

    assert jaccard(half, text_of(1)) < 0.5
    assert index.similar(half) == []
    assert NearDuplicates(threshold=0.2).similar(half) == []


def test_a_short_text_is_compared_as_a_whole():
    index = NearDuplicates()
    index.add("why", "Why?")

    assert index.similar("why") == ["why"]
    assert index.similar("Why not") == []
    assert index.similar("") == []


def test_a_key_that_several_texts_have_is_named_once_and_keys_keep_their_order():
    index = NearDuplicates()
    for key in ("b", "a", "b"):
        index.add(key, text_of(1))

    assert index.similar(text_of(1)) == ["b", "a"]
    assert len(index) == 3


@pytest.mark.parametrize("threshold", [0.0, 1.2])
def test_a_threshold_that_is_no_share_is_refused(threshold: float):
    with pytest.raises(ConfigurationError, match="near-duplicate threshold"):
        NearDuplicates(threshold=threshold)


def test_texts_are_found_after_many_others_were_added():
    index = NearDuplicates(permutations=32)
    for n in range(8200):  # over twice the size at which texts move to sorted arrays
        index.add(str(n), f"{n} {n + 1} {n + 2} {n * 7}")

    assert [index.similar(f"{n} {n + 1} {n + 2} {n * 7}") for n in (0, 4095, 4096, 8199)] == [
        ["0"], ["4095"], ["4096"], ["8199"],
    ]  # fmt: skip


@given(st.integers(0, 10_000), st.integers(1, 3))
def test_pairs_clearly_over_the_threshold_are_found(seed: int, changes: int):
    words = text_of(seed, words=120).split()
    changed = " ".join((*words[:-changes], *(["new"] * changes)))
    index = NearDuplicates(threshold=0.8)
    index.add("a", " ".join(words))

    assert jaccard(changed, " ".join(words)) > 0.93
    assert index.similar(changed) == ["a"]


@pytest.mark.parametrize("words", range(4, 31))
def test_short_texts_are_compared_exactly(words: int):
    # one word changed at the end: two texts of n words share n - 3 shingles of n - 1
    first = [f"w{n}" for n in range(words)]
    second = [*first[:-1], "other"]
    index = NearDuplicates(threshold=0.8)
    index.add("a", " ".join(first))

    assert (index.similar(" ".join(second)) == ["a"]) == (
        jaccard(*map(" ".join, (first, second))) >= 0.8
    )


def test_long_texts_are_compared_by_a_sample():
    index = NearDuplicates(threshold=0.8)
    index.add("a", text_of(1, words=2000))
    words = text_of(1, words=2000).split()

    assert index.similar(" ".join((*words[:1900], *text_of(2).split()))) == ["a"]
    assert index.similar(" ".join((*words[:1200], *text_of(2, words=800).split()))) == []
