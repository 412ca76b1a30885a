"""The texts of chunks that were found, as they are in the store now."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rag_llm_system.application.rag.candidates import each
from rag_llm_system.application.rag.fusion import Candidate
from rag_llm_system.domain.ports import VectorStore
from rag_llm_system.domain.queries import Where


@dataclass(frozen=True)
class ChunkText:
    """A chunk's payload, that of its first window, and where its windows are in ``content``."""

    payload: Mapping[str, Any]
    windows: tuple[tuple[int, int], ...]

    @property
    def content(self) -> str:
        return str(self.payload["content"])

    @property
    def embedded(self) -> list[str]:
        """What the encoder read, window by window."""
        header = self.payload["header"]
        return [header + self.content[start:end] for start, end in self.windows]


def load_texts(
    store: VectorStore, collections: Mapping[str, str], chunks: Iterable[Candidate]
) -> dict[str, ChunkText]:
    """By chunk id. A chunk whose first window is not there is left out: it is being written or removed just now."""
    wanted: dict[str, list[str]] = defaultdict(list)
    for one in chunks:
        wanted[one.category].append(one.chunk_id)

    def of_category(category: str, name: str) -> dict[str, ChunkText]:
        return _texts(store, name, {"chunk_id": wanted[category]})

    found = each({category: collections[category] for category in sorted(wanted)}, of_category)
    return {chunk: text for texts in found.values() for chunk, text in texts.items()}


def _texts(store: VectorStore, name: str, where: Where) -> dict[str, ChunkText]:
    first: dict[str, Mapping[str, Any]] = {}
    windows: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for record in store.scan(name, where=where):
        payload = record.payload
        windows[payload["chunk_id"]].append((payload["window_start"], payload["window_end"]))
        if payload["window"] == 0:
            first[payload["chunk_id"]] = payload
    return {
        chunk: ChunkText(payload, tuple(sorted(windows[chunk]))) for chunk, payload in first.items()
    }
