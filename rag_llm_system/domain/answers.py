"""Messages to a language model, and answers with their sources."""

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import Field

from rag_llm_system.domain.documents import Value


class Message(Value):
    role: Literal["system", "user", "assistant"]
    content: str


class ContextChunk(Value):
    """One retrieved chunk, numbered as the answer cites it; ``score`` is a raw cosine similarity."""

    n: int
    chunk_id: str
    document_id: str
    category: str
    title: str
    link: str
    author_full_name: str
    score: float
    content: str


class Context(Value):
    """What a question's retrieval gave, best first."""

    chunks: Sequence[ContextChunk]


class AnswerSource(Value):
    """What the reader is shown of a cited chunk."""

    n: int
    title: str
    link: str
    category: str
    score: float
    quote: str


class Answer(Value):
    """``text`` cites its sources as ``[1]``. No sources means that nothing was found: it is not an answer."""

    question: str
    text: str
    sources: Sequence[AnswerSource] = ()
    model: str
    grounded: bool
    timings_s: Mapping[str, float] = Field(default_factory=dict)
    trace_id: str = ""
