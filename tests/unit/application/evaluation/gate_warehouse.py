"""Sixty documents with words of their own, indexed as the pipeline does it, and the gate over them."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from rag_llm_system.application.evaluation.gate import Examined, Gate
from rag_llm_system.application.evaluation.gate_report import GateConfig
from rag_llm_system.application.evaluation.gate_results import Results, Search
from rag_llm_system.application.evaluation.golden import GoldenQuestion, sampled_documents
from rag_llm_system.application.evaluation.golden_proposals import proposals
from rag_llm_system.application.evaluation.ways import by_vectors
from rag_llm_system.application.indexing import Indexer, LoadReport
from rag_llm_system.application.indexing.candidate import load_candidate
from rag_llm_system.application.preprocessing.categories import CATEGORIES, Category
from rag_llm_system.application.preprocessing.chunking_data_handlers import Chars
from rag_llm_system.application.preprocessing.dispatchers import CleaningDispatcher
from rag_llm_system.domain.chunks import Vectors
from rag_llm_system.domain.documents import Document
from rag_llm_system.domain.ports import Embedder, Record, VectorStore
from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
from rag_llm_system.infrastructure.vector_stores.memory import MemoryVectorStore
from tests.unit.application.builders import document

CONFIG = GateConfig(
    questions=40, min_questions=20, floors={"vectors": {"recall@10": 0.5, "mrr@10": 0.3}}
)
ENCODER = HashingEmbedder(dimension=256, max_tokens=64)
DOCUMENTS = 60

_NOUNS = ("harbour", "pilot", "tide", "buoy", "tug", "fog", "lock", "draught", "ship", "channel")
_VERBS = ("waits", "turns", "passes", "counts", "holds", "signals", "carries", "follows")


def sized(minimum: int, maximum: int) -> dict[str, Category]:
    return {"articles": replace(CATEGORIES["articles"], chunk_size=Chars(minimum, maximum))}


def written(number: int, more: str = "") -> Document:
    """A document whose sentences have names that no other has."""
    some = random.Random(number)  # noqa: S311 - always the same text
    names = [
        f"{some.choice('bdfgklmnprst')}{some.choice('aeiou')}" * 2 + f"{n}en" for n in range(3)
    ]
    place = "".join(some.choice("bdfgklmnprstaeiou") for _ in range(8)).capitalize()
    paragraphs = [
        " ".join(
            f"The {some.choice(_NOUNS)} of {place} {some.choice(_VERBS)} beside the {word(some)} and the "
            f"{word(some)} {some.choice(_NOUNS)} of {names[n]}."
            for _ in range(3)
        )
        for n in range(3)
    ]
    text = "\n\n".join([*paragraphs, more])
    return document(f"http://site.example/{number}", text, title=f"Berth {place}")


def word(some: random.Random) -> str:
    return "".join(some.choice("bdfgklmnprst") + some.choice("aeiou") for _ in range(4))


@dataclass
class Warehouse:
    """A store, what it is indexed with, and the results that were accepted last."""

    store: VectorStore = field(default_factory=MemoryVectorStore)
    table: Mapping[str, Category] = field(default_factory=lambda: sized(200, 400))
    encoder: Embedder = ENCODER
    accepted: Results = field(default_factory=dict)

    def load(self, documents: Sequence[Document]) -> LoadReport:
        clean = CleaningDispatcher(self.table)
        cleaned = [found for one in documents if (found := clean.dispatch(one))]
        indexer = Indexer(self.store, self.encoder, self.table)
        indexer.load_cleaned(cleaned)
        records = list(indexer.embed_changed(cleaned))
        return load_candidate(self.store, self.encoder, records, self.table)

    def examined(self, loaded: LoadReport, *, config: GateConfig = CONFIG) -> Examined:
        gate = Gate(self.store, self.searches, config, self.table)
        return gate.examine(loaded.candidate, self.questions(), self.accepted)

    def questions(self) -> list[GoldenQuestion]:
        documents = sampled_documents(self.store, CONFIG.seed, self.table)
        return list(proposals(documents, CONFIG.seed))[: CONFIG.questions]

    def searches(self, store: VectorStore) -> Mapping[str, Search]:
        return {"vectors": by_vectors(store, self.encoder, self.table)}

    def live(self) -> str:
        return self.store.aliases()["article_chunks_embedded"]


class Confused(HashingEmbedder):
    """A model that gives a question nothing of what it gives a document."""

    def embed(self, texts: Sequence[str], *, role: str = "document") -> Vectors:
        found = super().embed(texts, role=role)  # type: ignore[arg-type]
        return np.roll(found, 1, axis=1) if role == "query" else found


def shuffled(records: Sequence[Record]) -> list[Record]:
    others = random.Random(5).sample(records, len(records))  # noqa: S311 - any order
    return [
        one.model_copy(update={"vector": other.vector, "terms": other.terms})
        for one, other in zip(records, others, strict=True)
    ]
