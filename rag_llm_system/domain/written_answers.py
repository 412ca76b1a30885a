"""How a model is asked, what it wrote, and how likely the reference answers are to it."""

from pydantic import Field

from rag_llm_system.domain.documents import Value


class Answering(Value):
    """How answers are written; ``batch_size`` rows at a time bounds the memory."""

    batch_size: int = Field(8, ge=1)
    max_new_tokens: int = Field(200, ge=1)


class WrittenAnswer(Value):
    """``ended`` tells whether the model stopped by itself, within the limit of tokens."""

    text: str
    ended: bool


class ReferenceLoss(Value):
    """``total`` is the negative log-likelihood of a row's reference answers (natural logarithm), stop tokens
    included; ``tokens`` is what they count."""

    total: float
    tokens: int
