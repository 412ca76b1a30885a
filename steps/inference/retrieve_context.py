"""The chunks that a question needs."""

from typing import Annotated, Any

from zenml import log_metadata

from rag_llm_system.domain.answers import Context
from rag_llm_system.domain.queries import Query
from steps.session import current_system
from steps.tracing import traced_step


@traced_step
def retrieve_context(
    query: str, k: int, where: dict[str, Any], self_query: bool
) -> Annotated[Context, "context"]:
    system = current_system()
    asked = Query(text=query, where=where)
    context = system.retriever.retrieve(asked, k, self_query=self_query)
    log_metadata({"chunks": len(context.chunks), "encoder": system.embedder.model_id})
    return context
