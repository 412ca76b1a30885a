"""A second search for what the first one did not ask for: nearer to its best results, or in other words."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np

from rag_llm_system.application.rag.fusion import Ranked
from rag_llm_system.application.rag.query_expansion import LLMExpander, should_expand
from rag_llm_system.application.rag.question import Question
from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.ports import VectorStore

_FEEDBACK_CHUNKS = 3


class Expanding(Protocol):
    """Changes what is searched for after a first look."""

    def tokens(self, question: Question) -> int:
        """What a language model may read and write for it, at most; 0 where none is asked."""

    def expanded(
        self,
        question: Question,
        first: Sequence[Ranked],
        collections: Mapping[str, str],
        *,
        within_s: float = math.inf,
    ) -> Question | None:
        """None where another search does not pay. ``first``: what the question itself found, best first."""


class Feedback:
    """Pseudo-relevance feedback: the first results are taken for right (Rocchio 1971)."""

    def __init__(self, store: VectorStore) -> None:
        self._store = store

    def tokens(self, question: Question) -> int:  # noqa: ARG002 - of the protocol
        return 0

    def expanded(
        self,
        question: Question,
        first: Sequence[Ranked],
        collections: Mapping[str, str],
        *,
        within_s: float = math.inf,  # noqa: ARG002
    ) -> Question | None:
        vectors = [
            record.vector
            for one in first[:_FEEDBACK_CHUNKS]
            for record in self._store.scan(
                collections[one.candidate.category],
                where={"chunk_id": one.candidate.chunk_id},
                fields=(),
                with_vectors=True,
            )
        ]
        return question.nearer_to(np.array(vectors, dtype=np.float32)) if vectors else None


class Variations:
    """Other ways to put the question, by a model, where the first look leaves a doubt and there is time."""

    def __init__(
        self,
        expander: LLMExpander,
        embed: Callable[[Sequence[str]], Vectors],
        budget_s: float = math.inf,
    ) -> None:
        self._expander, self._embed, self._budget_s = expander, embed, budget_s

    def tokens(self, question: Question) -> int:
        return self._expander.tokens(question.text)

    def expanded(
        self,
        question: Question,
        first: Sequence[Ranked],
        collections: Mapping[str, str],  # noqa: ARG002 - of the protocol
        *,
        within_s: float = math.inf,
    ) -> Question | None:
        cosines = sorted((one.candidate.cosine for one in first), reverse=True)[:2]
        margin = cosines[0] - cosines[1] if len(cosines) > 1 else 1.0
        time_left_s = min(self._budget_s, within_s)
        if not should_expand(question.text, cosines[0], margin, time_left_s):
            return None
        written = self._expander.expand(question.text, within_s=time_left_s)
        return question.with_variations(self._embed(written)) if written else None
