"""What the index holds now: its vocabulary, and self-query against it."""

import threading
from collections.abc import Callable

from rag_llm_system.application.rag.self_query.rules import SelfQuery
from rag_llm_system.application.rag.self_query.vocabulary import (
    Vocabulary,
    index_counts,
    vocabulary_of,
)
from rag_llm_system.application.rag.sizes import FRESH_S
from rag_llm_system.domain.ports import VectorStore
from rag_llm_system.domain.queries import Interpretation


class CurrentVocabulary:
    """Read when it is first asked for, and again when the index has changed."""

    def __init__(self, store: VectorStore, *, clock: Callable[[], float]) -> None:
        self._store, self._clock = store, clock
        self._lock = threading.Lock()
        self._known: tuple[object, Vocabulary] | None = None
        self._looked_at = float("-inf")

    def __call__(self) -> Vocabulary:
        with self._lock:
            if self._known is None or self._clock() - self._looked_at > FRESH_S:
                counts = index_counts(self._store)
                if self._known is None or self._known[0] != counts:
                    self._known = counts, vocabulary_of(self._store)
                self._looked_at = self._clock()
            return self._known[1]


class CurrentSelfQuery:
    """Made anew when the vocabulary is another one; questions of several threads may make it twice."""

    def __init__(
        self, vocabulary: Callable[[], Vocabulary], reading: Callable[[Vocabulary], SelfQuery]
    ) -> None:
        self._vocabulary, self._reading = vocabulary, reading
        self._made: tuple[Vocabulary, SelfQuery] | None = None

    def interpret(self, question: str) -> Interpretation:
        vocabulary, made = self._vocabulary(), self._made
        if made is None or made[0] is not vocabulary:
            made = self._made = vocabulary, self._reading(vocabulary)
        return made[1].interpret(question)
