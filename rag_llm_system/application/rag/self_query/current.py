"""Self-query against what the index holds now."""

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


class CurrentSelfQuery:
    """Reads the vocabulary with the first question, and again when the index has changed."""

    def __init__(
        self,
        store: VectorStore,
        reading: Callable[[Vocabulary], SelfQuery],
        *,
        clock: Callable[[], float],
    ) -> None:
        self._store, self._reading, self._clock = store, reading, clock
        self._lock = threading.Lock()
        self._known: tuple[object, SelfQuery] | None = None
        self._looked_at = float("-inf")

    def interpret(self, question: str) -> Interpretation:
        return self._current().interpret(question)

    def _current(self) -> SelfQuery:
        with self._lock:
            if self._known is None or self._clock() - self._looked_at > FRESH_S:
                counts = index_counts(self._store)
                if self._known is None or self._known[0] != counts:
                    self._known = counts, self._reading(vocabulary_of(self._store))
                self._looked_at = self._clock()
            return self._known[1]
