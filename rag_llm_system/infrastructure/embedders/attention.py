"""Attention among the tokens of texts of one length, quick in bfloat16."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

# Every score is kept under this: e^64 times a text's tokens is far from the largest bfloat16 number, 3e38 ...
_HIGHEST_SCORE = 64.0
# ... and no row's best is then under e^-76, far from the smallest normal one, 1e-38.
_SAFE_REACH = 140.0
# Tokens up to which torch's own way is as quick for many texts, and for a single question 2 to 3 times as quick.
_SHORT = 32


def attend(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None) -> Tensor:
    """softmax(q kᵀ + bias) v, all of shape (texts, heads, length, size).

    In bfloat16 torch spends most of the time of attention on its softmax. Exponentials need no maximum taken off as
    long as nothing overflows, and Cauchy-Schwarz says how high a row can reach: |q| times the largest |k|. Only what
    could pass ``_HIGHEST_SCORE`` is lowered. Taking the mean key off all keys changes no weight, makes the scores
    smaller, and so more exact, and puts the best of every row at 0 or above.
    """
    if q.dtype is not torch.bfloat16 or q.shape[-2] <= _SHORT:
        return F.scaled_dot_product_attention(q, k, v, attn_mask=bias, scale=1.0)
    centred = k - k.mean(-2, keepdim=True)
    reach = _norms(q) * _norms(centred).amax(-2, keepdim=True)
    if bias is not None:
        reach += bias.abs().amax()
    if reach.amax() > _SAFE_REACH and len(q) > 1:  # a text alone decides how it is computed
        alone = [slice(i, i + 1) for i in range(len(q))]
        return torch.cat([attend(q[i], k[i], v[i], bias) for i in alone])
    if reach.amax() > _SAFE_REACH:
        return F.scaled_dot_product_attention(q, k, v, attn_mask=bias, scale=1.0)
    lowered = (_HIGHEST_SCORE - reach).clamp_(max=0).to(q.dtype)
    if bias is not None:
        lowered = lowered + bias
    keys = centred.flatten(0, 1).transpose(1, 2)
    weights = torch.baddbmm(lowered.flatten(0, 1), q.flatten(0, 1), keys).exp_()
    attended: Tensor = torch.bmm(weights, v.flatten(0, 1)) / weights.sum(-1, keepdim=True)
    return attended.view_as(q)


def _norms(x: Tensor) -> Tensor:
    norms: Tensor = torch.linalg.vector_norm(x, dim=-1, keepdim=True, dtype=torch.float32)
    return norms


def position_bias(relative: Tensor | None, length: int, dtype: torch.dtype) -> Tensor | None:
    """What MPNet adds to the scores for the distance of two tokens: shape (1, heads, length, length).

    ``relative`` has a row for every class of distances, with a number for every head; other models have none.
    """
    if relative is None:
        return None
    places = torch.arange(length)
    buckets = _buckets(places[None, :] - places[:, None])
    # all four dimensions: with three, torch takes another way, whose bytes depend on the number of texts
    return relative[buckets].permute(2, 0, 1)[None].to(dtype).contiguous()


def _buckets(distance: Tensor, buckets: int = 32, furthest: int = 128) -> Tensor:
    """MPNet's (and T5's) classes of distances: near ones each their own, far ones by logarithm."""
    half = buckets // 2
    near = half // 2
    away = distance.abs()
    far = (
        near
        + (torch.log(away.clamp(min=1) / near) / math.log(furthest / near) * (half - near)).long()
    )
    return (distance > 0) * half + torch.where(away < near, away, far.clamp(max=half - 1))
