"""Splits the rows into train and test, by document."""

from typing import Annotated, Any

from zenml import log_metadata

from rag_llm_system.application.dataset.gates_report import GateThresholds
from rag_llm_system.application.dataset.rows_files import TEST_FILE, TRAIN_FILE, RowsFile
from rag_llm_system.application.dataset.split import split_rows as split
from rag_llm_system.domain.datasets import ROW_MODELS, DatasetKind
from steps.progress import say
from steps.records import RecordsFile, StoredRecords, write_records
from steps.session import scratch_folder
from steps.tracing import traced_step


@traced_step
def split_rows(
    rows: RecordsFile,
    dataset_type: DatasetKind,
    test_split_size: float,
    seed: int,
    gates: dict[str, Any],
) -> tuple[Annotated[RecordsFile, "train_rows"], Annotated[RecordsFile, "test_rows"]]:
    model, folder = ROW_MODELS[dataset_type], scratch_folder()
    same = GateThresholds.model_validate(gates)
    report = split(
        StoredRecords(rows, model),
        folder,
        test_share=test_split_size,
        seed=seed,
        near_threshold=same.near_threshold,
        answers=same.answers,
    )
    sides = [
        write_records(rows.kind, RowsFile(folder / name, dataset_type), model, scratch_folder())
        for name in (TRAIN_FILE, TEST_FILE)
    ]
    say(
        f"  {report.train_rows} rows to train on, {report.test_rows} to test on, of {report.documents} documents"
    )
    log_metadata(report.model_dump(mode="json"))
    return sides[0], sides[1]
