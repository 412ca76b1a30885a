"""Opens the engine of a model: a fine-tuned one, one in a folder, or one from Hugging Face."""

from pathlib import Path
from typing import Literal

from pydantic import SecretStr

from rag_llm_system.domain.errors import ConfigurationError
from rag_llm_system.model.inference.batched_engine import BatchedEngine
from rag_llm_system.model.inference.models import load_model, name_of
from rag_llm_system.model.inference.plain_engine import PlainEngine

EngineKind = Literal["auto", "batched", "plain"]

MAX_WAITING = 32


def open_engine(
    model: Path | str,
    *,
    kind: EngineKind = "batched",
    max_waiting: int = MAX_WAITING,
    threads: int | None = None,
    token: SecretStr | None = None,
) -> BatchedEngine | PlainEngine:
    """``model`` is what a training left, another folder with a model, or an id such as ``Qwen/Qwen2.5-0.5B-Instruct``.

    ``auto`` is batched where the model can be run so, else plain. Raises ConfigurationError when the model cannot be
    loaded, or not be run batched.
    """
    loaded, name = load_model(model, token), name_of(model)
    if kind == "plain":
        return PlainEngine(loaded, name, max_waiting=max_waiting, threads=threads)
    try:
        return BatchedEngine(loaded, name, max_waiting=max_waiting, threads=threads)
    except ConfigurationError:
        if kind == "batched":
            raise
    return PlainEngine(loaded, name, max_waiting=max_waiting, threads=threads)
