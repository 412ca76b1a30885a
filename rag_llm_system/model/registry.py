"""Which trained model serves: a pointer beside the trained folders, moved when a model is let through."""

import json
from pathlib import Path

from rag_llm_system.domain.errors import DataError, MissingFile

_CURRENT = "current.json"


def promote(models: Path, folder: Path) -> None:
    """From now on ``folder`` is the current model of ``models``; the pointer is replaced in one step."""
    models.mkdir(parents=True, exist_ok=True)
    unfinished = models / f"{_CURRENT}.part"
    unfinished.write_text(json.dumps({"folder": folder.name}), encoding="utf-8")
    unfinished.replace(models / _CURRENT)


def current_model(models: Path) -> Path:
    """The folder of the current model. Raises MissingFile when none was trained, or it was removed."""
    pointer = models / _CURRENT
    if not pointer.is_file():
        raise MissingFile(f"no trained model in {models}; make one with: poe run-training")
    try:
        folder = models / str(json.loads(pointer.read_text(encoding="utf-8"))["folder"])
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{pointer} is damaged; train again with: poe run-training") from error
    if not folder.is_dir():
        raise MissingFile(f"{folder} was removed; train again with: poe run-training")
    return folder
