"""Data warehouse -> vector store: clean, chunk and embed what changed."""

from collections.abc import Sequence
from typing import Any

from zenml import pipeline
from zenml.enums import ExecutionMode

from rag_llm_system.domain.documents import Value
from steps.feature_engineering.chunk_and_embed import chunk_and_embed
from steps.feature_engineering.clean_documents import clean_documents
from steps.feature_engineering.load_to_vector_db import load_to_vector_db
from steps.feature_engineering.query_data_warehouse import query_data_warehouse


class Config(Value):
    """``author_full_names`` left out means every author in the data warehouse."""

    author_full_names: list[str] | None = None


@pipeline(enable_cache=False, execution_mode=ExecutionMode.FAIL_FAST)
def feature_engineering(author_full_names: list[str] | None = None) -> None:
    features(author_full_names)


def features(author_full_names: Sequence[str] | None, after: Sequence[Any] = ()) -> Any:
    """The steps, as a part of a larger graph too."""
    names = None if author_full_names is None else list(author_full_names)
    raw = query_data_warehouse(author_full_names=names, after=list(after))
    cleaned = clean_documents(raw_documents=raw)
    load_to_vector_db(documents=cleaned)
    embedded, _ = chunk_and_embed(cleaned_documents=cleaned)
    return load_to_vector_db(documents=embedded)


graph = feature_engineering
