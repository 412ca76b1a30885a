"""The rows to train and to test on: from a train.jsonl, or made from the indexed articles."""

from pathlib import Path
from typing import Annotated

from zenml import log_metadata

from rag_llm_system.application.dataset.export import read_rows, write_split
from rag_llm_system.application.dataset.generation import rows_from_documents
from rag_llm_system.application.dataset.split import split_by_document
from rag_llm_system.application.indexing import cleaned_documents
from rag_llm_system.domain.datasets import DatasetSplit
from rag_llm_system.domain.errors import DataError
from steps.progress import say
from steps.session import current_system
from steps.tracing import traced_step


@traced_step
def prepare_dataset(
    dataset: str | None, test_share: float, seed: int
) -> Annotated[DatasetSplit, "instruct_datasets"]:
    """Split by document; the files are written to ``datasets`` in the data directory as well."""
    system = current_system()
    if dataset:
        rows = read_rows(Path(dataset))
    else:
        documents = (d for d in cleaned_documents(system.vectors) if d.category == "articles")
        rows = list(rows_from_documents(documents))
    if not rows:
        raise DataError(
            "there are no articles to make a train.jsonl of; index some first "
            "(poe run-end-to-end-data-pipeline), or name a dataset"
        )
    split = split_by_document(rows, test_share, seed)
    folder = system.settings.data_dir / "datasets"
    write_split(folder, split)
    say(f"  {len(split.train)} rows to train on, {len(split.test)} to test on, in {folder}")
    log_metadata({"train": len(split.train), "test": len(split.test), "made": dataset is None})
    return split
