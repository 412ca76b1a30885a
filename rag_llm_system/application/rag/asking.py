"""What an assistant is asked, and what it gives: the face that all assistants share."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from rag_llm_system.application.rag.prepared import Found
from rag_llm_system.application.rag.retriever import DEFAULT_K
from rag_llm_system.domain.answers import Answer, Context, Message
from rag_llm_system.domain.documents import Value
from rag_llm_system.domain.queries import Query

Limiter = AbstractAsyncContextManager[object]
"""Lets so many in at once: ``asyncio.Semaphore``, ``anyio.CapacityLimiter`` and the like."""


class Asked(Value):
    """A question and how it is to be answered.

    ``self_query``: whether conditions on the sources are read out of the question. ``history`` are the turns before
    it, oldest first; ``deadline_s`` is how long all of it may take. ``max_tokens`` bounds what language models read and
    write for it together: a small one shortens the context, then the answer. ``user`` is who asks, for assistants that
    remember what somebody likes.
    """

    query: Query
    k: int = DEFAULT_K
    self_query: bool = True
    history: tuple[Message, ...] = ()
    deadline_s: float | None = None
    max_tokens: int | None = None
    user: str = ""


class Piece(Value):
    """The next part of the answer's text."""

    text: str


class Retrieved(Value):
    context: Context
    trace_id: str


class Assistant(Protocol):
    """Answers questions of one kind, for several callers at once."""

    async def aretrieve(self, asked: Asked, limiter: Limiter | None = None) -> Retrieved:
        """What the answer would be written from, found in a thread."""
        ...

    def events(
        self, asked: Asked, limiter: Limiter | None = None
    ) -> AsyncGenerator[Found | Piece | Answer]:
        """What was found, then the answer's text in pieces that stay as they are, then the whole answer.

        In as many threads at once as ``limiter`` lets in. Raises DeadlineExceeded on time; closing this cancels all
        of it.
        """
        ...
