"""Answers questions about code bases, within the window of the model that writes."""

from collections.abc import Sequence
from functools import lru_cache

from rag_llm_system.application.code.token_estimate import tokens_at_most
from rag_llm_system.application.rag.answer import Answering, Asked, Retriever
from rag_llm_system.application.rag.context import ContextBuilder, formatted
from rag_llm_system.application.rag.follow_up import FollowUps
from rag_llm_system.application.rag.writers import AnswerWriter
from rag_llm_system.domain.answers import Answer, ContextChunk, Message
from rag_llm_system.domain.ports import Tracer
from rag_llm_system.domain.queries import Query

NUM_CTX = 8192
TOP_K = 8

_COUNTED = 4096
"""Texts whose tokens are remembered, some 10 MB: passages are counted again for every question that finds them."""


class CodeQueryEngine:
    """Retrieval, prompt and answer; ``answering`` streams, and may be shared between threads.

    Prompt and answer together never have more than ``num_ctx`` tokens, as ``tokens_at_most`` counts them; how many of
    them the answer may have is the writer's affair. ``follow_up``, ``defence`` and ``refuse_ungrounded`` as in
    :class:`Answering`.
    """

    def __init__(
        self,
        retriever: Retriever,
        writer: AnswerWriter,
        tracer: Tracer,
        *,
        num_ctx: int = NUM_CTX,
        top_k: int = TOP_K,
        follow_up: FollowUps | None = None,
        defence: bool = True,
        refuse_ungrounded: bool = False,
    ) -> None:
        self.top_k = top_k
        self.answering = Answering(
            retriever,
            writer,
            tracer,
            ContextBuilder(
                lru_cache(_COUNTED)(tokens_at_most), budget_tokens=num_ctx, window_tokens=num_ctx
            ),
            follow_up=follow_up,
            defence=defence,
            refuse_ungrounded=refuse_ungrounded,
        )

    def asked(
        self,
        question: str,
        *,
        k: int | None = None,
        repository: str = "",
        history: tuple[Message, ...] = (),
        deadline_s: float | None = None,
    ) -> Asked:
        """``repository``: the name of one code base, "" for all; ``history`` are the turns before, oldest first."""
        where = {"repository": repository} if repository else {}
        return Asked(
            query=Query(text=question, where=where),
            k=self.top_k if k is None else k,
            history=history,
            deadline_s=deadline_s,
        )

    def search(
        self, question: str, k: int | None = None, repository: str = ""
    ) -> list[ContextChunk]:
        """The chunks that an answer would be written from, best first."""
        asked = self.asked(question, k=k, repository=repository)
        return list(self.answering.retrieve(asked).context.chunks)

    def query(
        self,
        question: str,
        *,
        k: int | None = None,
        repository: str = "",
        history: tuple[Message, ...] = (),
    ) -> Answer:
        """The whole answer with its sources."""
        asked = self.asked(question, k=k, repository=repository, history=history)
        return self.answering.answer(asked)

    def _format_context(self, chunks: Sequence[ContextChunk]) -> str:
        """``### Code Snippet 1 (from src/auth.py:12-30):`` and the code in a fence, one after the other."""
        return formatted(chunks)
