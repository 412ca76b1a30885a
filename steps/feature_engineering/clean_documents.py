"""Raw documents -> cleaned documents, by category."""

from collections.abc import Iterator
from typing import Annotated

from zenml import log_metadata

from rag_llm_system.application.preprocessing.dispatchers import CleaningDispatcher
from rag_llm_system.domain.documents import CleanedDocument, Document
from rag_llm_system.domain.errors import DataError
from steps.progress import progress
from steps.records import RecordsFile, read_records, write_records
from steps.session import scratch_folder
from steps.tracing import traced_step


@traced_step
def clean_documents(raw_documents: RecordsFile) -> Annotated[RecordsFile, "cleaned_documents"]:
    """Documents in equal documents out plus the empty ones, whose links are reported."""
    clean = CleaningDispatcher()
    empty: list[str] = []
    with progress("cleaning", raw_documents.rows) as advance:

        def cleaned() -> Iterator[CleanedDocument]:
            for document in read_records(raw_documents, Document):
                found = clean.dispatch(document)
                advance(1)
                if found is None:
                    empty.append(document.link)
                else:
                    yield found

        file = write_records("cleaned_documents", cleaned(), CleanedDocument, scratch_folder())
    if file.rows + len(empty) != raw_documents.rows:
        raise DataError(
            f"cleaning lost documents: {raw_documents.rows} in, {file.rows} out, {len(empty)} empty"
        )
    log_metadata({"documents": file.rows, "empty": len(empty), "empty_links": empty[:50]})
    return file
