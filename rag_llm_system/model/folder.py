"""The folder that a training leaves: base, adapter and the record of the run."""

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
    """The model with its adapter; when not ``merged``, ``with model.disable_adapter()`` gives the base alone.

    On the GPU in bfloat16 when there is one, else on the processor in float32.
    """
    record = read_record(folder)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    with quiet():
        if (folder / BASE_DIR).is_dir():
            base = AutoModelForCausalLM.from_pretrained(folder / BASE_DIR, dtype=dtype)
        else:
            base = load_base(record["base"], dtype=dtype, token=token).model
        tokenizer = AutoTokenizer.from_pretrained(folder / ADAPTER_DIR)
        model = PeftModel.from_pretrained(base, folder / ADAPTER_DIR)
        if merged:
            model = model.merge_and_unload()
    return LoadedModel(model=model.to(device).eval(), tokenizer=tokenizer)
