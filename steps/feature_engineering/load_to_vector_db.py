"""Cleaned documents, or embedded chunks, into their collections."""

from typing import Annotated

from zenml import log_metadata

from rag_llm_system.application.indexing import LoadReport
from rag_llm_system.domain.documents import CleanedDocument
from rag_llm_system.domain.errors import DataError
from rag_llm_system.domain.ports import Record
from steps.records import RecordsFile, read_records
from steps.session import current_system
from steps.tracing import traced_step


@traced_step
def load_to_vector_db(documents: RecordsFile) -> Annotated[LoadReport, "load_report"]:
    indexer = current_system().indexer()
    if documents.kind == "cleaned_documents":
        report = indexer.load_cleaned(read_records(documents, CleanedDocument))
    else:
        report = indexer.load_chunks(read_records(documents, Record))
    if report.given != documents.rows:
        raise DataError(f"{documents.rows} records in, {report.given} reached the vector store")
    log_metadata(report.model_dump())
    return report
