"""Forty documents through four generations: made, changed, cut otherwise, embedded by another encoder."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from rag_llm_system.application.indexing import Indexer
from rag_llm_system.application.preprocessing.categories import CATEGORIES, Category
from rag_llm_system.application.preprocessing.chunking_data_handlers import Chars, ChunkSize, Tokens
from rag_llm_system.application.preprocessing.dispatchers import (
    ChunkingDispatcher,
    CleaningDispatcher,
    EmbeddingDispatcher,
)
from rag_llm_system.domain.documents import CleanedDocument, Document
from rag_llm_system.domain.ports import VectorStore
from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
from rag_llm_system.infrastructure.vector_stores.memory import MemoryVectorStore
from tests.unit.application.builders import document

DOCUMENTS = 40
DELETED = {3, 13, 23, 33}
RENAMED = {5, 15, 25}
MOVED = {7: "posts", 17: "posts", 30: "articles"}
RETITLED = {9, 19}
EXTENDED = {1, 11, 21, 31}
REWRITTEN = {2, 12, 22, 32}
ADDED = range(DOCUMENTS, DOCUMENTS + 3)

_NOUNS = ("harbour", "pilot", "tide", "buoy", "tug", "fog", "lock", "draught", "ship", "channel")
_VERBS = ("waits", "turns", "passes", "counts", "holds", "signals", "carries", "follows")


@dataclass(frozen=True)
class Version:
    """A document as one generation indexes it: where its points are, which, and a text that finds it."""

    collection: str
    points: frozenset[str]
    text: str


@dataclass(frozen=True)
class Generation:
    """What is indexed, by a key that stays when link or category change, and how."""

    documents: Mapping[int, Document]
    table: Mapping[str, Category]
    encoder: HashingEmbedder

    def cleaned(self) -> dict[int, CleanedDocument]:
        clean = CleaningDispatcher(self.table)
        found = {key: clean.dispatch(one) for key, one in self.documents.items()}
        return {key: one for key, one in found.items() if one}

    def versions(self) -> dict[int, Version]:
        chunking = ChunkingDispatcher(self.encoder, self.table)
        embedding = EmbeddingDispatcher(self.encoder)
        found = {}
        for key, one in self.cleaned().items():
            windows = embedding.windows(chunking.dispatch(one))
            found[key] = Version(
                self.table[one.category].chunk_collection,
                frozenset(window.id for window in windows),
                windows[0].text,
            )
        return found

    def indexed_into(self, store: VectorStore) -> None:
        """As the feature engineering pipeline does it."""
        indexer = Indexer(store, self.encoder, self.table)
        documents = list(self.cleaned().values())
        indexer.load_cleaned(documents)
        records = list(indexer.embed_changed(documents))
        indexer.load_chunks(records)


@cache
def generations() -> Sequence[Generation]:
    table = _table(Chars(200, 400), Tokens(40, overlap=5))
    other = _table(Chars(300, 600), Tokens(40, overlap=5))
    other["posts"] = replace(other["posts"], version=99)
    encoder = HashingEmbedder(dimension=64, max_tokens=48)
    first = {key: _document(key) for key in range(DOCUMENTS)}
    second = {key: _changed(key) for key in (*first, *ADDED) if key not in DELETED}
    return (
        Generation(first, table, encoder),
        Generation(second, table, encoder),
        Generation(second, other, encoder),
        Generation(second, other, HashingEmbedder("hashing-b", dimension=48, max_tokens=48)),
    )


@cache
def versions(generation: int) -> Mapping[int, Version]:
    return generations()[generation].versions()


@cache
def built_from_scratch(generation: int) -> MemoryVectorStore:
    store = MemoryVectorStore()
    generations()[generation].indexed_into(store)
    return store


def _table(articles: ChunkSize, posts: ChunkSize) -> dict[str, Category]:
    """Of two categories: more would only be more processes of an engine that has one for each collection."""
    sizes = {"articles": articles, "posts": posts}
    return {name: replace(CATEGORIES[name], chunk_size=size) for name, size in sizes.items()}


def _document(key: int) -> Document:
    text = "\n\n".join(_paragraph(key, number) for number in range(2 + key % 4))
    category = "articles" if key < 28 else "posts"
    return document(f"http://site.example/{key}", text, category=category)


def _changed(key: int) -> Document:
    before = _document(key)
    changes: dict[str, object] = {}
    if key in EXTENDED:
        changes["text"] = f"{before.text}\n\n{_paragraph(key, 10)}"
    if key in REWRITTEN:
        changes["text"] = f"{_paragraph(key, 20)}\n\n{_paragraph(key, 21)}"
    if key in RENAMED:
        changes["source"] = before.source.model_copy(update={"link": f"{before.link}/new"})
    if key in MOVED:
        changes["category"] = MOVED[key]
    if key in RETITLED:
        changes["title"] = "Another title"
    return before.model_copy(update=changes)


def _paragraph(key: int, number: int) -> str:
    """Sentences with words that no other document has."""
    choose = random.Random(f"{key}:{number}").choice  # noqa: S311 - always the same text
    return " ".join(
        f"The {choose(_NOUNS)} of berth{key} {choose(_VERBS)} near {choose(_NOUNS)}{key}x{number}."
        for _ in range(4)
    )
