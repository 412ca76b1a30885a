"""Loads the model that an engine runs, wherever it is, and says in one line why it cannot be loaded."""

import re
import textwrap
from pathlib import Path
from typing import Any

import torch
from pydantic import SecretStr
from safetensors import SafetensorError
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from rag_llm_system.domain.errors import ConfigurationError, MissingFile
from rag_llm_system.model.finetuned import load_finetuned
from rag_llm_system.model.finetuning.base_model import LoadedModel
from rag_llm_system.model.folder import RECORD_FILE
from rag_llm_system.model.quiet import quiet

_LONGEST_REASON = 160
"""Characters of a vendor's message that are worth repeating."""

_HUB_ID = re.compile(r"[\w-][\w.-]*(?:/[\w-][\w.-]*)?")


def name_of(model: Path | str) -> str:
    """What clients call it: the folder's own name, or the id."""
    return Path(model).resolve().name if Path(model).is_dir() else str(model)


def load_model(model: Path | str, token: SecretStr | None = None) -> LoadedModel:
    """On the GPU in bfloat16 when there is one, else on the processor in float32.

    Only weights as safetensors are read, and no code that comes with a model is run.
    """
    if model and Path(model).is_dir():
        if (Path(model) / RECORD_FILE).is_file():
            return load_finetuned(Path(model), merged=True, token=token)
        return _pretrained(str(Path(model)), f"model folder {model}", None)
    if isinstance(model, Path) or not _HUB_ID.fullmatch(model):
        raise MissingFile(
            f"model {str(model)!r}: no such folder; name one that a training left, or an id of Hugging Face"
        )
    return _pretrained(model, f"model {model!r}", token)


def _pretrained(name: str, said: str, token: SecretStr | None) -> LoadedModel:
    device, dtype = (
        ("cuda", torch.bfloat16) if torch.cuda.is_available() else ("cpu", torch.float32)
    )
    secret = (token.get_secret_value() if token else None) or None
    try:
        with quiet():
            config = AutoConfig.from_pretrained(name, token=secret)
            tokenizer: Any = AutoTokenizer.from_pretrained(name, token=secret)
            model = AutoModelForCausalLM.from_pretrained(
                name, config=config, dtype=dtype, token=secret, use_safetensors=True
            )
    except (OSError, ValueError, KeyError, ImportError, RuntimeError, SafetensorError) as error:
        # offline, gated, no such model, not a model that writes, a format that is not read, a library it needs
        reason = textwrap.shorten(str(error), _LONGEST_REASON) or type(error).__name__
        raise ConfigurationError(
            f"{said} cannot be loaded ({reason}); it must be a causal language model with safetensors, for a gated one"
            " set HUGGINGFACE_ACCESS_TOKEN, without the hub name a local folder"
        ) from error
    if getattr(tokenizer, "backend_tokenizer", None) is None:
        raise ConfigurationError(
            f"{said} has no fast tokenizer (tokenizer.json); use another model"
        )
    return LoadedModel(model=model.to(device).eval(), tokenizer=tokenizer)
