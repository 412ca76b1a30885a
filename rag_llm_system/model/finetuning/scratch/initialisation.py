"""The structured initialisation: a small Llama whose first two layers can copy from the context before any training.

A copying circuit of two layers (Olsson et al. 2022, "induction heads") takes most of a short training to emerge. Here
its weights are written down instead. The residual stream begins as two halves: the identity of the token, with one
constant feature, and room for the tokens before it. Layer 0 attends to the token a fixed distance back, by the phase
of the rotary embedding, and writes that token's identity into the room. Layer 1 looks for a place where the tokens
before were the same as the tokens here, and adds the identity of what followed there. All weights are trained
afterwards. A model made this way is not "randomly initialised", and must not be called so.
"""

import math
from dataclasses import dataclass
from typing import Any

import torch

from rag_llm_system.domain.errors import ConfigurationError

MIN_HEAD_SIZE = 32
"""Below this too few rotary pairs turn slowly enough to compare tokens with."""

_NOISE = 0.02
_SCALE = 0.08  # of a token's identity; larger ones slow the learning of the embeddings
_CONSTANT = 4.0  # of the constant feature, in units of _SCALE
_DAMPED = 0.2  # what is left of the noise where the structure is written
_FAST_PAIRS = 8  # rotary pairs that tell one position from the next
_FAST_STRENGTH = 7.7  # a head's attention on its distance is then above 0.9
_SLOW_ANGLE = 1.5e-3  # radians per token: over a context of 500 tokens less than a right angle
# how much a head asks for the nearer and for the farther token. Equal and sharper ones (4, 4), with less noise and
# twice the output, copy better before the training (0.93 against 0.86 of random tokens), yet after its first 100
# steps the loss was higher (0.77 against 0.48)
_MATCH_STRENGTHS = ((2.0, 2.0), (4.0, 1.0))


@dataclass(frozen=True)
class _Layout:
    """Where the parts are: ``identity`` features from 1 on, then one block per head of layer 0."""

    hidden: int
    identity: int
    head_size: int
    kv_heads: int
    group: int
    block: int

    def room(self, kv_head: int, distance: int) -> int:
        """The first feature of the block that holds the token ``distance`` back, as ``kv_head`` sees it."""
        return self.identity + (kv_head * self.group + distance - 1) * self.block

    def heads(self, kv_head: int) -> range:
        return range(kv_head * self.group, (kv_head + 1) * self.group)

    def rows(self, head: int) -> slice:
        return slice(head * self.head_size, (head + 1) * self.head_size)


@torch.no_grad()
def initialise_for_copying(model: Any, *, seed: int) -> None:
    """Rewrites the weights of a ``LlamaForCausalLM``. The same model shape and seed give the same weights.

    Raises ConfigurationError for a shape that has no room for the two layers.
    """
    layout = _layout(model.config)
    generator = torch.Generator().manual_seed(seed)
    for parameter in model.parameters():
        if parameter.ndim == 2:
            parameter.copy_(_normal(parameter.shape, generator) * _NOISE)
    _write_embeddings(model.model.embed_tokens.weight, layout, generator)
    views = [_orthonormal(layout, generator) for _ in range(layout.kv_heads)]
    angles = model.model.rotary_emb.inv_freq.float()
    _write_look_back(model.model.layers[0].self_attn, layout, views, angles)
    _write_recall(model.model.layers[1].self_attn, layout, views, angles)


def _layout(config: Any) -> _Layout:
    hidden, heads, kv_heads = (
        config.hidden_size,
        config.num_attention_heads,
        config.num_key_value_heads,
    )
    layout = _Layout(
        hidden=hidden,
        identity=hidden // 2,
        head_size=config.head_dim,
        kv_heads=kv_heads,
        group=heads // kv_heads,
        block=min((hidden - hidden // 2) // heads, config.head_dim),
    )
    if config.num_hidden_layers < 2:
        raise ConfigurationError(
            "the structured initialisation needs at least 2 layers; raise layers"
        )
    if layout.group < 2:
        raise ConfigurationError(
            f"the structured initialisation needs 2 heads per key-value head, not {heads} heads on {kv_heads};"
            " lower kv_heads"
        )
    if layout.head_size < MIN_HEAD_SIZE:
        raise ConfigurationError(
            f"the structured initialisation needs heads of at least {MIN_HEAD_SIZE} features, not"
            f" {layout.head_size}; raise hidden_size or lower heads"
        )
    return layout


def _normal(shape: torch.Size | tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
    return torch.randn(shape, generator=generator)


def _orthonormal(layout: _Layout, generator: torch.Generator) -> torch.Tensor:
    """A view of a token's identity in ``block`` features, shape (block, identity - 1)."""
    basis, _ = torch.linalg.qr(_normal((layout.identity - 1, layout.block), generator))
    return torch.as_tensor(basis.T)


def _write_embeddings(weight: torch.Tensor, layout: _Layout, generator: torch.Generator) -> None:
    tokens = weight.shape[0]
    weight[:, 0] = _CONSTANT * _SCALE
    weight[:, 1 : layout.identity] = _normal((tokens, layout.identity - 1), generator) * _SCALE
    weight[:, layout.identity :] *= _DAMPED


def _write_look_back(
    attention: Any, layout: _Layout, views: list[torch.Tensor], angles: torch.Tensor
) -> None:
    """Layer 0: head n of a group attends n + 1 tokens back and writes that token's identity into its block."""
    query, key, value, output = _projections(attention)
    half, size = layout.head_size // 2, layout.head_size
    # what the normalisation makes of the constant feature
    constant = _CONSTANT / math.sqrt((layout.identity - 1 + _CONSTANT**2) / layout.hidden)
    fast = range(min(_FAST_PAIRS, half))
    for kv_head, view in enumerate(views):
        rows = layout.rows(kv_head)
        key[rows] *= _DAMPED
        value[rows] *= 0
        value[rows.start : rows.start + layout.block, 1 : layout.identity] = view
        for pair in fast:
            key[rows.start + pair, 0] = _FAST_STRENGTH / constant
        for distance, head in enumerate(layout.heads(kv_head), start=1):
            start = head * size
            query[layout.rows(head)] *= _DAMPED
            output[:, layout.rows(head)] *= _DAMPED
            for pair in fast:
                turn = distance * float(angles[pair])
                query[start + pair, 0] = _FAST_STRENGTH / constant * math.cos(turn)
                query[start + pair + half, 0] = -_FAST_STRENGTH / constant * math.sin(turn)
            room = layout.room(kv_head, distance)
            for feature in range(layout.block):
                output[room + feature, start + feature] = _SCALE


def _write_recall(
    attention: Any, layout: _Layout, views: list[torch.Tensor], angles: torch.Tensor
) -> None:
    """Layer 1: attends to where the tokens here stood one earlier, and adds the identity found there."""
    query, key, value, output = _projections(attention)
    half, size = layout.head_size // 2, layout.head_size
    slow = [pair for pair in range(half) if float(angles[pair]) < _SLOW_ANGLE][: layout.block]
    for kv_head, view in enumerate(views):
        rows = layout.rows(kv_head)
        one_back, two_back = layout.room(kv_head, 1), layout.room(kv_head, 2)
        key[rows] *= _DAMPED
        value[rows] *= _DAMPED
        for feature, pair in enumerate(slow):
            key[rows.start + pair, one_back + feature] = 2.0
            key[rows.start + pair + half, two_back + feature] = 2.0
        first = 1 + kv_head * size
        carried = range(first, min(first + size, layout.identity))
        for feature, source in enumerate(carried):
            value[rows.start + feature, source] = 1.0
        for order, head in enumerate(layout.heads(kv_head)):
            near, far = _MATCH_STRENGTHS[order % len(_MATCH_STRENGTHS)]
            query[layout.rows(head)] *= _DAMPED
            output[:, layout.rows(head)] *= _DAMPED
            for feature, pair in enumerate(slow):
                here = head * size + pair
                query[here] = 0
                query[here, 1 : layout.identity] = near * view[feature]
                query[here + half, one_back + feature] = far
            for feature, target in enumerate(carried):
                output[target, head * size + feature] = 2 * _SCALE


def _projections(attention: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    return (
        attention.q_proj.weight,
        attention.k_proj.weight,
        attention.v_proj.weight,
        attention.o_proj.weight,
    )
