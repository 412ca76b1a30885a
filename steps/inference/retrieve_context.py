"""The chunks that a question needs."""

from typing import Annotated, Any

from zenml import log_metadata

from rag_llm_system.domain.answers import Context
from rag_llm_system.domain.queries import Query
from steps.session import current_system
from steps.tracing import traced_step


@traced_step
def retrieve_context(query: str, k: int, where: dict[str, Any]) -> Annotated[Context, "context"]:
    system = current_system()
    chunks = system.retriever.search(Query(text=query, where=where), k)
    log_metadata({"chunks": len(chunks), "encoder": system.embedder.model_id})
    return Context(chunks=chunks)
