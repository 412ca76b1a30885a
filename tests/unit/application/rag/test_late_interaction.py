"""Tokens of a question look for the nearest tokens of a text."""

import numpy as np
import pytest

from rag_llm_system.application.rag.late_interaction import TokenRarity, max_similarities
from rag_llm_system.domain.chunks import TokenVectors

EAST, NORTH = (1.0, 0.0), (0.0, 1.0)


def tokens(*vectors: tuple[float, float]) -> TokenVectors:
    rows = np.array(vectors, dtype=np.float32).reshape(-1, 2)
    return TokenVectors(np.arange(len(rows), dtype=np.int32), rows)


def weights(*of_tokens: float) -> np.ndarray:
    return np.array(of_tokens, dtype=np.float32)


def test_each_token_counts_by_its_weight() -> None:
    found = max_similarities(tokens(EAST, NORTH), weights(3, 1), [[tokens(EAST)], [tokens(NORTH)]])
    assert found == pytest.approx([0.75, 0.25])


def test_a_token_may_find_its_nearest_in_any_part_of_a_text() -> None:
    whole, parts = [tokens(EAST, NORTH)], [tokens(NORTH), tokens(EAST)]
    found = max_similarities(tokens(EAST, NORTH), weights(1, 1), [whole, parts])
    assert found == pytest.approx([1.0, 1.0])


def test_a_text_without_tokens_is_near_to_nothing() -> None:
    found = max_similarities(tokens(EAST), weights(1), [[tokens()], [tokens(EAST)], []])
    assert found == [0.0, 1.0, 0.0]


def test_without_texts_or_weights_there_is_nothing_to_compare() -> None:
    assert max_similarities(tokens(EAST), weights(1), []) == []
    assert max_similarities(tokens(EAST), weights(0), [[tokens(EAST)]]) == [0.0]


def test_a_rare_token_weighs_more() -> None:
    texts = [np.array(t, dtype=np.int32) for t in ([1, 2], [1, 3], [1, 1])]
    rarity = TokenRarity.of(texts)
    everywhere, once, never = rarity.weights(np.array([1, 2, 9], dtype=np.int32))
    assert 0 < everywhere < once < never
    # ln(1 + (3 - 1 + 0.5) / (1 + 0.5))
    assert once == pytest.approx(0.9808, abs=1e-4)
