"""Models of language: encoders, rerankers and those that write."""

from collections.abc import AsyncGenerator, Iterator, Sequence
from typing import Literal, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.chunks import TokenVectors, Vectors
from rag_llm_system.domain.from_context import FromContext

Role = Literal["document", "query"]
"""What a text is to the encoder: some models want a question introduced by other words than what answers it."""


class Embedder(Protocol):
    """Text to vectors."""

    @property
    def model_id(self) -> str: ...

    @property
    def revision(self) -> str:
        """Which weights of that model: vectors of two revisions do not compare. "" when that cannot be known."""

    @property
    def dimension(self) -> int: ...

    @property
    def max_tokens(self) -> int:
        """How many tokens of text one vector can stand for; special tokens and the model's prompt not counted."""

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        """The encoder's own tokens as ``(start, end)`` characters of ``text``, in order."""

    def embed(self, texts: Sequence[str], *, role: Role = "document") -> Vectors:
        """Shape (len(texts), dimension), rows of length 1. A text over ``max_tokens`` raises DataError."""


@runtime_checkable
class TokenEmbedder(Protocol):
    """What an Embedder may have as well: the vectors of single tokens, in their context."""

    def tokens(self, texts: Sequence[str]) -> list[npt.NDArray[np.int32]]:
        """The tokens of each text, of any length, as in ``TokenVectors``."""

    def embed_tokens(
        self, texts: Sequence[str], *, role: Role = "document"
    ) -> Sequence[TokenVectors]:
        """One for each text. A text over ``max_tokens`` raises DataError."""

    def embed_with_tokens(
        self, texts: Sequence[str], *, role: Role = "document"
    ) -> tuple[Vectors, Sequence[TokenVectors]]:
        """What ``Embedder.embed`` and ``embed_tokens`` give, from one pass through the model."""


def encoder_name(embedder: Embedder) -> str:
    """What collections are marked with: ``model@revision``."""
    revision = embedder.revision
    return f"{embedder.model_id}@{revision}" if revision else embedder.model_id


class Reranker(Protocol):
    """Scores how well texts answer a question."""

    def score(self, question: str, texts: Sequence[str]) -> list[float]:
        """One score in [0, 1] per text, higher is better.

        Where time is limited there may be fewer: of the first texts.
        """


class LLM(Protocol):
    """A language model. A whole answer joins the pieces; closing the iterator cancels."""

    @property
    def model_id(self) -> str: ...

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, temperature: float
    ) -> Iterator[str]: ...


@runtime_checkable
class GroundedLLM(Protocol):
    """What an LLM may have as well: it can be held to the context in marked fields while it writes."""

    def stream_from_context(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float,
        from_context: Sequence[FromContext],
    ) -> Iterator[str]:
        """As ``LLM.stream``. A server that cannot do it may write freely: what it wrote is checked in any case."""


@runtime_checkable
class AsyncLLM(Protocol):
    """What an LLM may have as well: it answers without a thread of its own."""

    def astream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float,
        from_context: Sequence[FromContext] = (),
    ) -> AsyncGenerator[str]:
        """As ``GroundedLLM.stream_from_context``. Closing the generator, or cancelling its task, frees the
        connection and ends the generation at once."""
