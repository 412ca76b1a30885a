"""Which documents a chunk collection holds, and whether all of their points are there."""

from collections import Counter
from dataclasses import dataclass, field

from rag_llm_system.domain.ports import VectorStore


@dataclass(slots=True)
class Held:
    """The points of one document: how many with each fingerprint, and how many that must be."""

    counts: Counter[str] = field(default_factory=Counter)
    windows: dict[str, int] = field(default_factory=dict)

    @property
    def fingerprints(self) -> list[str]:
        """More than one after a run that was killed between writing the new points and removing the old."""
        return sorted(self.counts)

    def is_complete(self, fingerprint: str) -> bool:
        return fingerprint in self.counts and self.counts[fingerprint] == self.windows[fingerprint]


def held_documents(store: VectorStore, collection: str) -> dict[str, Held]:
    """By document id; a few hundred bytes each."""
    found: dict[str, Held] = {}
    fields = ("document_id", "fingerprint", "document_windows")
    for record in store.scan(collection, fields=fields):
        payload = record.payload
        document = found.setdefault(payload["document_id"], Held())
        document.counts[payload["fingerprint"]] += 1
        document.windows[payload["fingerprint"]] = payload["document_windows"]
    return found
