"""A data warehouse in a dictionary, the settings it is indexed with, and what its index must be."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

from rag_llm_system.application.indexing import EmbedReport, Indexer, LoadReport
from rag_llm_system.application.preprocessing.categories import CATEGORIES, Category
from rag_llm_system.application.preprocessing.chunking_data_handlers import Chars, ChunkSize, Tokens
from rag_llm_system.application.preprocessing.dispatchers import (
    ChunkingDispatcher,
    CleaningDispatcher,
    EmbeddingDispatcher,
)
from rag_llm_system.domain.documents import Author, CleanedDocument, Document
from rag_llm_system.domain.ports import VectorStore
from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
from rag_llm_system.infrastructure.vector_stores.memory import MemoryVectorStore
from tests.unit.application.builders import document

PARAGRAPHS = (
    "Harbour pilots board a ship outside the port. They know each sandbank by its name.",
    "The tide turns twice a day here. A ship that misses it waits. Nobody likes the waiting.",
    "Every buoy has a number and a light; the book of lights lists them all, page after page.",
    "A tug of sixty tons pulls well. Two of them turn the longest ship in its own length.",
    "Fog comes in autumn. Then the radar on the hill counts what moves and calls it by radio.",
    "The lock keeper writes down names, lengths and draughts, and has done so for forty years.",
    "# Night shift",
    "```python\nfor ship in waiting:\n    ship.enter()\n```",
)
AUTHORS = tuple(Author.named(name) for name in ("Ada One", "Ben Two", "Cleo Three"))


def loud(text: str) -> str:
    """A cleaner that changes every text."""
    return text.upper().strip()


def table(articles: ChunkSize, posts: ChunkSize, repositories: ChunkSize) -> dict[str, Category]:
    sizes = {"articles": articles, "posts": posts, "repositories": repositories}
    return {name: replace(CATEGORIES[name], chunk_size=size) for name, size in sizes.items()}


_SMALL = table(Chars(80, 160), Tokens(20, overlap=5), Tokens(30, overlap=5))
TABLES: Sequence[Mapping[str, Category]] = (
    _SMALL,
    table(Chars(160, 320), Tokens(20, overlap=5), Tokens(60, overlap=0)),
    {name: replace(category, clean=loud) for name, category in _SMALL.items()},
    {name: replace(category, version=99) for name, category in _SMALL.items()},
)
ENCODERS = (
    HashingEmbedder(dimension=16, max_tokens=16),
    HashingEmbedder(dimension=24, max_tokens=16),
    HashingEmbedder("hashing-long", dimension=16, max_tokens=24),
)


@dataclass(frozen=True)
class Entry:
    """One document as the data warehouse has it; ``paragraphs`` are numbers of PARAGRAPHS."""

    category: str
    link: str
    paragraphs: tuple[int, ...]
    title: str = "A title"
    author: int = 0

    @property
    def raw(self) -> Document:
        author = AUTHORS[self.author]
        return document(
            self.link,
            "\n\n".join(PARAGRAPHS[number] for number in self.paragraphs),
            category=self.category,
            title=self.title,
            author_id=author.id,
            author_full_name=author.full_name,
            metadata={"language": "text", "source_file": "notes.txt"},
        )


@dataclass(frozen=True)
class Settings:
    """A table of categories and an encoder, by number."""

    table_number: int = 0
    encoder_number: int = 0

    @property
    def table(self) -> Mapping[str, Category]:
        return TABLES[self.table_number]

    @property
    def encoder(self) -> HashingEmbedder:
        return ENCODERS[self.encoder_number]


@dataclass(frozen=True)
class Version:
    """A document as one run indexes it: where its points are and which they are."""

    document_id: str
    collection: str
    points: frozenset[str]


@cache
def cleaned_entry(entry: Entry, table_number: int) -> CleanedDocument | None:
    """None when nothing is left to index."""
    return CleaningDispatcher(TABLES[table_number]).dispatch(entry.raw)


@cache
def version(entry: Entry, settings: Settings) -> Version | None:
    """None when nothing is left to index."""
    cleaned = cleaned_entry(entry, settings.table_number)
    if cleaned is None:
        return None
    chunks = ChunkingDispatcher(settings.encoder, settings.table).dispatch(cleaned)
    windows = EmbeddingDispatcher(settings.encoder).windows(chunks)
    collection = settings.table[entry.category].chunk_collection
    return Version(cleaned.id, collection, frozenset(window.id for window in windows))


def cleaned_entries(entries: Iterable[Entry], settings: Settings) -> list[CleanedDocument]:
    found = (cleaned_entry(entry, settings.table_number) for entry in entries)
    return [cleaned for cleaned in found if cleaned]


def run(
    store: VectorStore,
    documents: Sequence[CleanedDocument],
    settings: Settings,
    authors: Sequence[str] | None = None,
) -> tuple[LoadReport, EmbedReport, LoadReport]:
    """What the feature engineering pipeline does with cleaned documents, step by step."""
    indexer = Indexer(store, settings.encoder, settings.table)
    cleaned = indexer.load_cleaned(documents, authors=authors)
    records = list(indexer.embed_changed(documents))
    return cleaned, indexer.report, indexer.load_chunks(records)


def built_from_scratch(entries: Iterable[Entry], settings: Settings) -> MemoryVectorStore:
    store = MemoryVectorStore()
    run(store, cleaned_entries(entries, settings), settings)
    return store


def exported(store: VectorStore) -> dict[str, str]:
    """Every collection, by its own name, as JSON lines with vectors."""
    return {name: _json_lines(store, name) for name in store.collections()}


def answering(store: VectorStore) -> dict[str, str]:
    """What is read by the documented names: cleaned documents, and what the aliases stand for; empty ones left out."""
    names = [*(c for c in store.collections() if c.startswith("cleaned_")), *store.aliases()]
    return {name: lines for name in names if (lines := _json_lines(store, name))}


def _json_lines(store: VectorStore, name: str) -> str:
    found = store.scan(name, with_vectors=True)
    return "".join(json.dumps(record.model_dump(mode="json")) + "\n" for record in found)
