"""How large the collections are: asked for now and then, as that costs a question a tenth of its time."""

import time
from collections.abc import Callable

from rag_llm_system.domain.ports import VectorStore

FRESH_S = 10.0
"""What is counted from a size, such as how rare words are, follows the index after so long at most."""


class Sizes:
    """Points by collection. Threads may share it: at worst two ask for the same."""

    def __init__(self, store: VectorStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._clock = store, clock
        self._known: dict[str, tuple[float, int]] = {}

    def of(self, name: str) -> int:
        known = self._known.get(name)
        if known is None or self._clock() - known[0] > FRESH_S:
            known = self._clock(), self._store.count(name)
            self._known[name] = known
        return known[1]
