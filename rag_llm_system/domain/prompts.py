"""What language models are told, as it is kept."""

from rag_llm_system.domain.documents import Value


class Prompt(Value):
    """``version`` is the number that traces name: ``answer-2`` is version 2 of the prompt ``answer``."""

    name: str
    version: int
    text: str
