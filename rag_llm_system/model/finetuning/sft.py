"""Supervised fine-tuning: a LoRA adapter on a base model, trained on the assistant's words only."""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from rag_llm_system.domain.datasets import TrainingRow
from rag_llm_system.domain.documents import sha256_of
from rag_llm_system.domain.errors import ConfigurationError, DataError
from rag_llm_system.model.finetuning.base_model import LoadedModel, load_base, make_scratch
from rag_llm_system.model.finetuning.chat_template import serving_template
from rag_llm_system.model.finetuning.config import (
    SCRATCH,
    OnLog,
    PhaseResult,
    TrainingConfig,
    TrainingResult,
)
from rag_llm_system.model.finetuning.trainers import (
    Run,
    adapter_trainer,
    conversation,
    device_for,
    run,
    train_base,
)
from rag_llm_system.model.folder import ADAPTER_DIR, BASE_DIR, RECORD_FILE
from rag_llm_system.model.quiet import quiet

_LIBRARIES = ("torch", "transformers", "trl", "peft", "datasets", "tokenizers")


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
    device = device_for(config)
    with quiet(), _staging(output_dir) as folder:
        setup = Run(config=config, device=device, folder=folder / "trainer", on_log=on_log)
        base, phases = _base(setup, train, folder, token)
        used, test_used = (_fitting(rows, base.tokenizer, config) for rows in (train, test))
        trainer = adapter_trainer(setup, base, used, test_used)
        phases = (*phases, run(trainer, "adapter", tested=True))
        _save(trainer, base, folder)
        parameters = list(trainer.model.parameters())
        result = TrainingResult(
            folder=output_dir,
            base=_name_of(config.base),
            device=device.name,
            dtype="bfloat16" if device.bf16 else "float32",
            parameters=sum(p.numel() for p in parameters),
            trainable_parameters=sum(p.numel() for p in parameters if p.requires_grad),
            train_rows=len(used),
            test_rows=len(test_used),
            train_rows_too_long=len(train) - len(used),
            test_rows_too_long=len(test) - len(test_used),
            phases=phases,
        )
        _write_record(folder, config, result, trainer.model.peft_config["default"], train)
    return result


def _base(
    setup: Run, train: Sequence[TrainingRow], folder: Path, token: SecretStr | None
) -> tuple[LoadedModel, tuple[PhaseResult, ...]]:
    config = setup.config
    if config.base != SCRATCH:
        return load_base(config.base, dtype=setup.device.weights, token=token), ()
    base = make_scratch(config.scratch, _texts(train), config.seed)
    phase = train_base(setup, base, train)
    base.model.save_pretrained(folder / BASE_DIR)
    return base, (phase,)


def _name_of(base: str) -> str:
    """A folder by its whole path, so that the record holds from anywhere."""
    return str(Path(base).resolve()) if Path(base).is_dir() else base


def _check_output(output_dir: Path) -> None:
    free = not output_dir.exists() or (output_dir.is_dir() and not any(output_dir.iterdir()))
    if not free and not (output_dir / RECORD_FILE).is_file():
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


def _fitting(
    rows: Sequence[TrainingRow], tokenizer: Any, config: TrainingConfig
) -> list[TrainingRow]:
    """The rows of at most ``max_length`` tokens; raises DataError when there is none."""
    fitting = [
        row
        for row in rows
        if len(tokenizer.apply_chat_template(conversation(row), return_dict=True)["input_ids"])
        <= config.max_length
    ]
    if not fitting:
        raise DataError(
            f"none of {len(rows)} rows has at most max_length {config.max_length} tokens; raise max_length"
        )
    return fitting


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
    adapter: Any,
    train: Sequence[TrainingRow],
) -> None:
    """``adapter`` and each phase's arguments are read back from what trained, not from the configuration."""
    record = {
        **result.model_dump(mode="json", exclude={"folder"}),
        "config": config.model_dump(mode="json"),
        "adapter": {
            "r": adapter.r,
            "alpha": adapter.lora_alpha,
            "dropout": adapter.lora_dropout,
            "targets": sorted({name.rpartition(".")[2] for name in adapter.target_modules}),
        },
        "train_sha256": sha256_of("\n".join(row.model_dump_json() for row in train)),
        "versions": {library: version(library) for library in _LIBRARIES},
    }
    (folder / RECORD_FILE).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
