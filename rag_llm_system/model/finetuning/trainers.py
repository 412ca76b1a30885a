"""The trainings as TRL runs them: made from the settings, gone on with after a kill, and measured."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import EarlyStoppingCallback, PrinterCallback, TrainerCallback, set_seed
from transformers.trainer_callback import ExportableState, TrainerState
from trl import DPOTrainer, SFTTrainer

from rag_llm_system.domain.errors import BackendError
from rag_llm_system.model.finetuning.arguments import (
    Job,
    base_arguments,
    dpo_arguments,
    lora_config,
    sft_arguments,
)
from rag_llm_system.model.finetuning.base_model import LoadedModel
from rag_llm_system.model.finetuning.config import OnLog, Phase, PhaseResult, TrainingLog
from rag_llm_system.model.finetuning.device import PeakMemory
from rag_llm_system.model.finetuning.processes import processes
from rag_llm_system.model.finetuning.throughput import peak_of
from rag_llm_system.model.finetuning.unfinished import read_state, write_whole

_RECORDED = (
    "max_steps", "num_train_epochs", "learning_rate", "lr_scheduler_type", "warmup_steps", "weight_decay",
    "adam_beta1", "adam_beta2", "max_grad_norm", "optim", "per_device_train_batch_size",
    "gradient_accumulation_steps", "max_length", "packing", "activation_checkpointing", "logging_steps", "eval_steps",
    "save_steps", "save_total_limit", "load_best_model_at_end", "seed", "bf16", "use_cpu", "beta",
    "precompute_ref_log_probs",
)  # fmt: skip
_OUT_OF_MEMORY = ("can't allocate memory", "not enough memory", "out of memory")
"""What torch says on a processor, in a plain RuntimeError."""


def base_trainer(job: Job, base: LoadedModel, train: Dataset) -> Any:
    return _quiet(
        SFTTrainer(
            model=base.model,
            args=base_arguments(job),
            train_dataset=train,
            processing_class=base.tokenizer,
            callbacks=_callbacks(job, "base"),
        )
    )


def sft_trainer(job: Job, base: LoadedModel, train: Dataset, test: Dataset) -> Any:
    """Not run yet: what it trains with is read back from it for the record."""
    return _quiet(
        SFTTrainer(
            model=base.model,
            args=sft_arguments(job, len(train)),
            train_dataset=train,
            eval_dataset=test,
            processing_class=base.tokenizer,
            peft_config=None if job.config.method == "full" else lora_config(job.config),
            callbacks=_callbacks(job, "sft"),
        )
    )


def dpo_trainer(job: Job, trained: LoadedModel, train: Dataset, test: Dataset) -> Any:
    """``trained`` is what the supervised training left: with its adapter open for training, or all weights.

    Of the adapter TRL keeps a frozen copy, the reference; without one it computes the reference now.
    """
    return _quiet(
        DPOTrainer(
            model=trained.model,
            args=dpo_arguments(job, len(train)),
            train_dataset=train,
            eval_dataset=test,
            processing_class=trained.tokenizer,
            callbacks=_callbacks(job, "dpo"),
        )
    )


def _callbacks(job: Job, phase: Phase) -> list[Any]:
    own: list[Any] = [_Progress(phase, job.on_log), _Clock()]
    if phase != "base" and job.config.early_stopping:
        own.append(EarlyStoppingCallback(job.config.early_stopping))
    return own


def _quiet(trainer: Any) -> Any:
    trainer.remove_callback(PrinterCallback)
    return trainer


def run(trainer: Any, phase: Phase, job: Job, *, flops_per_token: float) -> PhaseResult:
    """Trains from the newest checkpoint of the phase, or from the start; the model of ``trainer`` is the best or last.

    Raises BackendError when the memory does not suffice, or the loss is no longer a number.
    """
    checkpoint = job.place.newest_checkpoint(phase)
    memory = PeakMemory(job.device)
    with _explained(trainer, phase, job):
        before = _loss_before(trainer, phase, job)
        set_seed(job.config.seed)  # with or without the evaluation before, and after any phase
        _train(trainer, checkpoint)
        _check_losses(trainer, phase, job)
        peak_memory = memory.bytes()
        after = trainer.evaluate()["eval_loss"] if before is not None else None
    state = trainer.state
    seconds = next(c for c in trainer.callback_handler.callbacks if isinstance(c, _Clock)).seconds
    tokens = int(state.num_input_tokens_seen)
    per_second = tokens / seconds if seconds else 0.0
    peak = peak_of(job.device.name, bf16=job.device.bf16)
    between = {e["step"]: e["eval_loss"] for e in state.log_history if "eval_loss" in e}
    best = Path(state.best_model_checkpoint).name if state.best_model_checkpoint else None
    return PhaseResult(
        phase=phase,
        steps=state.global_step,
        tokens=tokens,
        seconds=seconds,
        losses=tuple((e["step"], e["loss"]) for e in state.log_history if "loss" in e),
        test_losses=tuple(sorted(({} if before is None else {0: before} | between).items())),
        test_loss_before=before,
        test_loss_after=after,
        tokens_per_s=per_second,
        flop_utilisation=flops_per_token
        * per_second
        / (peak.flops_per_s * processes().num_processes),
        peak_flops_per_s=peak.flops_per_s,
        peak_is_measured=peak.measured,
        peak_memory_bytes=peak_memory,
        stopped_early=state.global_step < state.max_steps,
        best_step=int(best.rpartition("-")[2]) if best else None,
        resumed_from=int(checkpoint.name.rpartition("-")[2]) if checkpoint else None,
        arguments={
            name: _plain(getattr(trainer.args, name))
            for name in _RECORDED
            if hasattr(trainer.args, name)
        },
    )


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _loss_before(trainer: Any, phase: Phase, job: Job) -> float | None:
    """Of the untrained model on the test set; kept, so that a run that goes on need not compute it again."""
    if trainer.eval_dataset is None:
        return None
    path = job.place.checkpoints(phase) / "loss_before"
    if not path.is_file():
        loss = trainer.evaluate()["eval_loss"]
        if processes().is_main_process:
            write_whole(path, repr(loss))
        return float(loss)
    return float(path.read_text(encoding="ascii"))


def _train(trainer: Any, checkpoint: Path | None) -> None:
    if checkpoint is None or not _is_complete(checkpoint):
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        return
    # killed after the last step; the library would take more of them
    trainer.state = TrainerState.load_from_json(str(checkpoint / "trainer_state.json"))
    best = trainer.state.best_model_checkpoint if trainer.args.load_best_model_at_end else None
    trainer._load_from_checkpoint(best or str(checkpoint))
    for callback in trainer.callback_handler.callbacks:
        if isinstance(callback, _Clock):
            callback.seconds = trainer.state.stateful_callbacks["_Clock"]["args"]["seconds"]


def _is_complete(checkpoint: Path) -> bool:
    state = read_state(checkpoint) or {}
    stop = state.get("stateful_callbacks", {}).get("EarlyStoppingCallback")
    patience = stop and stop["args"]["early_stopping_patience"]
    return bool(
        state["global_step"] >= state["max_steps"]
        or (stop and stop["attributes"]["early_stopping_patience_counter"] >= patience)
    )


@contextmanager
def _explained(trainer: Any, phase: Phase, job: Job) -> Iterator[None]:
    """A lack of memory as one line."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        plain = isinstance(error, torch.OutOfMemoryError | MemoryError)
        if not plain and not any(words in str(error).lower() for words in _OUT_OF_MEMORY):
            raise
        kept = job.place.newest_checkpoint(phase)
        step = int(kept.name.rpartition("-")[2]) if kept else 0
        raise BackendError(
            f"out of memory in step {trainer.state.global_step + 1} of the {phase} training: lower batch_size and"
            " raise gradient_accumulation by as much, or set activation_checkpointing: true; the next run goes on"
            f" after step {step}"
        ) from error


def _check_losses(trainer: Any, phase: Phase, job: Job) -> None:
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    if not all(math.isfinite(loss) for loss in losses):
        job.place.discard()
        raise BackendError(
            f"the {phase} training diverged (loss is not a number): lower learning_rate"
        )


class _Progress(TrainerCallback):  # type: ignore[misc] # the library's base class has no types
    """Hands the trainer's logs on, and ends a training whose loss is no longer a number."""

    def __init__(self, phase: Phase, on_log: OnLog) -> None:
        self._phase: Phase = phase
        self._on_log = on_log

    def on_log(self, _args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        values = {k: float(v) for k, v in (logs or {}).items() if isinstance(v, int | float)}
        if not math.isfinite(values.get("loss", 0.0)):
            control.should_training_stop = True
        if state.is_world_process_zero:
            self._on_log(
                TrainingLog(
                    phase=self._phase,
                    step=state.global_step,
                    total_steps=state.max_steps,
                    values=values,
                )
            )


class _Clock(TrainerCallback, ExportableState):  # type: ignore[misc] # as above
    """Counts the seconds of the steps, without evaluations and checkpoints; a checkpoint keeps the count."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self._since: float | None = None

    def state(self) -> dict[str, Any]:
        return {"args": {"seconds": self.seconds}, "attributes": {}}

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        self._since = self._since or time.monotonic()

    def on_step_end(self, *_: Any, **__: Any) -> None:
        now = time.monotonic()
        self.seconds += now - (self._since or now)
        self._since = now

    def on_evaluate(self, *_: Any, **__: Any) -> None:
        self._since = None

    on_save = on_evaluate
