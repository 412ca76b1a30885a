"""Cuts documents into extracts, and says what is asked of a generator about each."""

from typing import Annotated

from zenml import log_metadata

from rag_llm_system.application.dataset.generation_report import GenerationReport
from rag_llm_system.application.dataset.prompts import GenerationPrompt
from rag_llm_system.application.dataset.prompts import create_prompts as prompts_of
from rag_llm_system.domain.datasets import DatasetKind
from rag_llm_system.domain.documents import CleanedDocument
from rag_llm_system.domain.errors import DataError
from steps.progress import say
from steps.records import RecordsFile, read_records, write_records
from steps.session import scratch_folder
from steps.tracing import traced_step


@traced_step
def create_prompts(
    documents: RecordsFile, dataset_type: DatasetKind, categories: list[str]
) -> Annotated[RecordsFile, "prompts"]:
    counts = GenerationReport()
    stream = prompts_of(
        read_records(documents, CleanedDocument), dataset_type, categories=categories, report=counts
    )
    file = write_records("prompts", stream, GenerationPrompt, scratch_folder())
    if not file.rows:
        raise DataError(
            f"none of the {documents.rows} documents has prose enough for a training row; index longer ones"
        )
    say(f"  {file.rows} extracts of {counts.documents} documents")
    log_metadata(
        {"documents": counts.documents, "prompts": file.rows, "skipped": dict(counts.skipped)}
    )
    return file
