"""The two trainings, as TRL runs them: the small base on plain text, the adapter on conversations."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import datasets
import torch
from peft import LoraConfig
from transformers import PrinterCallback, TrainerCallback
from trl import SFTConfig, SFTTrainer

from rag_llm_system.domain.datasets import TrainingRow
from rag_llm_system.domain.errors import BackendError, DataError
from rag_llm_system.model.finetuning.base_model import LoadedModel
from rag_llm_system.model.finetuning.chat_template import END_OF_TEXT
from rag_llm_system.model.finetuning.config import (
    OnLog,
    Phase,
    PhaseResult,
    TrainingConfig,
    TrainingLog,
)

_RECORDED_ARGUMENTS = (
    "max_steps", "num_train_epochs", "learning_rate", "lr_scheduler_type", "warmup_steps", "weight_decay",
    "per_device_train_batch_size", "gradient_accumulation_steps", "max_length", "logging_steps", "seed",
    "bf16", "use_cpu", "assistant_only_loss",
)  # fmt: skip


@dataclass(frozen=True)
class Device:
    name: Literal["cpu", "cuda"]
    bf16: bool

    @property
    def weights(self) -> torch.dtype:
        """On the processor weights stay in float32, and bfloat16 is used for products only."""
        return torch.bfloat16 if self.bf16 and self.name == "cuda" else torch.float32


def device_for(config: TrainingConfig) -> Device:
    if torch.cuda.is_available():
        return Device("cuda", bf16=config.dtype != "float32" and torch.cuda.is_bf16_supported())
    # older torch cannot say; without the instructions bfloat16 is slower than float32
    capabilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    has_bf16 = bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
    return Device("cpu", bf16=config.dtype == "bfloat16" or (config.dtype == "auto" and has_bf16))


@dataclass(frozen=True)
class Run:
    """What both trainings of a run share; ``folder`` is for what the library writes."""

    config: TrainingConfig
    device: Device
    folder: Path
    on_log: OnLog


def conversation(row: TrainingRow) -> list[dict[str, str]]:
    """The messages as the libraries take them."""
    return [{"role": m.role, "content": m.content} for m in row.messages]


def _arguments(of: Run, **own: Any) -> SFTConfig:
    """What both trainings share: quiet, local, nothing saved or sent by the library."""
    return SFTConfig(
        output_dir=str(of.folder),
        logging_steps=of.config.logging_steps,
        seed=of.config.seed,
        bf16=of.device.bf16,
        use_cpu=of.device.name == "cpu",
        dataloader_pin_memory=of.device.name == "cuda",
        activation_checkpointing=of.device.name == "cuda",
        report_to="none",
        push_to_hub=False,
        save_strategy="no",
        disable_tqdm=True,
        **own,
    )


def train_base(of: Run, base: LoadedModel, rows: Sequence[TrainingRow]) -> PhaseResult:
    """Trains all weights on the plain answers, so that the adapter has something to adapt."""
    scratch = of.config.scratch
    blocks = _blocks(
        [row.messages[-1].content for row in rows], base.tokenizer, scratch.block_tokens
    )
    trainer = _trainer(
        model=base.model,
        args=_arguments(
            of,
            max_steps=scratch.max_steps,
            learning_rate=scratch.learning_rate,
            lr_scheduler_type="cosine",
            warmup_steps=min(20, scratch.max_steps // 4),
            per_device_train_batch_size=scratch.batch_size,
            max_length=scratch.block_tokens,
        ),
        train_dataset=datasets.Dataset.from_dict({"input_ids": blocks}),
        processing_class=base.tokenizer,
        callbacks=[_Progress("base", of.on_log)],
    )
    return run(trainer, "base", tested=False)


def _blocks(texts: Sequence[str], tokenizer: Any, size: int) -> list[list[int]]:
    """The texts one after another, in blocks of ``size`` tokens; a last, shorter block is left out."""
    begin, end = tokenizer.bos_token_id, tokenizer.convert_tokens_to_ids(END_OF_TEXT)
    ids = list(
        chain.from_iterable(
            [begin, *tokenizer(text, add_special_tokens=False)["input_ids"], end] for text in texts
        )
    )
    blocks = [ids[at : at + size] for at in range(0, len(ids) - size + 1, size)]
    if not blocks:
        raise DataError(
            f"the training texts have {len(ids)} tokens, less than one block of {size}: more rows are needed"
            " to make a base from scratch"
        )
    return blocks


def adapter_trainer(
    of: Run, base: LoadedModel, train: Sequence[TrainingRow], test: Sequence[TrainingRow]
) -> Any:
    """Not run yet: what it trained with is read back from it for the record."""
    config = of.config
    targets = config.lora.targets
    return _trainer(
        model=base.model,
        args=_arguments(
            of,
            max_steps=config.max_steps or -1,
            num_train_epochs=config.epochs or 1.0,
            learning_rate=config.learning_rate,
            lr_scheduler_type=config.schedule,
            warmup_steps=config.warmup_steps,
            weight_decay=config.weight_decay,
            per_device_train_batch_size=config.batch_size,
            per_device_eval_batch_size=config.batch_size,
            gradient_accumulation_steps=config.gradient_accumulation,
            max_length=config.max_length,
            assistant_only_loss=True,
            train_sampling_strategy="group_by_length",  # measured: a third less time than with mixed lengths
        ),
        train_dataset=_dataset(train),
        eval_dataset=_dataset(test),
        processing_class=base.tokenizer,
        peft_config=LoraConfig(
            task_type="CAUSAL_LM",
            r=config.lora.r,
            lora_alpha=config.lora.alpha,
            lora_dropout=config.lora.dropout,
            target_modules=targets if isinstance(targets, str) else list(targets),
        ),
        callbacks=[_Progress("adapter", of.on_log)],
    )


def _dataset(rows: Sequence[TrainingRow]) -> Any:
    return datasets.Dataset.from_list([{"messages": conversation(row)} for row in rows])


def _trainer(**arguments: Any) -> Any:
    trainer = SFTTrainer(**arguments)
    trainer.remove_callback(PrinterCallback)
    return trainer


def run(trainer: Any, phase: Phase, *, tested: bool) -> PhaseResult:
    try:
        before = trainer.evaluate()["eval_loss"] if tested else None
        started = time.monotonic()
        trainer.train()
        seconds = time.monotonic() - started
        after = trainer.evaluate()["eval_loss"] if tested else None
    except torch.OutOfMemoryError as error:
        raise BackendError(
            "the GPU's memory is too small for this training: lower batch_size or max_length"
        ) from error
    history = trainer.state.log_history
    losses = tuple((entry["step"], entry["loss"]) for entry in history if "loss" in entry)
    if not all(math.isfinite(loss) for _, loss in losses):
        raise BackendError(
            f"the {phase} training diverged (loss is not a number): lower learning_rate"
        )
    return PhaseResult(
        phase=phase,
        steps=trainer.state.global_step,
        tokens=int(
            max((entry["num_tokens"] for entry in history if "num_tokens" in entry), default=0)
        ),
        seconds=seconds,
        losses=losses,
        test_loss_before=before,
        test_loss_after=after,
        arguments={name: getattr(trainer.args, name) for name in _RECORDED_ARGUMENTS},
    )


class _Progress(TrainerCallback):  # type: ignore[misc] # the library's base class has no types
    """Hands the trainer's logs on."""

    def __init__(self, phase: Phase, on_log: OnLog) -> None:
        self._phase: Phase = phase
        self._on_log = on_log

    def on_log(self, _args: Any, state: Any, _control: Any, logs: Any = None, **_: Any) -> None:
        self._on_log(
            TrainingLog(
                phase=self._phase,
                step=state.global_step,
                total_steps=state.max_steps,
                values={k: float(v) for k, v in (logs or {}).items() if isinstance(v, int | float)},
            )
        )
