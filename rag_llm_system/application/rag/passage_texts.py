"""The texts of chunks that were found, as they are in the store now."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rag_llm_system.application.rag.candidates import each
from rag_llm_system.application.rag.fusion import Candidate
from rag_llm_system.domain.ports import VectorStore

_READ = 3
"""Windows: an article's chunk has no more; of a file's six, the others would only take time."""


@dataclass(frozen=True)
class ChunkText:
    """A chunk's payload, that of its first window, where its windows are in ``content``, and which was found best."""

    payload: Mapping[str, Any]
    windows: tuple[tuple[int, int], ...]
    best: int = 0

    @property
    def content(self) -> str:
        return str(self.payload["content"])

    @property
    def embedded(self) -> list[str]:
        """What the encoder read, window by window; of a long chunk the best one and what stands beside it."""
        header = self.payload["header"]
        first = max(0, min(self.best - 1, len(self.windows) - _READ))
        some = self.windows[first : first + _READ]
        return [header + self.content[start:end] for start, end in some]


def load_texts(
    store: VectorStore, collections: Mapping[str, str], chunks: Iterable[Candidate]
) -> dict[str, ChunkText]:
    """By chunk id. A chunk whose first window is not there is left out: it is being written or removed just now."""
    wanted: dict[str, dict[str, int]] = defaultdict(dict)
    for one in chunks:
        wanted[one.category][one.chunk_id] = one.window

    def of_category(category: str, name: str) -> dict[str, ChunkText]:
        return _texts(store, name, wanted[category])

    found = each({category: collections[category] for category in sorted(wanted)}, of_category)
    return {chunk: text for texts in found.values() for chunk, text in texts.items()}


def _texts(store: VectorStore, name: str, best: Mapping[str, int]) -> dict[str, ChunkText]:
    first: dict[str, Mapping[str, Any]] = {}
    windows: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for record in store.scan(name, where={"chunk_id": list(best)}):
        payload = record.payload
        windows[payload["chunk_id"]].append((payload["window_start"], payload["window_end"]))
        if payload["window"] == 0:
            first[payload["chunk_id"]] = payload
    return {
        chunk: ChunkText(
            payload,
            windows=tuple(sorted(windows[chunk])),
            # in between, the chunk may have been cut anew
            best=min(best[chunk], len(windows[chunk]) - 1),
        )
        for chunk, payload in first.items()
    }
