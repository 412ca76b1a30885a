"""The folder that a training leaves: adapter or whole model, a base made for it, and the record of the run."""

import json
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from pydantic import SecretStr
from transformers import AutoModelForCausalLM, AutoTokenizer

from rag_llm_system.domain.errors import DataError, MissingFile
from rag_llm_system.model.finetuning.base_model import LoadedModel, load_base
from rag_llm_system.model.quiet import quiet

RECORD_FILE = "training.json"
"""Written last: a folder that has it is complete."""
ADAPTER_DIR = "adapter"
MODEL_DIR = "model"
"""The whole model, of a full fine-tuning or merged, in place of the adapter."""
BASE_DIR = "base"
"""Only there when the base was made by the training; otherwise the record names it."""


def read_record(folder: Path) -> dict[str, Any]:
    """What :func:`~rag_llm_system.model.finetuning.sft.finetune` wrote about the run."""
    path = folder / RECORD_FILE
    if not path.is_file():
        raise MissingFile(f"{path}: no such file; train a model into {folder} first")
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise DataError(f"{path}: not JSON ({error.msg}); train again") from error
    if not isinstance(record, dict):
        raise DataError(f"{path}: not a training record; train again")
    return record


def load_finetuned(
    folder: Path, *, merged: bool = False, token: SecretStr | None = None
) -> LoadedModel:
    """The trained model: of a full fine-tuning its weights, else the base with its adapter.

    When there is an adapter and it is not ``merged``, ``with model.disable_adapter()`` gives the base alone.
    On the GPU in bfloat16 when there is one, else on the processor in float32.
    """
    record = read_record(folder)
    device, dtype = _here()
    with quiet():
        if (folder / MODEL_DIR).is_dir():
            model = AutoModelForCausalLM.from_pretrained(folder / MODEL_DIR, dtype=dtype)
            tokenizer = AutoTokenizer.from_pretrained(folder / MODEL_DIR)
        else:
            base = _base(folder, record, dtype, token)
            model = PeftModel.from_pretrained(base.model, folder / ADAPTER_DIR)
            tokenizer = AutoTokenizer.from_pretrained(folder / ADAPTER_DIR)
            if merged:
                model = model.merge_and_unload()
    return LoadedModel(model=model.to(device).eval(), tokenizer=tokenizer)


def load_unadapted(folder: Path, *, token: SecretStr | None = None) -> LoadedModel:
    """The base that the training began with, with the tokenizer of the trained model."""
    record = read_record(folder)
    device, dtype = _here()
    trained = MODEL_DIR if (folder / MODEL_DIR).is_dir() else ADAPTER_DIR
    with quiet():
        model = _base(folder, record, dtype, token).model
        tokenizer = AutoTokenizer.from_pretrained(folder / trained)
    return LoadedModel(model=model.to(device).eval(), tokenizer=tokenizer)


def _here() -> tuple[str, torch.dtype]:
    return ("cuda", torch.bfloat16) if torch.cuda.is_available() else ("cpu", torch.float32)


def _base(
    folder: Path, record: dict[str, Any], dtype: torch.dtype, token: SecretStr | None
) -> LoadedModel:
    own = folder / BASE_DIR
    return load_base(str(own) if own.is_dir() else record["base"], dtype=dtype, token=token)
