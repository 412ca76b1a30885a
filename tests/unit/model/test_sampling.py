"""The next token of each row."""

from collections.abc import Sequence

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_llm_system.model.inference.generation import Generation
from rag_llm_system.model.inference.sampling import choose
from tests.engine_answers import Heard


def request(temperature: float, top_p: float = 1.0) -> Generation:
    return Generation([1], 1, temperature, top_p, (), Heard())


rows = st.lists(st.floats(-20, 20, width=32), min_size=8, max_size=8)
requests = st.builds(request, st.floats(0, 2), st.floats(0.01, 1))


@settings(max_examples=50)
@given(st.lists(st.tuples(rows, requests), min_size=1, max_size=5))
def test_a_token_is_one_of_the_likeliest_that_reach_top_p(
    asked: Sequence[tuple[list[float], Generation]],
):
    scores = torch.tensor([row for row, _ in asked])

    chosen = choose(scores, [one for _, one in asked])

    for token_id, row, (_, one) in zip(chosen, scores, asked, strict=True):
        if one.is_greedy:
            assert row[token_id] == row.max()
            continue
        chances = (row / one.temperature).softmax(dim=0)
        likelier = float(chances[chances > chances[token_id]].sum())
        assert likelier <= one.top_p + 1e-5


def test_tokens_are_drawn_as_often_as_they_are_likely():
    torch.manual_seed(0)
    scores = torch.tensor([[0.5, 0.3, 0.2]]).log().repeat(3000, 1)

    free = torch.tensor(choose(scores, [request(1.0)] * 3000)).bincount(minlength=3) / 3000
    nucleus = torch.tensor(choose(scores, [request(1.0, 0.7)] * 3000)).bincount(minlength=3) / 3000

    assert free.tolist() == pytest.approx([0.5, 0.3, 0.2], abs=0.04)
    assert nucleus.tolist() == pytest.approx([0.625, 0.375, 0.0], abs=0.04)
