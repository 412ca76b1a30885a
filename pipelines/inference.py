"""One question through retrieval and generation, as a traced and versioned run."""

from typing import Any

from pydantic import Field
from zenml import pipeline
from zenml.enums import ExecutionMode

from rag_llm_system.application.rag.retriever import DEFAULT_K, MAX_K
from rag_llm_system.domain.documents import Value
from steps.inference.generate_answer import generate_answer
from steps.inference.retrieve_context import retrieve_context


class Config(Value):
    """``where`` holds conditions on payload fields, such as ``platform: medium``; ``self_query``: whether such are read
    out of the question as well."""

    query: str = Field(min_length=1)
    k: int = Field(DEFAULT_K, ge=1, le=MAX_K)
    where: dict[str, Any] = Field(default_factory=dict)
    self_query: bool = True


@pipeline(enable_cache=False, execution_mode=ExecutionMode.FAIL_FAST)
def inference(query: str, k: int, where: dict[str, Any], self_query: bool) -> None:
    context = retrieve_context(query=query, k=k, where=where, self_query=self_query)
    generate_answer(query=query, context=context)


graph = inference
