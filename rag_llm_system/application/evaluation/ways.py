"""The ways of searching that the gate asks its questions in: as answers are found, and by the vectors alone."""

from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np

from rag_llm_system.application.evaluation.gate_results import Search, Seen
from rag_llm_system.application.indexing import live_collections
from rag_llm_system.application.preprocessing.categories import SEARCHED, Category
from rag_llm_system.application.rag.question import encoded
from rag_llm_system.application.rag.retriever import ContextRetriever
from rag_llm_system.domain.ports import Embedder, VectorStore
from rag_llm_system.domain.queries import Query

DEPTH = 30
"""Chunks asked for: ten documents are among them, also where documents have several."""

_POINTS_PER_CHUNK = 2


def by_answers(retriever: ContextRetriever) -> Search:
    """As the retriever finds them, question by question."""

    def search(questions: Sequence[str]) -> list[list[Seen]]:
        found = (retriever.search(Query(text=question), DEPTH) for question in questions)
        return [[Seen(chunk.document_id, chunk.link) for chunk in chunks] for chunks in found]

    return search


def by_vectors(
    store: VectorStore, embedder: Embedder, table: Mapping[str, Category] = SEARCHED
) -> Search:
    """By cosine similarity, all questions at once; ties by id."""

    def search(questions: Sequence[str]) -> list[list[Seen]]:
        names = live_collections(store, embedder, table).values()
        vectors = np.stack([encoded(one, embedder, with_tokens=False).vector for one in questions])
        limit, fields = DEPTH * _POINTS_PER_CHUNK, ("document_id", "link")
        answers = [
            store.search_batch(name, vectors, limit=limit, fields=fields) for name in sorted(names)
        ]
        found = [
            sorted(chain.from_iterable(of_question), key=lambda hit: (-hit.score, hit.id))
            for of_question in zip(*answers, strict=True)
        ]
        return [
            [Seen(hit.payload["document_id"], hit.payload["link"]) for hit in hits]
            for hits in found or [[]] * len(questions)
        ]

    return search
