"""The folder that a training leaves: adapter or whole model, a base made for it, and the record of the run.

Reading it needs no torch; ``finetuned.py`` loads the model.
"""

import json
from pathlib import Path
from typing import Any

from rag_llm_system.domain.errors import DataError, MissingFile

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
