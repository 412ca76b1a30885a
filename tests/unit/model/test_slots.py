"""The memory of conversations that are written together."""

from typing import Any

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_llm_system.model.inference.slots import SlotCache

MOST = 3000
LAYERS = 2


def states(first: float, rows: int, tokens: int) -> Any:
    """Keys of one head, two wide; each token's are its own number."""
    numbers = torch.arange(first, first + rows * tokens).reshape(rows, 1, tokens, 1)
    return numbers.expand(rows, 1, tokens, 2).clone()


def run(cache: SlotCache, new: Any) -> Any:
    """What the last layer may look at."""
    for layer in range(LAYERS):
        keys, values = cache.update(new, -new, layer)
        assert torch.equal(keys, -values)
    return keys[:, 0, :, 0]


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(1, 16), st.integers(1, 900)), min_size=1, max_size=8))
def test_there_is_always_room_for_what_was_asked_and_never_too_much(asked: list[tuple[int, int]]):
    cache = SlotCache("cpu")
    for rows, tokens in asked:
        if rows * tokens > MOST:
            continue
        cache.reserve(rows, tokens, MOST)
        cache.read(rows - 1, 0, tokens)
        seen = run(cache, states(1, 1, tokens))

        assert seen.tolist() == [list(range(1, tokens + 1))]
        assert rows * tokens <= cache.size_tokens <= MOST


def test_rows_of_different_lengths_are_read_written_copied_and_kept_when_memory_grows():
    cache = SlotCache("cpu")
    cache.reserve(1, 10, MOST)
    cache.read(0, 0, 3)
    run(cache, states(1, 1, 3))
    cache.reserve(3, 700, MOST)
    cache.read(1, 0, 2)
    run(cache, states(11, 1, 2))
    positions, mask = cache.read(1, 2, 3)
    read_on = run(cache, states(13, 1, 3))
    cache.copy(1, 2, 5)
    written_positions, written_mask = cache.write([3, 5, 5])
    written = run(cache, states(100, 3, 1))

    assert positions.tolist() == [[2, 3, 4]]
    assert mask[0, 0].sum(dim=-1).tolist() == [3, 4, 5]
    assert read_on.tolist() == [[11, 12, 13, 14, 15]]
    assert written_positions.tolist() == [[3], [5], [5]]
    assert written_mask[:, 0, 0].sum(dim=-1).tolist() == [4, 6, 6]
    assert written[0, :4].tolist() == [1, 2, 3, 100]
    assert written[1].tolist() == [11, 12, 13, 14, 15, 101]
    assert written[2].tolist() == [11, 12, 13, 14, 15, 102]


def test_memory_that_was_given_back_is_gone():
    cache = SlotCache("cpu")
    cache.reserve(2, 10, MOST)
    cache.read(0, 0, 3)
    run(cache, states(1, 1, 3))

    cache.release()

    assert cache.size_tokens == 0
    assert cache.token_bytes == 0
