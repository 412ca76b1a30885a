"""The best candidates, compared with the question once more and more closely."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Protocol

from rag_llm_system.application.rag.late_interaction import TokenRarity, max_similarities
from rag_llm_system.application.rag.passage_texts import ChunkText
from rag_llm_system.application.rag.question import Question
from rag_llm_system.application.rag.sizes import Sizes
from rag_llm_system.domain.ports import Reranker, TokenEmbedder, VectorStore

RERANKED = 30
"""Chunks that are reranked. With 20, nDCG@10 on scifact (train) was 0.001 lower, with 50 0.002 higher."""

_SAMPLED = 1_000
"""Chunks of each collection in which the rarity of tokens is counted, the first by id: ids are random."""


class Reranking(Protocol):
    """Puts candidates in a better order."""

    needs_tokens: bool
    """Whether the question's token vectors are looked at."""

    def relevance(
        self,
        question: Question,
        collections: Mapping[str, str],
        texts: Sequence[ChunkText],
        before: Sequence[float],
    ) -> list[float]:
        """For each text what it is ranked by from now on, given what it was ranked by; fewer when time ran out."""


class LateInteraction:
    """Adds how well the tokens of the question are matched; see ``late_interaction``."""

    needs_tokens = True

    def __init__(self, store: VectorStore, embedder: TokenEmbedder) -> None:
        self._store, self._embedder, self._sizes = store, embedder, Sizes(store)
        self._counting = threading.Lock()
        self._counted: tuple[object, TokenRarity] | None = None

    def relevance(
        self,
        question: Question,
        collections: Mapping[str, str],
        texts: Sequence[ChunkText],
        before: Sequence[float],
    ) -> list[float]:
        if question.tokens is None:
            return list(before)
        weights = self._rarity(collections).weights(question.tokens.tokens)
        windows = [text.embedded for text in texts]
        vectors = iter(self._embedder.embed_tokens([one for of_text in windows for one in of_text]))
        parts = [list(islice(vectors, len(of_text))) for of_text in windows]
        scores = max_similarities(question.tokens, weights, parts)
        return [score + more for score, more in zip(before, scores, strict=True)]

    def _rarity(self, collections: Mapping[str, str]) -> TokenRarity:
        """Counted again when the index has changed."""
        state = tuple((name, self._sizes.of(name)) for _, name in sorted(collections.items()))
        with self._counting:
            if self._counted is None or self._counted[0] != state:
                texts = [text for name, _ in state for text in self._sample(name)]
                self._counted = state, TokenRarity.of(self._embedder.tokens(texts))
            return self._counted[1]

    def _sample(self, name: str) -> Iterator[str]:
        fields = ("content", "header")
        for record in islice(self._store.scan(name, where={"window": 0}, fields=fields), _SAMPLED):
            yield record.payload["header"] + record.payload["content"]


class ByModel:
    """Lets a model that reads question and text together decide alone."""

    needs_tokens = False

    def __init__(self, model: Reranker) -> None:
        self._model = model

    def relevance(
        self,
        question: Question,
        collections: Mapping[str, str],  # noqa: ARG002 - of the protocol
        texts: Sequence[ChunkText],
        before: Sequence[float],  # noqa: ARG002
    ) -> list[float]:
        return self._model.score(question.text, [text.content for text in texts])
