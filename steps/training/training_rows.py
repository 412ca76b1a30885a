"""The rows of a training as datasets on disk: of files, or split off a file."""

from pathlib import Path

from datasets import DatasetDict

from rag_llm_system.application.dataset.rows_files import RowsFile
from rag_llm_system.application.dataset.split import split_rows
from rag_llm_system.domain.datasets import DatasetKind
from rag_llm_system.domain.errors import DataError
from rag_llm_system.model.dataset_rows import dataset_of


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
    given = RowsFile(dataset)
    _check_kind(given, kind)
    if test_dataset is None:
        split_rows(given, work_dir / "split", test_share=test_share, seed=seed)
        dataset, test_dataset = (
            work_dir / "split" / "train.jsonl",
            work_dir / "split" / "test.jsonl",
        )
    files = {"train": RowsFile(dataset), "test": RowsFile(test_dataset)}
    for file in files.values():
        _check_kind(file, kind)
    return DatasetDict(
        {
            name: dataset_of(file.__iter__, kind, work_dir=work_dir, split=name)
            for name, file in files.items()
        }
    )


def _check_kind(file: RowsFile, kind: DatasetKind) -> None:
    if file.kind != kind:
        raise DataError(
            f"{file.path} holds {file.kind} rows, where {kind} rows are needed; name another file"
        )
