"""A trained folder as a plain Transformers folder: the adapter added to the weights of its base."""

import shutil
from pathlib import Path
from typing import Any

from peft import PeftModel
from pydantic import SecretStr
from transformers import AutoTokenizer

from rag_llm_system.domain.errors import BackendError, ConfigurationError
from rag_llm_system.model.export.outputs import new_folder
from rag_llm_system.model.finetuning.base_model import load_base
from rag_llm_system.model.finetuning.chat_template import serving_template
from rag_llm_system.model.folder import ADAPTER_DIR, BASE_DIR, MODEL_DIR, read_record
from rag_llm_system.model.quiet import quiet

_AS_STORED: Any = "auto"
"""The number format that the base is stored in. Also for an adapter of a 4-bit training: what was rounded to 4 bits
to save memory is not rounded for good."""


def merge(folder: Path, out: Path, *, token: SecretStr | None = None) -> Path:
    """Writes safetensors, tokenizer and the template to serve with; ``out`` is new, and there whole or not at all.

    Transformers, vLLM and Ollama (``FROM ./out``) load it without this project. The whole base is read into
    main memory: two bytes for each parameter of a model that is stored in bfloat16.
    """
    record = read_record(folder)
    with quiet(), new_folder(out) as unfinished:
        if (folder / MODEL_DIR).is_dir():
            shutil.copytree(folder / MODEL_DIR, unfinished, dirs_exist_ok=True)
            tokenizer = AutoTokenizer.from_pretrained(folder / MODEL_DIR)
        else:
            tokenizer = AutoTokenizer.from_pretrained(folder / ADAPTER_DIR)
            model = _with_adapter(_base(folder, record, token), folder / ADAPTER_DIR)
            _end_with_the_turn(model, tokenizer)
            model.save_pretrained(unfinished)
        tokenizer.chat_template = serving_template(tokenizer.chat_template)
        tokenizer.save_pretrained(unfinished)
    return out


def plain_folder(folder: Path) -> Path | None:
    """Where whole weights lie already: a model trained in full, or one that was merged before."""
    for place in (folder / MODEL_DIR, folder):
        if (place / "config.json").is_file() and any(place.glob("*.safetensors")):
            return place
    return None


def _base(folder: Path, record: dict[str, Any], token: SecretStr | None) -> Any:
    own = folder / BASE_DIR
    name = str(own) if own.is_dir() else record["base"]
    base = load_base(name, dtype=_AS_STORED, token=token).model
    if getattr(base.config, "quantization_config", None):
        raise ConfigurationError(
            f"base {name!r} is stored quantised and takes no adapter in; train on the same model"
            " in full precision (method: qlora quantises it while training)"
        )
    return base


def _with_adapter(base: Any, adapter: Path) -> Any:
    try:
        return PeftModel.from_pretrained(base, adapter).merge_and_unload(safe_merge=True)
    except ValueError as error:
        raise BackendError(f"{adapter} cannot be merged ({error}); train again") from error


def _end_with_the_turn(model: Any, tokenizer: Any) -> None:
    """Servers stop where the generation settings say; a base that never saw a conversation says otherwise."""
    known = model.generation_config.eos_token_id
    ends = {*(known if isinstance(known, list) else [known]), tokenizer.eos_token_id} - {None}
    model.generation_config.eos_token_id = sorted(ends)
    model.generation_config.pad_token_id = tokenizer.pad_token_id
