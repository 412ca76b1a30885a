"""Measures the training set: leaks between its sides, grounding in the documents, repetitions, form, balance."""

from typing import Annotated, Any

from zenml import log_metadata

from rag_llm_system.application.dataset.gates import dataset_report
from rag_llm_system.application.dataset.gates_report import DatasetReport, GateThresholds
from rag_llm_system.domain.datasets import ROW_MODELS, DatasetKind
from rag_llm_system.domain.documents import CleanedDocument
from steps.generate_datasets.source_texts import SourceTexts
from steps.progress import say
from steps.records import RecordsFile, StoredRecords, read_records
from steps.session import scratch_folder
from steps.tracing import traced_step


@traced_step
def evaluate_dataset(
    train: RecordsFile,
    test: RecordsFile,
    documents: RecordsFile,
    dataset_type: DatasetKind,
    gates: dict[str, Any],
) -> Annotated[DatasetReport, "dataset_report"]:
    """Judges, and changes nothing: ``check_dataset`` acts on it."""
    model = ROW_MODELS[dataset_type]
    texts = read_records(documents, CleanedDocument)
    with SourceTexts(scratch_folder() / "texts.sqlite", texts) as sources:
        report = dataset_report(
            StoredRecords(train, model),
            StoredRecords(test, model),
            lambda row: sources.text_of(row.document_id),
            GateThresholds.model_validate(gates),
        )
    for gate in report.gates:
        value = "not measured" if gate.value is None else f"{gate.value:g}"
        mark = "ok" if gate.passed else "failed"
        say(f"  {gate.name}: {value} ({gate.bound} {gate.threshold:g}) {mark}")
    log_metadata(
        {"passed": report.passed, **{g.name: g.value for g in report.gates if g.value is not None}}
    )
    return report
