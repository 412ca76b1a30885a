"""The answer, from chunks that were retrieved."""

from typing import Annotated

from zenml import log_metadata

from rag_llm_system.application.rag.answer import write_answer
from rag_llm_system.domain.answers import Answer, Context
from steps.progress import say
from steps.session import current_system
from steps.tracing import traced_step


@traced_step
def generate_answer(query: str, context: Context) -> Annotated[Answer, "answer"]:
    system = current_system()
    answer = write_answer(query, context.chunks, writer=system.writer, tracer=system.tracer)
    say(answer.text)
    log_metadata({"model": answer.model, "sources": len(answer.sources)})
    return answer
