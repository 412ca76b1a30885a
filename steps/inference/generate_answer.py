"""The answer, from chunks that were retrieved."""

from typing import Annotated

from zenml import log_metadata

from rag_llm_system.domain.answers import Answer, Context
from steps.progress import say
from steps.session import current_system
from steps.tracing import traced_step


@traced_step
def generate_answer(query: str, context: Context) -> Annotated[Answer, "answer"]:
    answer = current_system().answering.write(query, context)
    say(answer.text)
    log_metadata(
        {
            "model": answer.model,
            "sources": len(answer.sources),
            "confidence": answer.confidence.level if answer.confidence else "",
            "notes": list(answer.notes),
        }
    )
    return answer
