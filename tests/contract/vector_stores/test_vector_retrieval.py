"""A question finds the same chunks in the same order, whichever store holds them."""

import random

import pytest

from rag_llm_system.application.indexing import Indexer
from rag_llm_system.application.rag.reranking import LateInteraction
from rag_llm_system.application.rag.retriever import ContextRetriever
from rag_llm_system.domain.answers import ContextChunk
from rag_llm_system.domain.ports import VectorStore
from rag_llm_system.domain.queries import Query, Stages
from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
from rag_llm_system.infrastructure.tracing.off import OffTracer
from rag_llm_system.infrastructure.vector_stores.memory import MemoryVectorStore
from tests.contract.vector_stores.cases import BACKENDS, DOUBLE_WARNS, open_backend
from tests.unit.application.builders import cleaned

WORDS = (
    "anchor", "beacon", "cargo", "dock", "engine", "ferry", "galley", "harbour", "island", "jetty",
    "keel", "lantern", "mast", "navigator", "oar", "pilot", "quay", "rudder", "sail", "tide",
)  # fmt: skip
QUESTIONS = (
    "Which pilot knows the tide?", "anchor and lantern", "rudder", "sail sail sail", "Is it what?",
)  # fmt: skip
pytestmark = DOUBLE_WARNS


def fill(store: VectorStore) -> None:
    """Articles of one to three windows, and posts."""
    rng = random.Random(7)  # noqa: S311 - test data
    documents = [
        cleaned(
            f"http://a.example/{n}",
            f"{'. '.join(' '.join(rng.choices(WORDS, k=9)) for _ in range(rng.choice((1, 4, 12))))}.",
            category="posts" if n % 3 == 0 else "articles",
            title=f"Log {n}",
        )
        for n in range(40)
    ]
    indexer = Indexer(store, HashingEmbedder())
    indexer.load_chunks(list(indexer.embed_changed(documents)))


def asked(store: VectorStore, ranking: str) -> list[list[ContextChunk]]:
    embedder = HashingEmbedder()
    retriever = ContextRetriever(
        store,
        embedder,
        OffTracer(),
        stages=Stages.model_validate({"ranking": ranking}),
        reranking=LateInteraction(store, embedder),
    )
    return [retriever.search(Query(text=question), k=12) for question in QUESTIONS]


@pytest.mark.parametrize("ranking", ["evidence", "rrf", "dense", "bm25"])
@pytest.mark.parametrize("backend", [name for name in BACKENDS if name != "memory"])
def test_every_store_ranks_alike(backend: str, ranking: str, tmp_path) -> None:
    reference, store = MemoryVectorStore(), open_backend(backend, tmp_path)
    try:
        fill(reference)
        fill(store)
        for found, expected in zip(asked(store, ranking), asked(reference, ranking), strict=True):
            assert [c.chunk_id for c in found] == [c.chunk_id for c in expected]
            assert [c.relevance for c in found] == pytest.approx(
                [c.relevance for c in expected], abs=1e-4
            )
    finally:
        for alias in store.aliases():
            store.point_aliases({alias: None})
        for name in store.collections():
            store.drop(name)
        store.close()


def test_a_question_gets_the_same_answer_twice() -> None:
    store = MemoryVectorStore()
    fill(store)
    assert asked(store, "evidence") == asked(store, "evidence")
