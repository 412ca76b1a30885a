"""A fine-tuning from rows to a folder: a base from scratch where one is asked for, SFT, then DPO on preferences."""

import json
import os
import shutil
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from datasets import Dataset
from pydantic import SecretStr

from rag_llm_system.domain.errors import ConfigurationError, DataError
from rag_llm_system.model.finetuning.arguments import Job
from rag_llm_system.model.finetuning.base_model import read_config
from rag_llm_system.model.finetuning.config import (
    SCRATCH,
    MemoryEstimate,
    OnLog,
    PhaseResult,
    TrainingConfig,
    TrainingLog,
    TrainingResult,
)
from rag_llm_system.model.finetuning.device import Device, device_for
from rag_llm_system.model.finetuning.memory import (
    GB,
    ModelShape,
    check_fits,
    memory_estimate,
    shape_of,
    shape_of_scratch,
)
from rag_llm_system.model.finetuning.phases import run_all
from rag_llm_system.model.finetuning.processes import processes
from rag_llm_system.model.finetuning.tokens import digest
from rag_llm_system.model.finetuning.unfinished import Plan, Unfinished, unfinished
from rag_llm_system.model.folder import ADAPTER_DIR, BASE_DIR, MODEL_DIR, RECORD_FILE
from rag_llm_system.model.quiet import quiet

_LIBRARIES = (
    "torch", "transformers", "trl", "peft", "datasets", "tokenizers", "accelerate", "bitsandbytes",
)  # fmt: skip
_NO_MATTER = {"activation_checkpointing", "check_memory", "checkpoint_steps", "keep_checkpoints"}
"""Settings with which a run that was killed, by a lack of memory for one, may go on all the same."""

Preferences = tuple[Dataset, Dataset]
"""Rows to train on, rows to test on."""


def finetune(
    config: TrainingConfig,
    train: Dataset,
    test: Dataset,
    *,
    preferences: Preferences | None = None,
    output_dir: Path,
    on_log: OnLog,
    token: SecretStr | None = None,
    dataset_sha256: str = "",
) -> TrainingResult:
    """Trains and leaves adapter or model, a base that was made, and ``training.json`` in ``output_dir``.

    ``train`` and ``test`` are datasets of :mod:`~rag_llm_system.model.dataset_rows`, and ``preferences`` two more, for
    the settings ``dpo``. A model that is already there stays until the new one is complete. A run that was killed is
    gone on with by the next one of the same settings, rows and libraries, and gives the same losses; changing
    batch_size and gradient_accumulation but not their product keeps it the same. Rows over ``max_length`` tokens are
    left out and counted, never cut. ``token`` opens gated models. ``dataset_sha256`` is recorded; left out, it is
    that of the rows.

    Started in several processes (``accelerate launch``), each trains on its share of every batch; only the main
    one writes and calls ``on_log``.
    """
    _check_rows(config, train, test, preferences)
    device = device_for(config)
    attention = device.attention(config)
    shape = _shape(config, token)
    precision, free = device.precision(config), device.free_bytes()
    check_fits(shape, config, precision, free=free, device=device.title)
    estimate = memory_estimate(shape, config, precision)
    rows = digest([train, test, *(preferences or ())])
    with quiet(), unfinished(output_dir, _plan(config, device, rows)) as (place, note):
        job = Job(config, device, shape, attention, place, on_log, token)
        for text in (note, _memory_note(estimate, free)):
            _say(job, text)
        done = run_all(job, train, test, preferences)
        result = _result(job, output_dir, done, estimate, dataset_sha256 or rows)
        if processes().is_main_process:
            _assemble(place, done)
            _write_record(place, config, result)
    return result


def _check_rows(
    config: TrainingConfig, train: Dataset, test: Dataset, preferences: Preferences | None
) -> None:
    named = {"training": train, "test": test}
    if preferences:
        named |= {"training set of preferences": preferences[0]}
        named |= {"test set of preferences": preferences[1]}
    for name, rows in named.items():
        if not len(rows):
            raise DataError(f"the {name} set has no rows; give one that has some")
    if (config.dpo is None) != (preferences is None):
        raise ConfigurationError(
            "dpo needs rows of preferences; give some, or leave dpo out"
            if config.dpo
            else "there are preferences and no settings for them; set dpo"
        )


def _shape(config: TrainingConfig, token: SecretStr | None) -> ModelShape:
    if config.base == SCRATCH:
        return shape_of_scratch(config.scratch)
    return shape_of(read_config(config.base, token))


def _plan(config: TrainingConfig, device: Device, rows: str) -> Plan:
    settings = config.model_dump(mode="json", exclude=_NO_MATTER)
    for part in (settings, settings["dpo"] or {}):
        if part:
            part["batch_size"] *= part.pop("gradient_accumulation")
    base = Path(config.base)
    return {
        "settings": settings,
        "rows": rows,
        "base": [[f.name, f.stat().st_size, f.stat().st_mtime_ns] for f in sorted(base.iterdir())]
        if base.is_dir()
        else [],
        "libraries": _versions(),
        "device": [device.name, device.bf16, processes().num_processes],
    }


def _versions() -> dict[str, str]:
    found = {}
    for library in _LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue  # only qlora and the optimizers of 8 bits need it
    return found


def _memory_note(estimate: MemoryEstimate, free: int) -> str:
    parts = ", ".join(
        f"{name} {value / GB:.2g}" for name, value in estimate.model_dump().items() if value
    )
    return f"needs about {estimate.total / GB:.2g} GB of {free / GB:.3g} GB free ({parts})"


def _say(job: Job, text: str) -> None:
    if text and processes().is_main_process:
        first = "base" if job.config.base == SCRATCH else "sft"
        job.on_log(TrainingLog(phase=first, step=0, total_steps=0, note=text))


def _result(
    job: Job,
    output_dir: Path,
    done: tuple[PhaseResult, ...],
    estimate: MemoryEstimate,
    dataset_sha256: str,
) -> TrainingResult:
    sft = next(phase for phase in done if phase.phase == "sft")
    return TrainingResult(
        folder=output_dir,
        base=_name_of(job.config.base),
        method=job.config.method,
        device=job.device.name,
        processes=processes().num_processes,
        dtype="bfloat16" if job.device.bf16 else "float32",
        parameters=sft.parameters,
        trainable_parameters=sft.trainable_parameters,
        train_rows=sft.rows,
        test_rows=sft.test_rows,
        train_rows_too_long=sft.rows_too_long,
        test_rows_too_long=sft.test_rows_too_long,
        memory_estimate=estimate,
        dataset_sha256=dataset_sha256,
        versions=_versions(),
        phases=done,
    )


def _name_of(base: str) -> str:
    """A folder by its whole path, so that the record holds from anywhere."""
    return str(Path(base).resolve()) if Path(base).is_dir() else base


def _assemble(place: Unfinished, done: tuple[PhaseResult, ...]) -> None:
    """The last phase's weights under the name that a reader looks for; a run killed here still finds them."""
    last = place.weights(done[-1].phase)
    name = ADAPTER_DIR if (last / "adapter_config.json").is_file() else MODEL_DIR
    parts = {name: last}
    if done[0].phase == "base":
        parts[BASE_DIR] = place.weights("base")
    for target, source in parts.items():
        shutil.rmtree(place.folder / target, ignore_errors=True)
        shutil.copytree(source, place.folder / target, copy_function=_linked)


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # not on this file system
        shutil.copy2(source, target)


def _write_record(place: Unfinished, config: TrainingConfig, result: TrainingResult) -> None:
    """The adapter and each phase's arguments are read back from what trained, not from the configuration."""
    record: dict[str, Any] = {
        **result.model_dump(mode="json", exclude={"folder"}),
        "config": config.model_dump(mode="json"),
        "adapter": _adapter(place.folder / ADAPTER_DIR),
    }
    text = json.dumps(record, indent=2, ensure_ascii=False) + "\n"
    (place.folder / RECORD_FILE).write_text(text, encoding="utf-8")


def _adapter(folder: Path) -> dict[str, Any] | None:
    path = folder / "adapter_config.json"
    if not path.is_file():
        return None
    adapter = json.loads(path.read_bytes())
    return {
        "r": adapter["r"],
        "alpha": adapter["lora_alpha"],
        "dropout": adapter["lora_dropout"],
        "rslora": adapter["use_rslora"],
        "dora": adapter["use_dora"],
        "targets": sorted({name.rpartition(".")[2] for name in adapter["target_modules"]}),
    }
