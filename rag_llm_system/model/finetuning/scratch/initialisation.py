"""The structured initialisation: a small Llama whose first two layers can copy from the context before any training.

A copying circuit of two layers (Olsson et al. 2022, "induction heads") takes most of a short training to emerge. Here
its weights are written down instead. The residual stream begins as two halves: the identity of the token, with one
constant feature, and room for the tokens before it. Each head of layer 0 attends to the token a fixed distance back, by
the phase of the rotary embedding, and writes that token's identity into the room. Layer 1 looks for a place where the
tokens before were the same as the last four here, and adds the identity of what followed there. Fewer would not do:
"Annabelle: Creation" and "the Annabelle doll" are the same for two tokens or three. All weights are trained afterwards.
A model made this way is not "randomly initialised", and must not be called so.
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
_SLOW_ANGLE = 3e-3  # radians per token: over a context of 300 tokens less than a right angle
_COMPARED = 4  # tokens that must be the same: the one here and those before it
_KEY_STRENGTH = 2.0
# how much the heads of a group ask for each of these tokens, the one here first. Of a random sequence of 30 different
# tokens, in which pairs return, an untrained model with these recalls 0.90 of the tokens; with two tokens compared
# (2, 2 and 4, 1) it was 0.55
_MATCH_STRENGTHS = ((4.0, 4.0, 4.0, 4.0), (4.0, 4.0, 4.0, 0.0))
_COPY_STRENGTH = 4.0


@dataclass(frozen=True)
class _Layout:
    """Where the parts are: ``identity`` features from 1 on, then one block per head of layer 0.

    Head n of layer 0 looks n + 1 tokens back.
    """

    hidden: int
    identity: int
    head_size: int
    kv_heads: int
    group: int
    block: int

    @property
    def compared(self) -> int:
        """As many tokens as there are blocks for those a place compares with, up to the number that is wanted."""
        return min(_COMPARED, self.kv_heads * self.group)

    def room(self, distance: int) -> int:
        """The first feature of the block that holds the token ``distance`` back."""
        return self.identity + (distance - 1) * self.block

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
    view = _orthonormal(layout, generator)
    angles = model.model.rotary_emb.inv_freq.float()
    _write_look_back(model.model.layers[0].self_attn, layout, view, angles)
    _write_recall(model.model.layers[1].self_attn, layout, view, angles)


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
    attention: Any, layout: _Layout, view: torch.Tensor, angles: torch.Tensor
) -> None:
    """Layer 0: head n attends n + 1 tokens back and writes that token's identity into its block."""
    query, key, value, output = _projections(attention)
    half = layout.head_size // 2
    # what the normalisation makes of the constant feature
    constant = _CONSTANT / math.sqrt((layout.identity - 1 + _CONSTANT**2) / layout.hidden)
    fast = range(min(_FAST_PAIRS, half))
    for kv_head in range(layout.kv_heads):
        rows = layout.rows(kv_head)
        key[rows] *= _DAMPED
        value[rows] *= 0
        value[rows.start : rows.start + layout.block, 1 : layout.identity] = view
        for pair in fast:
            key[rows.start + pair, 0] = _FAST_STRENGTH / constant
    for head in range(layout.kv_heads * layout.group):
        start, distance = head * layout.head_size, head + 1
        query[layout.rows(head)] *= _DAMPED
        output[:, layout.rows(head)] *= _DAMPED
        for pair in fast:
            turn = distance * float(angles[pair])
            query[start + pair, 0] = _FAST_STRENGTH / constant * math.cos(turn)
            query[start + pair + half, 0] = -_FAST_STRENGTH / constant * math.sin(turn)
        for feature in range(layout.block):
            output[layout.room(distance) + feature, start + feature] = _SCALE


def _write_recall(
    attention: Any, layout: _Layout, view: torch.Tensor, angles: torch.Tensor
) -> None:
    """Layer 1: attends to where the tokens here stood one earlier, and adds the identity found there."""
    query, key, value, output = _projections(attention)
    places = _places(layout, angles)
    for kv_head in range(layout.kv_heads):
        rows = layout.rows(kv_head)
        seen = kv_head * len(places[0])  # each group compares other features of the tokens
        key[rows] *= _DAMPED
        value[rows] *= _DAMPED
        for distance, of_token in enumerate(places, start=1):
            for feature, place in enumerate(of_token):
                source = layout.room(distance) + seen + feature
                key[rows.start + place, source] = _KEY_STRENGTH
        first = 1 + kv_head * layout.head_size
        carried = range(first, min(first + layout.head_size, layout.identity))
        for feature, source in enumerate(carried):
            value[rows.start + feature, source] = 1.0
        for order, head in enumerate(layout.heads(kv_head)):
            start = head * layout.head_size
            query[layout.rows(head)] *= _DAMPED
            output[:, layout.rows(head)] *= _DAMPED
            strengths = _MATCH_STRENGTHS[order % len(_MATCH_STRENGTHS)]
            for distance, (of_token, strength) in enumerate(zip(places, strengths, strict=False)):
                for feature, place in enumerate(of_token):
                    asked = query[start + place]
                    asked.zero_()
                    if distance:
                        asked[layout.room(distance) + seen + feature] = strength
                    else:
                        asked[1 : layout.identity] = strength * view[seen + feature]
            for feature, target in enumerate(carried):
                output[target, start + feature] = _COPY_STRENGTH * _SCALE


def _places(layout: _Layout, angles: torch.Tensor) -> list[list[int]]:
    """For each compared token the features of a head that hold it, of pairs that hardly turn over a context."""
    half = layout.head_size // 2
    slow = [pair for pair in range(half) if float(angles[pair]) < _SLOW_ANGLE]
    free = [*slow, *(pair + half for pair in slow)]
    each = min(len(free) // layout.compared, layout.block // layout.kv_heads)
    return [free[n * each : (n + 1) * each] for n in range(layout.compared)]


def _projections(attention: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    return (
        attention.q_proj.weight,
        attention.k_proj.weight,
        attention.v_proj.weight,
        attention.o_proj.weight,
    )
