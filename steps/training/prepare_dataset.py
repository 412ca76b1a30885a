"""The rows to train and to test on: those of a file, or the training set that was made of the indexed texts."""

from itertools import chain
from pathlib import Path
from typing import Annotated

from datasets import DatasetDict
from zenml import log_metadata

from rag_llm_system.application.dataset.gates import check, dataset_report
from rag_llm_system.application.dataset.gates_report import GateThresholds
from rag_llm_system.application.dataset.rows_files import TEST_FILE, TRAIN_FILE
from rag_llm_system.domain.datasets import DatasetKind
from rag_llm_system.domain.errors import MissingFile
from rag_llm_system.model.dataset_rows import StoredRows
from steps import dataset_materializer  # noqa: F401 - importing it registers how the type is stored
from steps.progress import say
from steps.session import current_system, scratch_folder
from steps.tracing import traced_step
from steps.training.training_rows import rows_of_files

_ONLY_LEAKS = GateThresholds(
    duplicates=1, grounding_mean=0, ungrounded=1, format=0, largest_class=1, same_answers=1
)
"""Whatever rows someone trains on is theirs to choose; a test set that was trained on measures nothing."""

_COMMANDS = {
    "instruction": "poe run-generate-instruct-datasets-pipeline",
    "preference": "poe run-generate-preference-datasets-pipeline",
}


@traced_step
def prepare_dataset(
    dataset: str | None, test_dataset: str | None, test_share: float, seed: int
) -> Annotated[DatasetDict, "training_rows"]:
    """Without ``dataset``: what ``run-generate-instruct-datasets-pipeline`` made."""
    return _prepared("instruction", dataset, test_dataset, test_share, seed)


@traced_step
def prepare_preferences(
    dataset: str | None, test_share: float, seed: int
) -> Annotated[DatasetDict, "training_preferences"]:
    """Without ``dataset``: what ``run-generate-preference-datasets-pipeline`` made."""
    return _prepared("preference", dataset, None, test_share, seed)


def _prepared(
    kind: DatasetKind, dataset: str | None, test_dataset: str | None, test_share: float, seed: int
) -> DatasetDict:
    """Raises MissingFile, or DataError: of a line, of rows of another kind, of test rows that are in train."""
    train, test = _files(kind, dataset, test_dataset)
    rows = rows_of_files(
        train, test, kind=kind, test_share=test_share, seed=seed, work_dir=scratch_folder()
    )
    report = dataset_report(
        StoredRows(rows["train"]), StoredRows(rows["test"]), thresholds=_ONLY_LEAKS
    )
    check(report)
    say(f"  {len(rows['train'])} rows to train on, {len(rows['test'])} to test on, of {train}")
    log_metadata(
        {
            "train": len(rows["train"]),
            "test": len(rows["test"]),
            "dataset": str(train),
            "kind": kind,
            "documents": len(set(chain(rows["train"]["document_id"], rows["test"]["document_id"]))),
        }
    )
    return rows


def _files(
    kind: DatasetKind, dataset: str | None, test_dataset: str | None
) -> tuple[Path, Path | None]:
    if dataset:
        return Path(dataset), Path(test_dataset) if test_dataset else None
    made = current_system().settings.data_dir / "datasets" / kind
    if not (made / TRAIN_FILE).is_file():
        key = "dataset" if kind == "instruction" else "preferences"
        raise MissingFile(
            f"there is no {kind} set yet; make one with {_COMMANDS[kind]}, or name a file: --set {key}=FILE"
        )
    return made / TRAIN_FILE, made / TEST_FILE
