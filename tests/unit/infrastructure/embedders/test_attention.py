"""The quick attention in bfloat16 against the exact one."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from rag_llm_system.infrastructure.embedders.attention import attend, position_bias


def made(seed: int, *shape: int) -> Tensor:
    numbers = torch.randn(*shape, generator=torch.Generator().manual_seed(seed))
    return numbers.to(torch.bfloat16)


def exact(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None) -> Tensor:
    mask = None if bias is None else bias.float()
    return F.scaled_dot_product_attention(
        q.float(), k.float(), v.float(), attn_mask=mask, scale=1.0
    )


@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("size_of_scores", [0.01, 1, 4, 8, 30])
def test_it_agrees_with_the_exact_one_however_large_the_scores(
    size_of_scores: float, biased: bool
) -> None:
    # 8: some rows must be lowered; 30: exponentials alone would not do
    q, k, v = (made(seed, 3, 4, 50, 8) for seed in range(3))
    q, k = q * size_of_scores**0.5, k * size_of_scores**0.5
    bias = made(3, 1, 4, 50, 50) if biased else None
    one, other = attend(q, k, v, bias).float(), exact(q, k, v, bias)
    cosine = F.cosine_similarity(one.flatten(2), other.flatten(2), dim=2)
    assert cosine.min() > 0.999


def test_what_all_keys_share_changes_nothing_even_when_it_is_huge() -> None:
    q, k, v = (made(seed, 1, 2, 40, 8) for seed in range(3))
    shared = 16 * made(4, 1, 2, 1, 8)
    one, other = attend(q, k + shared, v, None).float(), exact(q, k + shared, v, None)
    assert F.cosine_similarity(one.flatten(), other.flatten(), dim=0) > 0.999


@pytest.mark.parametrize("length", [1, 32, 33])
@pytest.mark.parametrize("size_of_scores", [1, 30])
def test_a_text_does_not_notice_the_others(size_of_scores: float, length: int) -> None:
    q, k, v = (made(seed, 5, 4, length, 8) for seed in range(3))
    q[2] *= size_of_scores
    together = attend(q, k, v, None)
    for i in range(5):
        alone = attend(q[i : i + 1], k[i : i + 1], v[i : i + 1], None)
        assert torch.equal(alone[0], together[i])


def test_most_models_have_no_position_bias() -> None:
    assert position_bias(None, 7, torch.float32) is None
