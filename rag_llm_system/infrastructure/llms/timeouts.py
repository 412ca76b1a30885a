"""How long a model on a server may take, for each part of an answer."""

from pydantic import Field

from rag_llm_system.domain.documents import Value


class Timeouts(Value):
    """None of them is for the whole answer: a long answer is no error."""

    connect_s: float = Field(3.0, gt=0)
    read_s: float = Field(120.0, gt=0)
    """Before the first piece: the question may wait for others, and a model may have to be loaded."""
    idle_s: float = Field(30.0, gt=0)
    """Between two pieces."""
