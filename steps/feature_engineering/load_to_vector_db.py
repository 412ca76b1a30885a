"""Cleaned documents, or embedded chunks, into their collections."""

from typing import Annotated

from zenml import log_metadata

from rag_llm_system.application.indexing import LoadReport
from rag_llm_system.application.indexing.candidate import load_candidate
from rag_llm_system.application.indexing.reports import reasons
from rag_llm_system.domain.documents import Author, CleanedDocument
from rag_llm_system.domain.errors import DataError
from rag_llm_system.domain.ports import Record
from steps.progress import progress, say
from steps.records import RecordsFile, read_records
from steps.session import current_system
from steps.tracing import traced_step


@traced_step
def load_to_vector_db(
    documents: RecordsFile,
    author_full_names: list[str] | None = None,
    max_removed_share: float = 1.0,
) -> Annotated[LoadReport, "load_report"]:
    """Cleaned documents are all there are of these authors (None: of everybody): others of theirs are removed.

    Embedded chunks become a candidate, which ``check_retrieval`` lets go live.
    """
    cleaned = documents.kind == "cleaned_documents"
    with progress("comparing" if cleaned else "storing vectors", documents.rows) as advance:
        system = current_system()
        if cleaned:
            names = author_full_names
            report = system.indexer().load_cleaned(
                advance.each(read_records(documents, CleanedDocument)),
                authors=None if names is None else [Author.named(name).id for name in names],
                max_removed_share=max_removed_share,
            )
        else:
            records = advance.each(read_records(documents, Record))
            report = load_candidate(system.vectors, system.embedder, records)
    if report.given != documents.rows:
        raise DataError(f"{documents.rows} records in, {report.given} reached the vector store")
    for line in _documents(report) if cleaned else _vectors(report):
        say(line)
    log_metadata(report.model_dump())
    return report


def _documents(report: LoadReport) -> list[str]:
    done = [
        reasons(report.why),
        f"{report.gone} removed" if report.gone else "",
        f"{report.unchanged} unchanged",
    ]
    return [f"  documents: {', '.join(part for part in done if part)}"]


def _vectors(report: LoadReport) -> list[str]:
    gone = f", {report.gone} documents gone" if report.gone else ""
    lines = [f"  vectors: {report.written} written, {report.removed} stale ones removed{gone}"]
    if report.waiting and not report.switched:
        lines.append(
            f"  {report.waiting} documents are not embedded yet; run the feature engineering pipeline "
            "without author_full_names"
        )
    return lines
