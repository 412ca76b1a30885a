"""What a fine-tuning run does, what it reports on the way and what it leaves. Imports no torch."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from rag_llm_system.domain.documents import Value

SCRATCH = "scratch"
"""The ``base`` that is made on the spot instead of loaded."""


class ScratchSettings(Value):
    """Shape and first training of the small model; the default shape has 3.1 million parameters.

    Many small steps: over a similar number of tokens of the same text, 400 steps of 4 blocks of 128 tokens came to
    a test loss of 4.4, 100 steps of 8 blocks of 256 tokens to 5.0 (learning rates differed too).
    """

    vocab_size: int = Field(1024, ge=300)  # 256 bytes and the special tokens come first
    hidden_size: int = Field(256, ge=16)
    layers: int = Field(4, ge=1)
    heads: int = Field(4, ge=1)
    kv_heads: int = Field(2, ge=1)
    max_positions: int = Field(8192, ge=64)
    max_steps: int = Field(400, ge=1)
    batch_size: int = Field(4, ge=1)
    block_tokens: int = Field(128, ge=16)
    learning_rate: float = Field(2e-3, gt=0)

    @model_validator(mode="after")
    def _heads_divide(self) -> Self:
        if self.hidden_size % (2 * self.heads) or self.heads % self.kv_heads:
            raise ValueError(
                "heads must divide hidden_size into even parts, and kv_heads must divide heads"
            )
        return self


class LoraSettings(Value):
    """The adapter; ``targets`` names layers, or is "all-linear"."""

    r: int = Field(16, ge=1)
    alpha: int = Field(32, ge=1)
    dropout: float = Field(0.05, ge=0, lt=1)
    targets: Literal["all-linear"] | tuple[str, ...] = "all-linear"


class TrainingConfig(Value):
    """Parameters of one fine-tuning. ``base`` is "scratch", a Hugging Face id or a folder with a Llama 3 model.

    Exactly one of ``max_steps`` and ``epochs`` is given. ``dtype`` auto: bfloat16 where the device has it.
    """

    base: str = Field(min_length=1)
    max_steps: int | None = Field(None, ge=1)
    epochs: float | None = Field(None, gt=0)
    learning_rate: float = Field(2e-4, gt=0)
    schedule: Literal["cosine", "linear", "constant_with_warmup"] = "cosine"
    warmup_steps: int = Field(10, ge=0)
    weight_decay: float = Field(0.0, ge=0)
    batch_size: int = Field(8, ge=1)
    gradient_accumulation: int = Field(1, ge=1)
    max_length: int = Field(512, ge=16)
    logging_steps: int = Field(10, ge=1)
    seed: int = Field(42, ge=0)
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    lora: LoraSettings = LoraSettings()
    scratch: ScratchSettings = ScratchSettings()

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        if (self.max_steps is None) == (self.epochs is None):
            raise ValueError("give max_steps or epochs, one of the two")
        return self


Phase = Literal["base", "adapter"]


class TrainingLog(Value):
    """Progress: ``values`` are the trainer's own, such as loss, eval_loss and learning_rate."""

    phase: Phase
    step: int
    total_steps: int
    values: Mapping[str, float]


OnLog = Callable[[TrainingLog], None]


class PhaseResult(Value):
    """One training; ``losses`` are (step, loss) as logged, ``tokens`` counts what was seen, padding aside.

    ``arguments`` are what the trainer had in the end, not what it was asked for.
    """

    phase: Phase
    steps: int
    tokens: int
    seconds: float
    losses: tuple[tuple[int, float], ...]
    test_loss_before: float | None = None
    test_loss_after: float | None = None
    arguments: Mapping[str, str | int | float | bool | None]


class TrainingResult(Value):
    """What a run left in ``folder``; rows in are rows used plus rows too long for ``max_length``."""

    folder: Path
    base: str
    device: str
    dtype: Literal["float32", "bfloat16"]
    parameters: int
    trainable_parameters: int
    train_rows: int
    test_rows: int
    train_rows_too_long: int
    test_rows_too_long: int
    phases: tuple[PhaseResult, ...]
