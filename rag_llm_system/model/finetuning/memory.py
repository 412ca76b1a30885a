"""How much memory a fine-tuning needs, from the shape of its base and the settings alone."""

from dataclasses import dataclass, replace
from typing import Any

from rag_llm_system.domain.errors import ConfigurationError
from rag_llm_system.model.finetuning.config import (
    MemoryEstimate,
    ScratchSettings,
    TrainingConfig,
)

GB = 1_000_000_000
_NF4_BYTES = 0.5 + (8 / 64 + 32 / (64 * 256)) / 8
"""Of a weight in NF4: 4 bits, an 8-bit scale for each 64, and a 32-bit scale for each 256 of those."""
_HEAD_TOKENS, _HEAD_WORDS = 4096, 32768
"""TRL computes the logits in tiles of so many tokens and words."""
_OPTIMIZER_STATES = {"adamw": 2.0, "adamw_8bit": None, "paged_adamw_8bit": None, "adafactor": 0.0}
"""Numbers of the weights' type that are kept for each trained weight; None: two of one byte."""


@dataclass(frozen=True)
class ModelShape:
    """What decides the size of a Llama."""

    hidden: int
    intermediate: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    tied: bool

    @property
    def linear(self) -> dict[str, tuple[int, int]]:
        """(inputs, outputs) of the products of one layer."""
        queries, keys = self.heads * self.head_dim, self.kv_heads * self.head_dim
        return {
            "q_proj": (self.hidden, queries),
            "k_proj": (self.hidden, keys),
            "v_proj": (self.hidden, keys),
            "o_proj": (queries, self.hidden),
            "gate_proj": (self.hidden, self.intermediate),
            "up_proj": (self.hidden, self.intermediate),
            "down_proj": (self.intermediate, self.hidden),
        }

    @property
    def linear_parameters(self) -> int:
        return self.layers * sum(i * o for i, o in self.linear.values())

    @property
    def other_parameters(self) -> int:
        """Embeddings, head and norms."""
        embeddings = self.vocabulary * self.hidden * (1 if self.tied else 2)
        return embeddings + (2 * self.layers + 1) * self.hidden

    @property
    def parameters(self) -> int:
        return self.linear_parameters + self.other_parameters

    def adapter_parameters(self, config: TrainingConfig) -> int:
        return self.layers * sum(
            config.lora.r * (i + o) + (o if config.method == "dora" else 0)
            for i, o in self.adapted(config)
        )

    def adapted(self, config: TrainingConfig) -> list[tuple[int, int]]:
        targets = config.lora.targets
        return [
            size for name, size in self.linear.items() if targets == "all-linear" or name in targets
        ]


def shape_of(config: Any) -> ModelShape:
    """The shape that a model's ``config.json`` describes."""
    return ModelShape(
        hidden=config.hidden_size,
        intermediate=config.intermediate_size,
        layers=config.num_hidden_layers,
        heads=config.num_attention_heads,
        kv_heads=config.num_key_value_heads or config.num_attention_heads,
        head_dim=getattr(config, "head_dim", None)
        or config.hidden_size // config.num_attention_heads,
        vocabulary=config.vocab_size,
        tied=bool(config.tie_word_embeddings),
    )


def shape_of_scratch(scratch: ScratchSettings) -> ModelShape:
    return ModelShape(
        hidden=scratch.hidden_size,
        intermediate=max(32, scratch.hidden_size * 8 // 3 // 32 * 32),
        layers=scratch.layers,
        heads=scratch.heads,
        kv_heads=scratch.kv_heads,
        head_dim=scratch.hidden_size // scratch.heads,
        vocabulary=scratch.vocab_size,
        tied=True,
    )


@dataclass(frozen=True)
class Precision:
    """Bytes of a weight that is loaded, and of a number in a product."""

    weight: int
    product: int
    checkpointing: bool


def memory_estimate(
    shape: ModelShape, config: TrainingConfig, precision: Precision
) -> MemoryEstimate:
    """The largest moment of the training: the backward pass of a batch full of rows of ``max_length``.

    - weights: parameters x bytes, for qlora 0.516 bytes in the layers' products; where float32 weights meet bfloat16
      products, the cast copies of those too; the adapter, and for DPO its frozen copy.
    - gradients: trained weights x their bytes (adapters: 4, those of qlora 2).
    - optimizer: AdamW two numbers of the trained weights' type each, its 8-bit form two bytes, Adafactor nearly none.
    - activations: what one layer keeps for its backward pass (:func:`_kept_bytes`) x tokens x layers; with
      checkpointing each layer's input x layers, and one layer in full. DoRA adds the weights it multiplies out.
      A batch has batch_size x max_length tokens, for DPO 2 x that of its own settings.
    - logits: TRL computes them in tiles of 4,096 tokens x 32,768 words (float32, three at a time), plus the
      gradient of the last hidden states and, where the head is trained, of its weights.

    Not in it: what the device's own libraries take (about 0.5 GB on a GPU) and fragmentation.
    """
    full, quantised = config.method == "full", config.method == "qlora"
    trained = shape.parameters if full else shape.adapter_parameters(config)
    of_trained = precision.weight if full else 2 if quantised else 4
    tokens = max(
        config.batch_size * config.max_length,
        2 * config.dpo.batch_size * config.dpo.max_length if config.dpo else 0,
    )
    weights = shape.other_parameters * precision.weight
    weights += int(shape.linear_parameters * (_NF4_BYTES if quantised else precision.weight))
    if precision.weight > precision.product and not quantised:
        weights += shape.linear_parameters * precision.product
    if not full:
        weights += trained * of_trained * (2 if config.dpo else 1)
    states = _OPTIMIZER_STATES[config.optimizer]
    return MemoryEstimate(
        weights=weights,
        gradients=trained * of_trained,
        optimizer=int(trained * (2 if states is None else states * of_trained)),
        activations=_activations(shape, config, precision, tokens),
        logits=_logits(shape, tokens, head_is_trained=full),
    )


def _activations(
    shape: ModelShape, config: TrainingConfig, precision: Precision, tokens: int
) -> int:
    layer = tokens * _kept_bytes(shape, config, precision)
    largest = max(i * o for i, o in shape.linear.values())
    if config.method == "dora":
        layer += 3 * 4 * largest  # the adapter's product as large as the weight, in float32
    elif config.method == "qlora":
        layer += 2 * largest  # one weight at a time is taken out of its 4 bits
    if config.attention == "eager":
        layer += tokens * config.max_length * shape.heads * (4 + 2 * precision.product)
    if not precision.checkpointing:
        return layer * shape.layers
    return tokens * shape.hidden * precision.weight * shape.layers + layer


def _kept_bytes(shape: ModelShape, config: TrainingConfig, precision: Precision) -> int:
    """Of one token in one layer: the two norms in float32, queries, keys and values before and after rotation,
    the attention's output, the gate's three products, and each product's input as often as it is cast;
    for an adapter also its input after dropout, and for DoRA the product that it scales."""
    queries, keys = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    norms = 2 * shape.hidden * (4 + precision.weight)
    attention = (2 * queries + 2 * queries + keys) * precision.product
    gate = 3 * shape.intermediate * precision.product
    inputs = sum(i for i, _ in shape.linear.values())
    if config.method == "full":
        return norms + attention + gate + inputs * precision.product
    adapted = shape.adapted(config)
    dropout = 1 if config.lora.dropout else 0
    kept = sum(i for i, _ in adapted) * (precision.product + dropout)
    if config.method == "dora":
        kept += sum(o for _, o in adapted) * 2 * precision.product
    return norms + attention + gate + kept


def _logits(shape: ModelShape, tokens: int, *, head_is_trained: bool) -> int:
    tile = min(tokens, _HEAD_TOKENS) * min(shape.vocabulary, _HEAD_WORDS) * 4 * 3
    hidden = tokens * shape.hidden * 4 * 2
    return tile + hidden + (shape.vocabulary * shape.hidden * 4 if head_is_trained else 0)


def check_fits(
    shape: ModelShape, config: TrainingConfig, precision: Precision, *, free: int, device: str
) -> None:
    """Raises ConfigurationError when the training needs more than ``free`` bytes, with what would fit."""
    needed = memory_estimate(shape, config, precision).total
    if config.check_memory and needed > free:
        raise ConfigurationError(
            f"the training needs {needed / GB:.3g} GB, this {device} has {free / GB:.3g} GB free:"
            f" {_way_out(shape, config, precision, free)}"
        )


def _way_out(shape: ModelShape, config: TrainingConfig, precision: Precision, free: int) -> str:
    """The first of some changes, in the order of what they cost, with which the training fits."""
    checkpointing: dict[str, Any] = {"activation_checkpointing": True}
    small = {
        "batch_size": 1,
        "gradient_accumulation": config.batch_size * config.gradient_accumulation,
    }
    methods: list[dict[str, Any]] = [{"method": "qlora"}]
    if config.method == "full":
        methods.insert(0, {"method": "lora"})
    tight = {**checkpointing, **small}
    changes = [checkpointing, small, tight, *methods, *({**m, **tight} for m in methods)]
    changes.append({"method": "qlora", **tight, "max_length": min(512, config.max_length)})
    for change in changes:
        dpo = config.dpo and config.dpo.model_copy(
            update={k: v for k, v in change.items() if k in type(config.dpo).model_fields}
        )
        other = config.model_copy(update={**change, "dpo": dpo})
        own = replace(
            precision,
            checkpointing=precision.checkpointing or "activation_checkpointing" in change,
            weight=precision.product
            if "method" in change and config.weights == "auto"
            else precision.weight,
        )
        if memory_estimate(shape, other, own).total <= free:
            return "use " + ", ".join(
                f"{name}: {str(value).lower() if isinstance(value, bool) else value}"
                for name, value in change.items()
            )
    return "use a smaller base or a larger machine"
