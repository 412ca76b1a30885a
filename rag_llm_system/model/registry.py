"""Which trained model serves: a pointer beside the trained folders, moved when a model is let through.

The servers read this file alone; the history of versions is the model registry's, which moves it.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.errors import ConfigurationError, DataError, MissingFile

_CURRENT = "current.json"
_LOCK = ".registry.lock"


class Pointer(Value):
    """The name of a folder in ``models``, and the version it is registered as (0: not known)."""

    folder: str
    version: int = 0


def promote(models: Path, folder: Path, version: int = 0) -> None:
    """From now on ``folder`` is the current model of ``models``; the pointer is replaced in one step.

    Raises ConfigurationError when it cannot be written; the former one is kept then.
    """
    unfinished = models / f"{_CURRENT}.part"
    pointer = Pointer(folder=folder.name, version=version)
    try:
        models.mkdir(parents=True, exist_ok=True)
        with unfinished.open("w", encoding="utf-8") as file:
            file.write(pointer.model_dump_json())
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(models / _CURRENT)
    except OSError as error:
        raise ConfigurationError(
            f"{models / _CURRENT} cannot be written ({error.strerror}); the model that served before still does"
        ) from error


def read_pointer(models: Path) -> Pointer | None:
    """None when no model was let through yet. Raises DataError when the file is damaged."""
    path = models / _CURRENT
    try:
        return Pointer.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, ValidationError) as error:
        raise DataError(
            f"{path} is damaged; poe model-list shows the versions, "
            "poe model-promote -- VERSION of the one in production writes it anew"
        ) from error


def current_model(models: Path) -> Path:
    """The folder of the current model. Raises MissingFile when none was let through, or it was removed."""
    pointer = read_pointer(models)
    if pointer is None:
        raise MissingFile(
            f"no model in production in {models}; make one with: poe run-training "
            "(poe model-list shows those that were refused)"
        )
    folder = models / pointer.folder
    if not folder.is_dir():
        way_out = (
            f"restore it with: poe model-promote -- {pointer.version}"
            if pointer.version
            else "train again with: poe run-training"
        )
        raise MissingFile(f"{folder} was removed; {way_out}")
    return folder


@contextmanager
def registry_lock(models: Path) -> Iterator[None]:
    """One process at a time decides what serves; the lock ends with the process, however it ends."""
    models.mkdir(parents=True, exist_ok=True)
    with (models / _LOCK).open("a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
