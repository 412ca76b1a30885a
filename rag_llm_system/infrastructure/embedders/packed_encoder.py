"""BERT and its kin on a processor, several times as fast as their general implementation.

No padding: the tokens of a batch pass the linear layers as one matrix, and attention runs over the texts of one
length at a time. The weights lie in the layout that oneDNN multiplies with. Attention weights are made from one
exponential in bfloat16, which needs no pass for the maximum (see ``attention``). On 120 real chunks and one core of a
Zen 5 with AVX512-BF16 this took 0.23 of the documented way's time, and 0.40 of it in float32.
"""

import itertools
import os
import platform
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import safe_open
from torch import Tensor

from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.infrastructure.embedders.attention import attend, position_bias
from rag_llm_system.infrastructure.embedders.encoder_files import EncoderFiles

# How to multiply matrices of one shape takes 0.5 MB to remember, and no two batches have the same shapes. torch's way
# to oneDNN and oneDNN itself remember 1,024 each: 1.1 GB after 1,200 texts. With 128 it is 0.85 GB at the same speed,
# with 32 0.65 GB and a third slower. Both read this once, when they compute for the first time.
for _cache in ("LRU_CACHE_CAPACITY", "ONEDNN_PRIMITIVE_CACHE_CAPACITY"):
    os.environ.setdefault(_cache, "128")

# Measured: 1k to 8k tokens make no difference. The largest intermediate is 6 MB in MiniLM, 16 MB in bge-large.
_BATCH_TOKENS = 2048
_ROWS = 16
# The scores of one step of attention stay in the cache of a core or two.
_SCORE_BYTES = 1 << 20


class _Names(NamedTuple):
    """Where one layer keeps its weights."""

    query: str
    key: str
    value: str
    attended: str
    attended_norm: str
    up: str = "intermediate.dense"
    down: str = "output.dense"
    down_norm: str = "output.LayerNorm"


_BERT = _Names(
    query="attention.self.query",
    key="attention.self.key",
    value="attention.self.value",
    attended="attention.output.dense",
    attended_norm="attention.output.LayerNorm",
)
_MPNET = _Names(
    query="attention.attn.q",
    key="attention.attn.k",
    value="attention.attn.v",
    attended="attention.attn.o",
    attended_norm="attention.LayerNorm",
)
_FAMILY: Mapping[str, _Names] = {
    "bert": _BERT,
    "roberta": _BERT,
    "xlm-roberta": _BERT,
    "camembert": _BERT,
    "mpnet": _MPNET,
}


class _Layer(NamedTuple):
    """Pairs of weight and bias."""

    qkv: tuple[Tensor, Tensor]
    attended: tuple[Tensor, Tensor]
    attended_norm: tuple[Tensor, Tensor]
    up: tuple[Tensor, Tensor]
    down: tuple[Tensor, Tensor]
    down_norm: tuple[Tensor, Tensor]


def can_pack(files: EncoderFiles) -> bool:
    """Whether the model is of the one kind that this module computes, down to its last setting."""
    config, kinds = files.config, [kind for kind, _ in files.modules]
    return (
        config.get("model_type") in _FAMILY
        and config.get("hidden_act") == "gelu"
        and config.get("position_embedding_type", "absolute") == "absolute"
        and not config.get("is_decoder")
        and kinds in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"])
        and files.pooling is not None
        and files.dimension == config.get("hidden_size")
        and not files.lower_case
        and (files.folder / "model.safetensors").is_file()
        and platform.machine() in {"x86_64", "AMD64"}  # where it was measured
        and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    )


class PackedEncoder:
    """A text's vector does not depend on the other texts of the batch, to the byte."""

    def __init__(self, files: EncoderFiles, dtype: torch.dtype) -> None:
        self._dtype = dtype
        self._heads: int = files.config["num_attention_heads"]
        self._hidden: int = files.config["hidden_size"]
        self._eps: float = files.config["layer_norm_eps"]
        self._pooling, self._first_position = files.pooling, files.first_position
        self.dimension, self.max_length = self._hidden, files.max_length or 0
        self._threads = _single_core_threads()
        with safe_open(files.folder / "model.safetensors", framework="pt") as opened:
            found = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 - no mapping
        start = next(n for n in found if n.endswith("embeddings.word_embeddings.weight"))
        prefix = start.removesuffix("embeddings.word_embeddings.weight")
        weights = {name.removeprefix(prefix): tensor.float() for name, tensor in found.items()}
        self._words = weights["embeddings.word_embeddings.weight"]
        self._positions = weights["embeddings.position_embeddings.weight"]
        if "embeddings.token_type_embeddings.weight" in weights:
            self._positions = (
                self._positions + weights["embeddings.token_type_embeddings.weight"][0]
            )
        self._norm = (weights["embeddings.LayerNorm.weight"], weights["embeddings.LayerNorm.bias"])
        self._relative = weights.get("encoder.relative_attention_bias.weight")
        names = _FAMILY[files.config["model_type"]]
        self._layers = [
            self._layer(names, weights, f"encoder.layer.{i}.")
            for i in range(files.config["num_hidden_layers"])
        ]

    def _layer(self, names: _Names, weights: Mapping[str, Tensor], prefix: str) -> _Layer:
        def pair(name: str) -> tuple[Tensor, Tensor]:
            return weights[f"{prefix}{name}.weight"], weights[f"{prefix}{name}.bias"]

        def packed(weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
            laid_out = torch.ops.mkldnn._reorder_linear_weight(
                weight.to(self._dtype), _BATCH_TOKENS
            )
            return laid_out, bias.to(self._dtype)

        def norm(name: str) -> tuple[Tensor, Tensor]:
            weight, bias = pair(name)
            return weight.to(self._dtype), bias.to(self._dtype)

        scale = (self._hidden // self._heads) ** -0.5  # of the scores, paid once here
        query, query_bias = pair(names.query)
        (key, key_bias), (value, value_bias) = pair(names.key), pair(names.value)
        return _Layer(
            packed(
                torch.cat([query * scale, key, value]),
                torch.cat([query_bias * scale, key_bias, value_bias]),
            ),
            packed(*pair(names.attended)),
            norm(names.attended_norm),
            packed(*pair(names.up)),
            packed(*pair(names.down)),
            norm(names.down_norm),
        )

    def embed(
        self,
        texts: Sequence[str],  # noqa: ARG002 - their tokens are enough, as is the prompt's
        ids: Sequence[Sequence[int]],
        prompt: str,  # noqa: ARG002
    ) -> Vectors:
        return self._computed(ids)

    def embed_with_tokens(
        self,
        texts: Sequence[str],  # noqa: ARG002
        ids: Sequence[Sequence[int]],
        prompt: str,  # noqa: ARG002
    ) -> tuple[Vectors, list[Vectors]]:
        tokens = [np.empty((0, self._hidden), dtype=np.float32)] * len(ids)
        return self._computed(ids, tokens), tokens

    def _computed(
        self, ids: Sequence[Sequence[int]], tokens: list[Vectors] | None = None
    ) -> Vectors:
        """One vector for each text; where ``tokens`` are wanted, those of each text are put there."""
        vectors = np.empty((len(ids), self._hidden), dtype=np.float32)

        def fill(batch: list[list[int]]) -> None:
            groups = [torch.tensor([ids[i] for i in group]) for group in batch]
            with torch.inference_mode():
                for group, states in zip(batch, self._forward(groups), strict=True):
                    vectors[group] = F.normalize(self._pooled(states)).numpy()
                    if tokens is not None:
                        of_group = F.normalize(states, dim=-1).numpy()
                        for position, of_text in zip(group, of_group, strict=True):
                            tokens[position] = of_text

        list(self._threads.map(fill, _batches([len(i) for i in ids])))
        return vectors

    def _forward(self, groups: Sequence[Tensor]) -> list[Tensor]:
        """The last states of groups of token ids: of shape (texts, length) one of shape (texts, length, hidden)."""
        x = self._embedded(groups)
        rows = [group.numel() for group in groups]
        # empty rows to a round number: how to multiply is found out anew for each number of rows
        rows.append(-len(x) % _ROWS)
        x = F.pad(x, (0, 0, 0, rows[-1]))
        biases = [position_bias(self._relative, group.shape[1], self._dtype) for group in groups]
        for layer in self._layers:
            attended = torch.zeros_like(x)
            inputs, outputs = torch.split(_linear(x, layer.qkv), rows), torch.split(attended, rows)
            for qkv, into, group, bias in zip(inputs, outputs, groups, biases, strict=False):
                self._attention(qkv.view(*group.shape, -1), into.view(*group.shape, -1), bias)
            x = self._normed(_linear(attended, layer.attended).add_(x), layer.attended_norm)
            between = _linear(x, layer.up, "gelu")
            x = self._normed(_linear(between, layer.down).add_(x), layer.down_norm)
        return [
            part.view(*group.shape, -1).float()
            for part, group in zip(torch.split(x, rows), groups, strict=False)
        ]

    def _pooled(self, states: Tensor) -> Tensor:
        return states.mean(1) if self._pooling == "mean" else states[:, 0]

    def _embedded(self, groups: Sequence[Tensor]) -> Tensor:
        words = torch.cat([self._words[group].flatten(0, 1) for group in groups])
        first = self._first_position
        places = [self._positions[first : first + g.shape[1]].repeat(g.shape[0], 1) for g in groups]
        return self._normed(words.add_(torch.cat(places)), self._norm).to(self._dtype)

    def _normed(self, x: Tensor, weights: tuple[Tensor, Tensor]) -> Tensor:
        return F.layer_norm(x, (self._hidden,), *weights, eps=self._eps)

    def _attention(self, qkv: Tensor, into: Tensor, bias: Tensor | None) -> None:
        """``qkv`` has shape (texts, length, 3 x hidden), ``into`` (texts, length, hidden)."""
        length, size = qkv.shape[1], self._hidden // self._heads
        step = max(1, _SCORE_BYTES // (self._heads * length * length * self._dtype.itemsize))
        for some, place in zip(torch.split(qkv, step), torch.split(into, step), strict=True):
            q, k, v = some.view(-1, length, 3, self._heads, size).permute(2, 0, 3, 1, 4)
            place.view(-1, length, self._heads, size).copy_(attend(q, k, v, bias).transpose(1, 2))


def _linear(x: Tensor, packed: tuple[Tensor, Tensor], activation: str = "none") -> Tensor:
    """What torch.compile makes of a linear layer: one call with bias and activation, without a compiler."""
    result: Tensor = torch.ops.mkldnn._linear_pointwise(x, *packed, activation, [], "none")
    return result


def _single_core_threads() -> ThreadPoolExecutor:
    """As many threads as torch would use for one operation, each with operations of its own on one core.

    One batch to a thread: on a busy machine, threads that share each of a hundred small operations mostly wait for one
    another (measured: 20 times slower beside two other processes). torch keeps the number per thread, but what was set
    last also holds for new ones, so it is set back when all have started.
    """
    cores = torch.get_num_threads()
    started = threading.Barrier(cores + 1)

    def start() -> None:
        torch.get_num_threads()  # takes over what holds for new threads, which would come later else
        torch.set_num_threads(1)
        started.wait()

    threads = ThreadPoolExecutor(cores, "encoder", initializer=start)
    for _ in range(cores):
        threads.submit(bool)
    started.wait()
    torch.set_num_threads(cores)
    return threads


def _batches(lengths: Sequence[int]) -> list[list[list[int]]]:
    """Positions from longest to shortest: batches of at most ``_BATCH_TOKENS``, each in groups of one length."""
    batches: list[list[int]] = [[]]
    tokens = 0
    for position in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        if batches[-1] and tokens + lengths[position] > _BATCH_TOKENS:
            batches.append([])
            tokens = 0
        batches[-1].append(position)
        tokens += lengths[position]
    return [
        [list(g) for _, g in itertools.groupby(b, key=lengths.__getitem__)] for b in batches if b
    ]
