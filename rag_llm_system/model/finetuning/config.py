"""What a fine-tuning run does, what it reports on the way and what it leaves. Imports no torch."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from rag_llm_system.domain.documents import Value

SCRATCH = "scratch"
"""The ``base`` that is made on the spot instead of loaded."""

Method = Literal["lora", "qlora", "dora", "full"]
Phase = Literal["base", "sft", "dpo"]
Schedule = Literal["cosine", "linear", "constant_with_warmup", "warmup_stable_decay"]
DpoLoss = Literal["sigmoid", "hinge", "ipo", "sppo_hard", "apo_zero", "apo_down", "sigmoid_norm"]


class ScratchSettings(Value):
    """Shape and first training of the small model; the default shape has 3.1 million parameters.

    ``initialisation`` random: weights by chance, and blocks of ``block_tokens`` of the plain answers to begin with.
    structured: the first two layers can copy from the context, and the conversations of the training set to begin
    with, in each of which the rare words are replaced by others.
    Many small steps: over a similar number of tokens of the same text, 400 steps of 4 blocks of 128 tokens came to
    a test loss of 4.4, 100 steps of 8 blocks of 256 tokens to 5.0 (learning rates differed too).
    """

    initialisation: Literal["random", "structured"] = "random"
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
    schedule: Literal["cosine", "linear", "constant_with_warmup"] = "cosine"

    @model_validator(mode="after")
    def _heads_divide(self) -> Self:
        if self.hidden_size % (2 * self.heads) or self.heads % self.kv_heads:
            raise ValueError(
                "heads must divide hidden_size into even parts, and kv_heads must divide heads"
            )
        return self


class LoraSettings(Value):
    """The adapter of lora, qlora and dora; ``targets`` names layers, or is "all-linear".

    ``rslora`` (rank-stabilised) scales by alpha / sqrt(r) instead of alpha / r, which suits large r.
    """

    r: int = Field(16, ge=1)
    alpha: int = Field(32, ge=1)
    dropout: float = Field(0.05, ge=0, lt=1)
    targets: Literal["all-linear"] | tuple[str, ...] = "all-linear"
    rslora: bool = False


class DpoSettings(Value):
    """The second training, on preferences: of two answers the chosen one becomes likelier than the rejected one.

    Exactly one of ``max_steps`` and ``epochs``. A pair is longer than ``max_length`` when its longer answer is.
    What the supervised training left is the reference. With an adapter it is a frozen copy of that adapter; with
    method full its log-probabilities are always computed beforehand (``precompute_reference``), so that there is
    never a second model in memory.
    """

    beta: float = Field(0.1, gt=0)
    loss_type: DpoLoss = "sigmoid"
    max_steps: int | None = Field(None, ge=1)
    epochs: float | None = Field(None, gt=0)
    learning_rate: float = Field(5e-6, gt=0)
    batch_size: int = Field(4, ge=1)
    gradient_accumulation: int = Field(1, ge=1)
    max_length: int = Field(1024, ge=16)
    precompute_reference: bool = False

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        _check_length(self.max_steps, self.epochs)
        return self


class TrainingConfig(Value):
    """Parameters of one fine-tuning. ``base`` is "scratch", a Hugging Face id or a folder with a Llama 3 model.

    Exactly one of ``max_steps`` and ``epochs``. ``warmup_steps`` below 1 is a share of all steps; ``decay_share`` is
    that of the last steps in which warmup_stable_decay lowers the learning rate. ``dtype`` is that of the products,
    auto: bfloat16 where the device has it; ``weights`` that of the weights, auto: float32 on the processor and where
    all of them are trained, else as ``dtype``. ``attention`` auto: FlashAttention 2 on a GPU where it is installed,
    else sdpa. ``activation_checkpointing`` (compute activations twice, keep few) auto: on a GPU.
    ``early_stopping`` evaluations without a lower loss end a training; then, as at its end, the best one is taken.
    """

    base: str = Field(min_length=1)
    method: Method = "lora"
    max_steps: int | None = Field(None, ge=1)
    epochs: float | None = Field(None, gt=0)
    learning_rate: float = Field(2e-4, gt=0)
    schedule: Schedule = "cosine"
    decay_share: float = Field(0.2, gt=0, le=1)
    warmup_steps: float = Field(10, ge=0)
    weight_decay: float = Field(0.0, ge=0)
    betas: tuple[float, float] = (0.9, 0.999)
    max_grad_norm: float = Field(1.0, gt=0)
    optimizer: Literal["adamw", "adamw_8bit", "paged_adamw_8bit", "adafactor"] = "adamw"
    batch_size: int = Field(8, ge=1)
    gradient_accumulation: int = Field(1, ge=1)
    max_length: int = Field(512, ge=16)
    packing: bool = False
    attention: Literal["auto", "eager", "sdpa", "flash_attention_2", "flash_attention_3"] = "auto"
    activation_checkpointing: bool | Literal["auto"] = "auto"
    logging_steps: int = Field(10, ge=1)
    eval_steps: int | None = Field(None, ge=1)
    early_stopping: int | None = Field(None, ge=1)
    checkpoint_steps: int | None = Field(100, ge=1)
    keep_checkpoints: int = Field(2, ge=1)
    seed: int = Field(42, ge=0)
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    weights: Literal["auto", "float32", "bfloat16"] = "auto"
    check_memory: bool = True
    lora: LoraSettings = LoraSettings()
    scratch: ScratchSettings = ScratchSettings()
    dpo: DpoSettings | None = None

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        _check_length(self.max_steps, self.epochs)
        return self

    @model_validator(mode="after")
    def _can_stop_early(self) -> Self:
        if self.early_stopping is None:
            return self
        if self.eval_steps is None or self.checkpoint_steps != self.eval_steps:
            raise ValueError(
                "early_stopping needs eval_steps, and checkpoint_steps of that number, so that the best can be taken"
            )
        return self


def _check_length(max_steps: int | None, epochs: float | None) -> None:
    if (max_steps is None) == (epochs is None):
        raise ValueError("give max_steps or epochs, one of the two")


class TrainingLog(Value):
    """Progress: ``values`` are the trainer's own, such as loss, eval_loss and learning_rate; ``note`` is for people."""

    phase: Phase
    step: int
    total_steps: int
    values: Mapping[str, float] = Field(default_factory=dict)
    note: str = ""


OnLog = Callable[[TrainingLog], None]


class MemoryEstimate(Value):
    """Bytes that a training needs on its device at its largest moment; see :mod:`~.memory` for the arithmetic."""

    weights: int
    gradients: int
    optimizer: int
    activations: int
    logits: int

    @property
    def total(self) -> int:
        return self.weights + self.gradients + self.optimizer + self.activations + self.logits


class PhaseResult(Value):
    """One training; ``losses`` and ``test_losses`` are (step, loss) as logged, ``tokens`` counts what was seen,
    padding aside; of a preference, both answers.

    Rows in are ``rows`` plus ``rows_too_long``. ``seconds`` are those of the training steps, over all runs that
    went on from one another.
    ``flop_utilisation`` is the share of ``peak_flops_per_s`` (of the devices' data sheet or, where
    ``peak_is_measured``, of a large product of matrices) that the model's own operations used.
    ``arguments`` are what the trainer had in the end, not what it was asked for.
    """

    phase: Phase
    rows: int = 0
    rows_too_long: int = 0
    test_rows: int = 0
    test_rows_too_long: int = 0
    parameters: int = 0
    trainable_parameters: int = 0
    steps: int
    tokens: int
    seconds: float
    losses: tuple[tuple[int, float], ...]
    test_losses: tuple[tuple[int, float], ...] = ()
    test_loss_before: float | None = None
    test_loss_after: float | None = None
    tokens_per_s: float = 0.0
    flop_utilisation: float | None = None
    peak_flops_per_s: float | None = None
    peak_is_measured: bool = False
    peak_memory_bytes: int | None = None
    stopped_early: bool = False
    best_step: int | None = None
    resumed_from: int | None = None
    arguments: Mapping[str, str | int | float | bool | None]


class TrainingResult(Value):
    """What a run left in ``folder``. Rows and parameters are those of the supervised training, ``phases`` has all."""

    folder: Path
    base: str
    method: Method
    device: str
    processes: int = 1
    dtype: Literal["float32", "bfloat16"]
    parameters: int
    trainable_parameters: int
    train_rows: int
    test_rows: int
    train_rows_too_long: int
    test_rows_too_long: int
    memory_estimate: MemoryEstimate
    dataset_sha256: str
    versions: Mapping[str, str] = Field(default_factory=dict)
    phases: tuple[PhaseResult, ...]
