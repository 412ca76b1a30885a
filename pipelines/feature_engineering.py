"""Data warehouse -> vector store: clean, chunk and embed what changed."""

from collections.abc import Sequence
from typing import Any

from pydantic import Field
from zenml import pipeline
from zenml.enums import ExecutionMode

from rag_llm_system.domain.documents import Value
from steps.feature_engineering.chunk_and_embed import chunk_and_embed
from steps.feature_engineering.clean_documents import clean_documents
from steps.feature_engineering.load_to_vector_db import load_to_vector_db
from steps.feature_engineering.query_data_warehouse import query_data_warehouse


class Config(Value):
    """``author_full_names`` left out means every author in the data warehouse.

    A run that would remove more than ``max_removed_share`` of the index fails instead: the data warehouse may be
    another one by mistake.
    """

    author_full_names: list[str] | None = None
    max_removed_share: float = Field(0.5, ge=0, le=1)


@pipeline(enable_cache=False, execution_mode=ExecutionMode.FAIL_FAST)
def feature_engineering(
    author_full_names: list[str] | None = None, max_removed_share: float = 0.5
) -> None:
    features(author_full_names, max_removed_share)


def features(
    author_full_names: Sequence[str] | None, max_removed_share: float, after: Sequence[Any] = ()
) -> Any:
    """The steps, as a part of a larger graph too."""
    names = None if author_full_names is None else list(author_full_names)
    raw = query_data_warehouse(author_full_names=names, after=list(after))
    cleaned = clean_documents(raw_documents=raw)
    loaded = load_to_vector_db(
        documents=cleaned, author_full_names=names, max_removed_share=max_removed_share
    )
    # the chunk collections follow the cleaned ones, so those come first
    embedded, _ = chunk_and_embed(cleaned_documents=cleaned, after=[loaded])
    return load_to_vector_db(documents=embedded)


graph = feature_engineering
