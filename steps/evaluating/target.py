"""Which trained model is evaluated, against which one, and on which rows."""

from collections.abc import Iterable
from pathlib import Path

from rag_llm_system.application.dataset.rows_files import (
    TEST_FILE,
    TRAIN_FILE,
    RowsFile,
    write_rows,
)
from rag_llm_system.domain.datasets import Row
from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.errors import ConfigurationError, MissingFile
from rag_llm_system.model.folder import RECORD_FILE
from rag_llm_system.model.registry import current_model, read_pointer
from steps.registry import ModelRegistry

CURRENT = "current"

_ROWS_DIR = "evaluation_rows"
"""In a trained folder: the rows that it was evaluated on after its training."""


class Target(Value):
    """``version`` is 0 for a folder that no version has, ``production`` None when no other model serves."""

    folder: Path
    version: int = 0
    production: Path | None = None
    test: Path
    train: Path | None = None


def target_of(models: Path, model: str, dataset: str | None) -> Target:
    """``model`` is "current", a version or a folder; the rows are those of the training, or of another dataset.

    The training rows, for the memorisation probe, are the ``train.jsonl`` beside the test rows. Raises MissingFile or
    ConfigurationError naming the way out.
    """
    registry = ModelRegistry(models)
    versions = registry.versions()
    if model == CURRENT:
        folder = current_model(models)
    elif model.isdigit():
        folder = registry.folder(registry.version(int(model)))
    else:
        folder = _trained(Path(model), models)
    test = _rows_file(Path(dataset)) if dataset else _recorded(folder)
    train = test.with_name(TRAIN_FILE)
    named = [v.number for v in versions if v.facts and (models / v.facts.folder) == folder]
    return Target(
        folder=folder,
        version=int(model) if model.isdigit() else max(named, default=0),
        production=production_beside(models, folder),
        test=test,
        train=train if train.is_file() and train != test else None,
    )


def production_beside(models: Path, folder: Path) -> Path | None:
    """The model that serves, when there is one and it is another."""
    pointer = read_pointer(models)
    if pointer is None or not (models / pointer.folder / RECORD_FILE).is_file():
        return None
    serving = models / pointer.folder
    return None if serving.resolve() == folder.resolve() else serving


def keep_rows(folder: Path, test: Iterable[Row], train: Iterable[Row]) -> Target:
    """Keeps rows with a trained model, so that it can be evaluated on the same ones again."""
    rows = folder / _ROWS_DIR
    write_rows(rows / TEST_FILE, test)
    write_rows(rows / TRAIN_FILE, train)
    return Target(folder=folder, test=rows / TEST_FILE, train=rows / TRAIN_FILE)


def rows_in(path: Path | None) -> Iterable[Row]:
    return RowsFile(path) if path else ()


def _trained(folder: Path, models: Path) -> Path:
    found = next((f for f in (folder, models / folder) if (f / RECORD_FILE).is_file()), None)
    if found is None:
        raise MissingFile(
            f"model {str(folder)!r}: no trained model in that folder; name one, a version of poe model-list, or current"
        )
    return found


def _rows_file(path: Path) -> Path:
    file = path / TEST_FILE if path.is_dir() else path
    if not file.is_file():
        raise MissingFile(f"dataset {path}: no such file; name a {TEST_FILE}")
    return file


def _recorded(folder: Path) -> Path:
    file = folder / _ROWS_DIR / TEST_FILE
    if not file.is_file():
        raise ConfigurationError(
            f"{folder.name} has no rows of its training to be evaluated on; name a set: --set dataset=.../{TEST_FILE}"
        )
    return file
