"""The rows of a training as datasets on disk: of files, or split off a file."""

from pathlib import Path

from datasets import DatasetDict

from rag_llm_system.application.dataset.rows_files import TEST_FILE, TRAIN_FILE, RowsFile
from rag_llm_system.application.dataset.split import split_rows
from rag_llm_system.domain.datasets import DatasetKind
from rag_llm_system.domain.errors import DataError
from rag_llm_system.model.dataset_rows import datasets_of


def rows_of_files(
    dataset: Path,
    test_dataset: Path | None,
    *,
    kind: DatasetKind,
    test_share: float,
    seed: int,
    work_dir: Path,
) -> DatasetDict:
    """Without ``test_dataset`` the rows of ``dataset`` are split by document. Each line is checked.

    Raises DataError naming file, line and field, and when the file holds rows of the other kind.
    """
    given = [RowsFile(path) for path in (dataset, test_dataset) if path is not None]
    for file in given:
        _check_kind(file, kind)
    if test_dataset is None:
        folder = work_dir / "split"
        split_rows(given[0], folder, test_share=test_share, seed=seed)
        given = [RowsFile(folder / name) for name in (TRAIN_FILE, TEST_FILE)]
    train, test = given
    return datasets_of({"train": train, "test": test}, kind, work_dir=work_dir)


def _check_kind(file: RowsFile, kind: DatasetKind) -> None:
    if file.kind != kind:
        raise DataError(
            f"{file.path} holds {file.kind} rows, where {kind} rows are needed; name another file"
        )
