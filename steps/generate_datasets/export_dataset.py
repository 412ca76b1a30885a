"""The training set as files for this and other trainers, and as a versioned ``datasets.DatasetDict``."""

from typing import Annotated

from datasets import DatasetDict
from zenml import get_step_context, log_metadata

from rag_llm_system.application.dataset.export import export_formats
from rag_llm_system.application.dataset.gates_report import DatasetReport
from rag_llm_system.domain.datasets import ROW_MODELS, DatasetKind
from rag_llm_system.model.dataset_rows import datasets_of
from steps import dataset_materializer  # noqa: F401 - importing it registers how the type is stored
from steps.progress import say
from steps.records import RecordsFile, StoredRecords
from steps.session import current_system, scratch_folder
from steps.tracing import traced_step


@traced_step
def export_instruction_dataset(
    train: RecordsFile, test: RecordsFile, report: DatasetReport
) -> Annotated[DatasetDict, "instruct_datasets"]:
    return _export(train, test, report, "instruction")


@traced_step
def export_preference_dataset(
    train: RecordsFile, test: RecordsFile, report: DatasetReport
) -> Annotated[DatasetDict, "preference_datasets"]:
    return _export(train, test, report, "preference")


def _export(
    train: RecordsFile, test: RecordsFile, report: DatasetReport, kind: DatasetKind
) -> DatasetDict:
    """Into ``datasets/<kind>`` of the data directory; the report is that of the gates, which were passed."""
    folder = current_system().settings.data_dir / "datasets" / kind
    sides = {"train": train, "test": test}
    rows = {name: StoredRecords(file, ROW_MODELS[kind]) for name, file in sides.items()}
    title = f"{kind.capitalize()} rows of the indexed texts"
    written = export_formats(folder, rows["train"], rows["test"], report=report, title=title)
    say(f"  {folder}: {', '.join(path.name for path in written)}")
    log_metadata(
        {
            "folder": str(folder),
            "train": train.rows,
            "test": test.rows,
            "run": get_step_context().pipeline_run.name,
        }
    )
    return datasets_of(rows, kind, work_dir=scratch_folder())
