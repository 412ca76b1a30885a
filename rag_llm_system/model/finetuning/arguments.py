"""The settings of a fine-tuning as those of the libraries: every value of ours reaches theirs here."""

import importlib.util
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peft import LoraConfig
from pydantic import SecretStr
from trl import DPOConfig, SFTConfig

from rag_llm_system.domain.errors import MissingExtra
from rag_llm_system.model.finetuning.config import OnLog, TrainingConfig
from rag_llm_system.model.finetuning.device import Device
from rag_llm_system.model.finetuning.memory import ModelShape
from rag_llm_system.model.finetuning.processes import processes
from rag_llm_system.model.finetuning.unfinished import Unfinished

_OPTIMIZERS = {
    "adamw": "adamw_torch_fused",
    "adamw_8bit": "adamw_8bit",
    "paged_adamw_8bit": "paged_adamw_8bit",
    "adafactor": "adafactor",
}
_BASE_WARMUP = 20


@dataclass(frozen=True)
class Job:
    """What the phases of a run share."""

    config: TrainingConfig
    device: Device
    shape: ModelShape
    attention: str
    place: Unfinished
    on_log: OnLog
    token: SecretStr | None = None


def base_arguments(job: Job) -> SFTConfig:
    """Of the first training of a base from scratch: all weights, no test set."""
    scratch = job.config.scratch
    return SFTConfig(
        **_shared(job, job.place.checkpoints("base"), evaluated=False),
        max_steps=scratch.max_steps,
        learning_rate=scratch.learning_rate,
        lr_scheduler_type=scratch.schedule,
        warmup_steps=min(_BASE_WARMUP, scratch.max_steps // 4),
        per_device_train_batch_size=scratch.batch_size,
        max_length=scratch.block_tokens
        if scratch.initialisation == "random"
        else job.config.max_length,
        dataset_kwargs={"skip_prepare_dataset": True},
        train_sampling_strategy="random"
        if scratch.initialisation == "random"
        else "group_by_length",
    )


def sft_arguments(job: Job, rows: int) -> SFTConfig:
    """``rows``: their number decides how many steps an epoch has."""
    config = job.config
    return SFTConfig(
        **_shared(job, job.place.checkpoints("sft"), evaluated=True),
        **_schedule(config, config.learning_rate, _steps(config, rows)),
        max_steps=config.max_steps or -1,
        num_train_epochs=config.epochs or 1.0,
        per_device_train_batch_size=config.batch_size,
        per_device_eval_batch_size=config.batch_size,
        gradient_accumulation_steps=config.gradient_accumulation,
        max_length=config.max_length,
        packing=config.packing,
        eval_packing=False,
        dataset_kwargs={
            "skip_prepare_dataset": True
        },  # rows come as tokens, packed if they are to be
        # measured: a third less time than with mixed lengths
        train_sampling_strategy="random" if config.packing else "group_by_length",
    )


def dpo_arguments(job: Job, rows: int) -> DPOConfig:
    config = job.config
    dpo = config.dpo
    if dpo is None:
        raise ValueError("no dpo in the configuration")
    return DPOConfig(
        **_shared(job, job.place.checkpoints("dpo"), evaluated=True),
        **_schedule(config, dpo.learning_rate, _steps(dpo, rows)),
        max_steps=dpo.max_steps or -1,
        num_train_epochs=dpo.epochs or 1.0,
        per_device_train_batch_size=dpo.batch_size,
        per_device_eval_batch_size=dpo.batch_size,
        gradient_accumulation_steps=dpo.gradient_accumulation,
        max_length=dpo.max_length,
        beta=dpo.beta,
        loss_type=[dpo.loss_type],
        precompute_ref_log_probs=dpo.precompute_reference or config.method == "full",
    )


def lora_config(config: TrainingConfig) -> LoraConfig:
    targets = config.lora.targets
    return LoraConfig(
        task_type="CAUSAL_LM",
        r=config.lora.r,
        lora_alpha=config.lora.alpha,
        lora_dropout=config.lora.dropout,
        use_rslora=config.lora.rslora,
        use_dora=config.method == "dora",
        target_modules=targets if isinstance(targets, str) else list(targets),
    )


def _shared(job: Job, folder: Path, *, evaluated: bool) -> dict[str, Any]:
    """Quiet, local, nothing sent by the library; a run that is resumed finds everything as it was."""
    config = job.config
    if "8bit" in config.optimizer and importlib.util.find_spec("bitsandbytes") is None:
        raise MissingExtra(config.optimizer, extra="qlora")
    in_between = evaluated and config.eval_steps is not None
    stops = in_between and config.early_stopping is not None
    return {
        "output_dir": str(folder),
        "seed": config.seed,
        "bf16": job.device.bf16,
        "use_cpu": job.device.name == "cpu",
        "dataloader_pin_memory": job.device.name == "cuda",
        "activation_checkpointing": job.device.checkpointing(config),
        "optim": _OPTIMIZERS[config.optimizer],
        "adam_beta1": config.betas[0],
        "adam_beta2": config.betas[1],
        "weight_decay": config.weight_decay,
        "max_grad_norm": config.max_grad_norm,
        "logging_steps": config.logging_steps,
        "logging_nan_inf_filter": False,
        "eval_strategy": "steps" if in_between else "no",
        "eval_steps": config.eval_steps if in_between else None,
        "save_strategy": "steps" if config.checkpoint_steps else "no",
        "save_steps": config.checkpoint_steps or 500,
        "save_total_limit": config.keep_checkpoints,
        "load_best_model_at_end": stops,
        "metric_for_best_model": "eval_loss" if stops else None,
        "greater_is_better": False if stops else None,
        "restore_callback_states_from_checkpoint": True,
        "include_num_input_tokens_seen": "non_padding",
        "ddp_find_unused_parameters": False,
        "report_to": "none",
        "push_to_hub": False,
        "disable_tqdm": True,
    }


def _schedule(config: TrainingConfig, learning_rate: float, steps: Any) -> Mapping[str, Any]:
    decay = {"num_decay_steps": max(1, round(steps * config.decay_share)), "min_lr_ratio": 0.0}
    return {
        "learning_rate": learning_rate,
        "lr_scheduler_type": config.schedule,
        "lr_scheduler_kwargs": decay if config.schedule == "warmup_stable_decay" else None,
        "warmup_steps": config.warmup_steps,
    }


def _steps(length: Any, rows: int) -> int:
    """All steps of a training; ``length`` is what says how long it is."""
    if length.max_steps:
        return int(length.max_steps)
    batches = math.ceil(rows / (length.batch_size * processes().num_processes))
    epochs: float = length.epochs
    steps: int = math.ceil(epochs * math.ceil(batches / length.gradient_accumulation))
    return steps
