"""Data warehouse -> vector store: clean, chunk and embed what changed, and judge it before it answers."""

from collections.abc import Sequence
from typing import Any

from pydantic import Field
from zenml import pipeline
from zenml.enums import ExecutionMode

from rag_llm_system.domain.documents import Value
from steps.feature_engineering.check_retrieval import check_retrieval
from steps.feature_engineering.chunk_and_embed import chunk_and_embed
from steps.feature_engineering.clean_documents import clean_documents
from steps.feature_engineering.evaluate_retrieval import evaluate_retrieval
from steps.feature_engineering.load_to_vector_db import load_to_vector_db
from steps.feature_engineering.query_data_warehouse import query_data_warehouse


class Config(Value):
    """``author_full_names`` left out means every author in the data warehouse.

    A run that would remove more than ``max_removed_share`` of the index fails instead: the data warehouse may be
    another one by mistake. An index that finds less than the one in use does not replace it (``gate``); see
    ``configs/retrieval_gate.yaml``.
    """

    author_full_names: list[str] | None = None
    max_removed_share: float = Field(0.5, ge=0, le=1)
    gate: bool = True


@pipeline(enable_cache=False, execution_mode=ExecutionMode.FAIL_FAST)
def feature_engineering(
    author_full_names: list[str] | None = None, max_removed_share: float = 0.5, gate: bool = True
) -> None:
    features(author_full_names, max_removed_share, gate)


def features(
    author_full_names: Sequence[str] | None,
    max_removed_share: float,
    gate: bool,
    after: Sequence[Any] = (),
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
    new = load_to_vector_db(documents=embedded)
    report, results = evaluate_retrieval(loaded=new)
    return check_retrieval(loaded=new, report=report, results=results, gate=gate)


graph = feature_engineering
