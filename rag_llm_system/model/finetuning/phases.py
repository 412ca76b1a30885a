"""The phases of a fine-tuning, one after the other; one that an earlier run completed is not trained again."""

import gc
import math
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import PeftModel

from rag_llm_system.domain.datasets import TrainingRow
from rag_llm_system.model.dataset_rows import dataset_of, rows_of
from rag_llm_system.model.finetuning import tokens
from rag_llm_system.model.finetuning.arguments import Job
from rag_llm_system.model.finetuning.base_model import LoadedModel, load_base, make_scratch
from rag_llm_system.model.finetuning.chat_template import serving_template
from rag_llm_system.model.finetuning.config import SCRATCH, Method, PhaseResult
from rag_llm_system.model.finetuning.processes import processes
from rag_llm_system.model.finetuning.scratch.first_training import first_rows
from rag_llm_system.model.finetuning.scratch.initialisation import initialise_for_copying
from rag_llm_system.model.finetuning.throughput import training_flops_per_token
from rag_llm_system.model.finetuning.trainers import base_trainer, dpo_trainer, run, sft_trainer

_SAMPLE = 256
"""So many rows tell how long rows are."""


def base_phase(job: Job, train: Dataset) -> PhaseResult:
    """A Llama made on the spot, and its first training."""
    scratch, seed = job.config.scratch, job.config.seed
    base = make_scratch(scratch, _texts(train), seed)
    base.model.set_attn_implementation(job.attention)
    if scratch.initialisation == "structured":
        initialise_for_copying(base.model, seed=seed)
    data = _first_rows(job, train, base.tokenizer)
    trainer = base_trainer(job, base, data)
    flops = _flops(job, base.model, data["length"][:_SAMPLE], method="full")
    result = run(trainer, "base", job, flops_per_token=flops)
    return _finished(job, trainer, base, result.model_copy(update={"rows": len(train)}))


def sft_phase(job: Job, train: Dataset, test: Dataset) -> PhaseResult:
    """Conversations are imitated; of each only the assistant's words are learned."""
    base, longest = _base(job), job.config.max_length
    used, tested = (
        tokens.conversations(rows, base.tokenizer, longest, job.place.data / f"sft-{name}.arrow")
        for name, rows in (("train", train), ("test", test))
    )
    data = used
    if job.config.packing:
        data = tokens.packed(used, longest, job.place.data / "sft-packed.arrow")
    trainer = sft_trainer(job, base, data, tested)
    flops = _flops(job, trainer.model, used["length"][:_SAMPLE], method=job.config.method)
    result = run(trainer, "sft", job, flops_per_token=flops)
    counts = _counts(train, used, test, tested)
    return _finished(job, trainer, base, result.model_copy(update=counts))


def dpo_phase(job: Job, train: Dataset, test: Dataset) -> PhaseResult:
    """Of two answers the chosen one is made likelier, measured against what the supervised training left."""
    dpo = job.config.dpo
    if dpo is None:
        raise ValueError("no dpo in the configuration")
    trained = _trained(job)
    used, tested = (
        tokens.preferences(
            rows, trained.tokenizer, dpo.max_length, job.place.data / f"dpo-{name}.arrow"
        )
        for name, rows in (("train", train), ("test", test))
    )
    trainer = dpo_trainer(job, trained, used, tested)
    sample = trainer.train_dataset[:_SAMPLE]
    lengths = [len(p) + len(c) for p, c in zip(sample["prompt_ids"], sample["chosen_ids"], strict=True)]  # fmt: skip
    flops = _flops(
        job,
        trainer.model,
        lengths,
        method=job.config.method,
        reference=not trainer.args.precompute_ref_log_probs,
    )
    result = run(trainer, "dpo", job, flops_per_token=flops)
    counts = _counts(train, used, test, tested)
    return _finished(job, trainer, trained, result.model_copy(update=counts))


def run_all(
    job: Job, train: Dataset, test: Dataset, preferences: tuple[Dataset, Dataset] | None
) -> tuple[PhaseResult, ...]:
    """Each phase reads what the one before left on the disk, in the first run as in one that goes on."""
    done = []
    if job.config.base == SCRATCH:
        done.append(job.place.result("base") or base_phase(job, train))
        _release()
    done.append(job.place.result("sft") or sft_phase(job, train, test))
    if preferences:
        _release()
        done.append(job.place.result("dpo") or dpo_phase(job, *preferences))
    return tuple(done)


def _base(job: Job) -> LoadedModel:
    made = job.config.base == SCRATCH
    return load_base(
        str(job.place.weights("base")) if made else job.config.base,
        dtype=job.device.weights(job.config),
        token=job.token,
        attention=job.attention,
        quantised=job.config.method == "qlora",
    )


def _trained(job: Job) -> LoadedModel:
    """What the supervised training left, open for training."""
    folder = job.place.weights("sft")
    if job.config.method == "full":
        return load_base(str(folder), dtype=job.device.weights(job.config), attention=job.attention)
    base = _base(job)
    model = PeftModel.from_pretrained(base.model, folder, is_trainable=True)
    return LoadedModel(model=model, tokenizer=base.tokenizer)


def _first_rows(job: Job, train: Dataset, tokenizer: Any) -> Dataset:
    scratch, place = job.config.scratch, job.place.data
    if scratch.initialisation == "random":
        return tokens.blocks(train, tokenizer, scratch.block_tokens, place / "base-train.arrow")
    rows: list[TrainingRow] = [row for row in rows_of(train) if isinstance(row, TrainingRow)]
    count = scratch.max_steps * scratch.batch_size
    with processes().main_process_first():
        first = dataset_of(
            lambda: first_rows(rows, tokenizer, count, job.config.seed),
            "instruction",
            work_dir=place,
            split="first",
        )
    return tokens.conversations(first, tokenizer, job.config.max_length, place / "base-train.arrow")


def _texts(rows: Dataset) -> Iterator[str]:
    return (message["content"] for row in rows for message in row["messages"])


def _flops(
    job: Job, model: Any, lengths: Iterable[int], *, method: Method, reference: bool = False
) -> float:
    lengths = list(lengths)
    return training_flops_per_token(
        job.shape,
        sum(lengths) / len(lengths),
        method=method,
        trained=_size(model, trainable=True),
        reference=reference,
    )


def _size(model: Any, *, trainable: bool) -> int:
    """Of weights in 4 bits the numbers that they stand for; a reference's frozen copy of the adapter aside."""
    return sum(
        math.prod(p.quant_state.shape) if getattr(p, "quant_state", None) else p.numel()
        for name, p in model.named_parameters()
        if ".ref." not in name and (p.requires_grad or not trainable)
    )


def _counts(train: Dataset, used: Dataset, test: Dataset, tested: Dataset) -> dict[str, int]:
    return {
        "rows": len(used),
        "rows_too_long": len(train) - len(used),
        "test_rows": len(tested),
        "test_rows_too_long": len(test) - len(tested),
    }


def _finished(job: Job, trainer: Any, base: LoadedModel, result: PhaseResult) -> PhaseResult:
    """The weights on the disk, and then the result: a phase that has one is complete."""
    result = result.model_copy(
        update={
            "parameters": _size(trainer.model, trainable=False),
            "trainable_parameters": _size(trainer.model, trainable=True),
        }
    )
    if processes().is_main_process:
        _save(job, trainer.model, base.tokenizer, job.place.weights(result.phase))
        job.place.finish(result)
    processes().wait_for_everyone()
    return result


def _save(job: Job, model: Any, tokenizer: Any, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    if isinstance(model, PeftModel):
        made = job.config.base == SCRATCH
        model.peft_config["default"].base_model_name_or_path = None if made else job.config.base
        model.save_pretrained(folder, save_embedding_layers=False, selected_adapters=["default"])
        (folder / "README.md").unlink(missing_ok=True)  # PEFT's form, of which nothing is filled in
    else:
        model.save_pretrained(folder)
    template = tokenizer.chat_template
    tokenizer.chat_template = serving_template(template)
    tokenizer.save_pretrained(folder)
    tokenizer.chat_template = template


def _release() -> None:
    """Memory of the phase before."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
