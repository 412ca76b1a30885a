"""Token vectors as bytes: what comes back, and how much room it takes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rag_llm_system.domain.chunks import TokenVectors
from rag_llm_system.infrastructure.embedders.token_codes import decoded, encoded


def text(count: int, dimension: int, seed: int = 0) -> TokenVectors:
    numbers = np.random.default_rng(seed)
    vectors = numbers.standard_normal((count, dimension)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return TokenVectors(numbers.integers(0, 250_000, count, dtype=np.int32), vectors)


@given(st.integers(0, 300), st.integers(16, 400), st.integers(0, 9))
def test_tokens_come_back_and_vectors_nearly(count: int, dimension: int, seed: int) -> None:
    original = text(count, dimension, seed)
    (back,) = decoded([encoded(original)])
    assert np.array_equal(back.tokens, original.tokens)
    assert back.tokens.dtype == np.int32
    assert back.vectors.shape == original.vectors.shape
    assert back.vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(back.vectors, axis=1), 1, atol=1e-3)
    assert np.all((back.vectors * original.vectors).sum(1) > 0.95)


def test_a_number_takes_four_bits_and_a_token_six_bytes() -> None:
    assert len(encoded(text(200, 384))) == 4 + 200 * (6 + 384 // 2)


def test_at_the_size_of_an_encoder_little_is_lost() -> None:
    original = text(2000, 384)
    (back,) = decoded([encoded(original)])
    cosines = (back.vectors * original.vectors).sum(1)
    assert cosines.mean() > 0.994
    assert cosines.min() > 0.98


def test_a_vector_of_one_large_number_still_points_there() -> None:
    vectors = np.zeros((2, 64), dtype=np.float32)
    vectors[[0, 1], [3, 5]] = 1, -1
    (back,) = decoded([encoded(TokenVectors(np.array([7, 8], dtype=np.int32), vectors))])
    assert np.all((back.vectors * vectors).sum(1) > 0.9)


def test_texts_come_back_in_their_order_even_those_without_tokens() -> None:
    texts = [text(count, 24, seed) for seed, count in enumerate((3, 0, 1, 5, 0))]
    together = decoded([encoded(one) for one in texts])
    assert [t.tokens.tolist() for t in together] == [t.tokens.tolist() for t in texts]
    for original, back in zip(texts, together, strict=True):
        assert np.array_equal(back.vectors, decoded([encoded(original)])[0].vectors)
    assert decoded([]) == []


def test_the_same_vectors_give_the_same_bytes() -> None:
    assert encoded(text(30, 48)) == encoded(text(30, 48))
