"""A short name for what is being searched, which changes with it."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping

from rag_llm_system.domain.ports import VectorStore

_FRESH_S = 1.0
"""Stores count in up to a few milliseconds: once a second is nothing, with every question it would be a tenth."""

_DIGITS = 12


class IndexVersion:
    """Made of the collections that are live and of how many points each holds. Threads may share it."""

    def __init__(self, store: VectorStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._clock = store, clock
        self._known: tuple[float, Mapping[str, str], str] | None = None

    def of(self, collections: Mapping[str, str]) -> str:
        """12 hexadecimal digits. ``collections``: those that are live, by category."""
        known = self._known  # read once: another thread may replace it
        if known is not None and known[1] == collections and self._clock() - known[0] < _FRESH_S:
            return known[2]
        asked_at = self._clock()
        sizes = [(name, self._store.count(name)) for name in sorted(collections.values())]
        digest = hashlib.sha256(json.dumps(sizes).encode()).hexdigest()[:_DIGITS]
        self._known = asked_at, dict(collections), digest
        return digest
