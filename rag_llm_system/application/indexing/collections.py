"""Which collections there are: their names and specs, and which are live.

A chunk collection belongs to one encoder and has its digest in the name, ``article_chunks_embedded__1f0a93c2``; the
documented name, ``article_chunks_embedded``, is an alias of the live one.
"""

from collections.abc import Mapping

from rag_llm_system.application.preprocessing.categories import CATEGORIES, Category
from rag_llm_system.application.preprocessing.fingerprints import digest
from rag_llm_system.domain.errors import IncompatibleCollection
from rag_llm_system.domain.ports import (
    CollectionSpec,
    Embedder,
    VectorStore,
    encoder_name,
    refuse_other_encoder,
)

_SEPARATOR = "__"
_KEY_DIGITS = 8

_KEYWORDS = ("document_id", "chunk_id", "author_id", "platform")


def chunk_collection_of(category: Category, embedder: Embedder) -> str:
    """The collection that holds this encoder's vectors of the category, live or not."""
    key = digest(encoder_name(embedder), embedder.dimension, embedder.max_tokens)[:_KEY_DIGITS]
    return f"{category.chunk_collection}{_SEPARATOR}{key}"


def chunk_collections(category: Category, store: VectorStore) -> list[str]:
    """The category's collections of every encoder, sorted."""
    prefix = category.chunk_collection + _SEPARATOR
    return sorted(name for name in store.collections() if name.startswith(prefix))


def cleaned_spec(category: Category) -> CollectionSpec:
    return CollectionSpec(
        keyword_fields=(*_KEYWORDS, *category.filterable),
        integer_fields=category.filterable_numbers,
    )


def chunk_spec(category: Category, embedder: Embedder) -> CollectionSpec:
    return CollectionSpec(
        dimension=embedder.dimension,
        encoder=encoder_name(embedder),
        keyword_fields=(*_KEYWORDS, *category.filterable),
        integer_fields=("window", *category.filterable_numbers),
    )


def refuse_earlier_layout(store: VectorStore, table: Mapping[str, Category]) -> None:
    """Raises IncompatibleCollection when there are chunks whose collection has no encoder in its name."""
    there = store.collections()
    for category in table.values():
        if category.chunk_collection in there:
            raise IncompatibleCollection(
                f"collection {category.chunk_collection!r} was made by an earlier version; make it "
                "anew: poe drop-vectors, then poe run-feature-engineering-pipeline"
            )


def live_collections(
    store: VectorStore, embedder: Embedder, table: Mapping[str, Category] = CATEGORIES
) -> dict[str, str]:
    """Category to the collection that answers come from; categories without one are left out.

    Raises IncompatibleCollection when they hold another encoder's vectors, or were made by an earlier version.
    """
    refuse_earlier_layout(store, table)
    there, aliases = store.collections(), store.aliases()
    live = {}
    for category in table.values():
        name = aliases.get(category.chunk_collection)
        if name is not None:
            refuse_other_encoder(
                category.chunk_collection, there[name], chunk_spec(category, embedder)
            )
            live[category.name] = name
    return live
