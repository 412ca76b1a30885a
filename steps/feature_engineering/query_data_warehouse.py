"""Raw documents of some authors, read from the data warehouse in parallel."""

from collections.abc import Iterator
from typing import Annotated

from zenml import log_metadata

from rag_llm_system.application.warehouse import documents_of
from rag_llm_system.domain.documents import Document
from steps.progress import progress
from steps.records import RecordsFile, write_records
from steps.session import current_system, scratch_folder
from steps.tracing import traced_step


@traced_step
def query_data_warehouse(
    author_full_names: list[str] | None = None,
) -> Annotated[RecordsFile, "raw_documents"]:
    """Without names: every author in the data warehouse."""
    counts: dict[str, int] = {}
    with progress("reading documents", None) as advance:

        def counted() -> Iterator[Document]:
            for document in documents_of(author_full_names, current_system().documents):
                counts[document.category] = counts.get(document.category, 0) + 1
                advance(1)
                yield document

        file = write_records("raw_documents", counted(), Document, scratch_folder())
    log_metadata({"documents": file.rows, "per_category": counts})
    return file
