"""Supervised fine-tuning: a LoRA adapter on a base model, trained on the assistant's words only."""

import json
import math
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import datasets
import torch
from peft import LoraConfig
from pydantic import SecretStr
from transformers import PrinterCallback, TrainerCallback
from trl import SFTConfig, SFTTrainer

from rag_llm_system.domain.datasets import TrainingRow
from rag_llm_system.domain.documents import sha256_of
from rag_llm_system.domain.errors import BackendError, ConfigurationError, DataError
from rag_llm_system.model.finetuning.base_model import LoadedModel, load_base, make_scratch
from rag_llm_system.model.finetuning.chat_template import END_OF_TEXT, serving_template
from rag_llm_system.model.finetuning.config import (
    SCRATCH,
    OnLog,
    Phase,
    PhaseResult,
    TrainingConfig,
    TrainingLog,
    TrainingResult,
)
from rag_llm_system.model.folder import ADAPTER_DIR, BASE_DIR, RECORD_FILE
from rag_llm_system.model.quiet import quiet

_RECORDED_ARGUMENTS = (
    "max_steps", "num_train_epochs", "learning_rate", "lr_scheduler_type", "warmup_steps", "weight_decay",
    "per_device_train_batch_size", "gradient_accumulation_steps", "max_length", "logging_steps", "seed",
    "bf16", "use_cpu", "assistant_only_loss",
)  # fmt: skip
_LIBRARIES = ("torch", "transformers", "trl", "peft", "datasets", "tokenizers")


@dataclass(frozen=True)
class _Device:
    name: Literal["cpu", "cuda"]
    bf16: bool

    @property
    def weights(self) -> torch.dtype:
        """On the processor weights stay in float32, and bfloat16 is used for products only."""
        return torch.bfloat16 if self.bf16 and self.name == "cuda" else torch.float32


def finetune(
    config: TrainingConfig,
    train: Sequence[TrainingRow],
    test: Sequence[TrainingRow],
    *,
    output_dir: Path,
    on_log: OnLog,
    token: SecretStr | None = None,
) -> TrainingResult:
    """Trains and leaves base, adapter and ``training.json`` in ``output_dir``.

    A model that is already there stays until the new one is complete. Rows over ``max_length`` tokens are
    left out and counted, never cut. ``token`` opens gated models.
    """
    _check_output(output_dir)
    device = _device(config)
    with quiet(), _staging(output_dir) as folder:
        phases: list[PhaseResult] = []
        if config.base == SCRATCH:
            base = make_scratch(config.scratch, _texts(train), config.seed)
            phases.append(_train_base(config, base, train, folder, device, on_log))
            base.model.save_pretrained(folder / BASE_DIR)
        else:
            base = load_base(config.base, dtype=device.weights, token=token)
        used, too_long = _fitting(train, base.tokenizer, config.max_length)
        used_test, test_too_long = _fitting(test, base.tokenizer, config.max_length)
        if not used or not used_test:
            raise DataError(
                f"no row left to {'train on' if not used else 'test with'}: of {len(train)} train and {len(test)}"
                f" test rows, {too_long} and {test_too_long} are over max_length {config.max_length} tokens"
            )
        trainer = _adapter_trainer(config, base, (used, used_test), folder, device, on_log)
        phases.append(_run(trainer, "adapter", tested=True))
        _save(trainer, base, folder)
        result = TrainingResult(
            folder=output_dir,
            base=config.base,
            device=device.name,
            dtype="bfloat16" if device.bf16 else "float32",
            parameters=sum(p.numel() for p in trainer.model.parameters()),
            trainable_parameters=sum(
                p.numel() for p in trainer.model.parameters() if p.requires_grad
            ),
            train_rows=len(used),
            test_rows=len(used_test),
            train_rows_too_long=too_long,
            test_rows_too_long=test_too_long,
            phases=tuple(phases),
        )
        _write_record(folder, config, result, trainer, train)
    return result


def _device(config: TrainingConfig) -> _Device:
    if torch.cuda.is_available():
        return _Device("cuda", bf16=config.dtype != "float32" and torch.cuda.is_bf16_supported())
    # older torch cannot say; without the instructions bfloat16 is slower than float32
    capabilities = getattr(torch.cpu, "get_capabilities", dict)()
    has_bf16 = bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
    return _Device("cpu", bf16=config.dtype == "bfloat16" or (config.dtype == "auto" and has_bf16))


def _check_output(output_dir: Path) -> None:
    if output_dir.exists() and not (output_dir / RECORD_FILE).is_file():
        if not output_dir.is_dir() or any(output_dir.iterdir()):
            raise ConfigurationError(
                f"output_dir {output_dir} holds something else than a trained model; name another folder"
            )


@contextmanager
def _staging(output_dir: Path) -> Iterator[Path]:
    """A folder beside ``output_dir`` that takes its place when all went well."""
    folder = output_dir.with_name(f".{output_dir.name}.partial")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
        if output_dir.exists():
            shutil.rmtree(output_dir)
        folder.rename(output_dir)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _texts(rows: Sequence[TrainingRow]) -> list[str]:
    return [message.content for row in rows for message in row.messages]


def _conversation(row: TrainingRow) -> list[dict[str, str]]:
    return [{"role": m.role, "content": m.content} for m in row.messages]


def _fitting(
    rows: Sequence[TrainingRow], tokenizer: Any, max_length: int
) -> tuple[list[TrainingRow], int]:
    """The rows of at most ``max_length`` tokens, and how many are longer."""
    fitting = [
        row
        for row in rows
        if len(tokenizer.apply_chat_template(_conversation(row), return_dict=True)["input_ids"])
        <= max_length
    ]
    return fitting, len(rows) - len(fitting)


def _arguments(config: TrainingConfig, folder: Path, device: _Device, **own: Any) -> SFTConfig:
    """What both trainings share: quiet, local, nothing saved or sent by the library."""
    return SFTConfig(
        output_dir=str(folder / "trainer"),
        logging_steps=config.logging_steps,
        seed=config.seed,
        bf16=device.bf16,
        use_cpu=device.name == "cpu",
        dataloader_pin_memory=device.name == "cuda",
        activation_checkpointing=device.name == "cuda",
        report_to="none",
        push_to_hub=False,
        save_strategy="no",
        disable_tqdm=True,
        **own,
    )


def _train_base(
    config: TrainingConfig,
    base: LoadedModel,
    rows: Sequence[TrainingRow],
    folder: Path,
    device: _Device,
    on_log: OnLog,
) -> PhaseResult:
    """Trains all weights on the plain answers, so that the adapter has something to adapt."""
    scratch = config.scratch
    blocks = _blocks(
        [row.messages[-1].content for row in rows], base.tokenizer, scratch.block_tokens
    )
    trainer = _trainer(
        model=base.model,
        args=_arguments(
            config,
            folder,
            device,
            max_steps=scratch.max_steps,
            learning_rate=scratch.learning_rate,
            lr_scheduler_type="cosine",
            warmup_steps=min(20, scratch.max_steps // 4),
            per_device_train_batch_size=scratch.batch_size,
            max_length=scratch.block_tokens,
        ),
        train_dataset=datasets.Dataset.from_dict({"input_ids": blocks}),
        processing_class=base.tokenizer,
        callbacks=[_Progress("base", on_log)],
    )
    return _run(trainer, "base", tested=False)


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


def _adapter_trainer(
    config: TrainingConfig,
    base: LoadedModel,
    rows: tuple[Sequence[TrainingRow], Sequence[TrainingRow]],
    folder: Path,
    device: _Device,
    on_log: OnLog,
) -> Any:
    train, test = (
        datasets.Dataset.from_list([{"messages": _conversation(row)} for row in part])
        for part in rows
    )
    targets = config.lora.targets
    return _trainer(
        model=base.model,
        args=_arguments(
            config,
            folder,
            device,
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
        train_dataset=train,
        eval_dataset=test,
        processing_class=base.tokenizer,
        peft_config=LoraConfig(
            task_type="CAUSAL_LM",
            r=config.lora.r,
            lora_alpha=config.lora.alpha,
            lora_dropout=config.lora.dropout,
            target_modules=targets if isinstance(targets, str) else list(targets),
        ),
        callbacks=[_Progress("adapter", on_log)],
    )


def _trainer(**arguments: Any) -> Any:
    trainer = SFTTrainer(**arguments)
    trainer.remove_callback(PrinterCallback)
    return trainer


def _run(trainer: Any, phase: Phase, *, tested: bool) -> PhaseResult:
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
    )


def _save(trainer: Any, base: LoadedModel, folder: Path) -> None:
    trainer.model.save_pretrained(folder / ADAPTER_DIR, save_embedding_layers=False)
    base.tokenizer.chat_template = serving_template(base.tokenizer.chat_template)
    base.tokenizer.save_pretrained(folder / ADAPTER_DIR)
    if (folder / BASE_DIR).is_dir():
        base.tokenizer.save_pretrained(folder / BASE_DIR)
    shutil.rmtree(folder / "trainer", ignore_errors=True)


def _write_record(
    folder: Path,
    config: TrainingConfig,
    result: TrainingResult,
    trainer: Any,
    train: Sequence[TrainingRow],
) -> None:
    """``trainer`` and ``adapter`` are read back from the objects that trained, not from the configuration."""
    adapter = trainer.model.peft_config["default"]
    record = {
        **result.model_dump(mode="json", exclude={"folder"}),
        "config": config.model_dump(mode="json"),
        "trainer": {name: getattr(trainer.args, name) for name in _RECORDED_ARGUMENTS},
        "adapter": {
            "r": adapter.r,
            "alpha": adapter.lora_alpha,
            "dropout": adapter.lora_dropout,
            "targets": sorted(adapter.target_modules),
        },
        "train_sha256": sha256_of("\n".join(row.model_dump_json() for row in train)),
        "versions": {library: version(library) for library in _LIBRARIES},
    }
    (folder / RECORD_FILE).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


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
