"""Cleaned documents of some categories and authors, read from the feature store as a stream."""

from collections.abc import Iterator
from typing import Annotated

from zenml import log_metadata

from rag_llm_system.application.indexing import cleaned_documents
from rag_llm_system.application.preprocessing.categories import category_named
from rag_llm_system.domain.documents import CleanedDocument
from rag_llm_system.domain.errors import DataError, UnknownAuthor
from steps.progress import progress
from steps.records import RecordsFile, write_records
from steps.session import current_system, scratch_folder
from steps.tracing import traced_step


@traced_step
def query_feature_store(
    categories: list[str], author_full_names: list[str] | None = None
) -> Annotated[RecordsFile, "queried_cleaned_documents"]:
    """Without names: every author's."""
    table = {name: category_named(name) for name in categories}
    wanted = None if author_full_names is None else set(author_full_names)
    known: set[str] = set()
    counts: dict[str, int] = {}
    with progress("reading documents", None) as advance:

        def chosen() -> Iterator[CleanedDocument]:
            for document in cleaned_documents(current_system().vectors, table):
                known.add(document.author_full_name)
                if wanted is None or document.author_full_name in wanted:
                    counts[document.category] = counts.get(document.category, 0) + 1
                    advance(1)
                    yield document

        file = write_records(
            "queried_cleaned_documents", chosen(), CleanedDocument, scratch_folder()
        )
    for name in sorted((wanted or set()) - known):
        raise UnknownAuthor(name, known)
    if not file.rows:
        raise DataError(
            f"the index holds no {' or '.join(categories)} to make a training set of; index some first "
            "(poe run-end-to-end-data-pipeline), or name other categories"
        )
    log_metadata({"documents": file.rows, "per_category": counts})
    return file
