"""Cleaned documents -> embedded windows of chunks, for the documents that changed."""

from typing import Annotated

from zenml import log_metadata

from rag_llm_system.application.indexing import EmbedReport
from rag_llm_system.application.indexing.candidate import take_back
from rag_llm_system.application.indexing.reports import reasons
from rag_llm_system.domain.documents import CleanedDocument
from rag_llm_system.domain.errors import DataError
from rag_llm_system.domain.ports import Record, encoder_name
from steps.progress import progress, say
from steps.records import RecordsFile, read_records, write_records
from steps.session import current_system, scratch_folder
from steps.tracing import traced_step


@traced_step
def chunk_and_embed(
    cleaned_documents: RecordsFile,
) -> tuple[Annotated[RecordsFile, "embedded_documents"], Annotated[EmbedReport, "embed_report"]]:
    system = current_system()
    for collection in take_back(system.vectors):
        say(f"  {collection}: an earlier run did not live to judge its change, which was undone")
    indexer = system.indexer()
    documents = read_records(cleaned_documents, CleanedDocument)
    with progress("embedding documents", cleaned_documents.rows) as advance:
        records = indexer.embed_changed(documents, advance)
        file = write_records("embedded_documents", records, Record, scratch_folder())
    report = indexer.report
    if (report.documents, report.windows) != (cleaned_documents.rows, file.rows):
        raise DataError(
            f"embedding lost something: {cleaned_documents.rows} documents in, "
            f"{report.documents} counted; {report.windows} vectors made, {file.rows} kept"
        )
    why = f" ({reasons(report.why)})" if report.why else ""
    say(
        f"  embedded {report.embedded} chunks of {report.embedded_documents} documents{why}, "
        f"{report.unchanged_documents} unchanged"
    )
    cache = system.embedding_cache
    cached = cache.report.hits if cache else 0
    if cached:
        say(f"  {cached} of {report.windows} vectors were known already")
    log_metadata(
        {**report.model_dump(), "encoder": encoder_name(system.embedder), "from_cache": cached}
    )
    return file, report
