"""Loads what a training left: the trained model, or the base that it began with."""

from pathlib import Path
from typing import Any

import torch
from peft import PeftModel
from pydantic import SecretStr
from transformers import AutoModelForCausalLM, AutoTokenizer

from rag_llm_system.model.finetuning.base_model import LoadedModel, load_base
from rag_llm_system.model.folder import ADAPTER_DIR, BASE_DIR, MODEL_DIR, read_record
from rag_llm_system.model.quiet import quiet


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
