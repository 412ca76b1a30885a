"""Which collections there are: their names and specs, and which are live.

A chunk collection belongs to one encoder and has its digest in the name, ``article_chunks_embedded__1f0a93c2``; the
documented name, ``article_chunks_embedded``, is an alias of the live one. A great change of it is built beside
it, in the collection's twin, ``article_chunks_embedded__1f0a93c2_2``, and the alias moves there (``candidate.py``).
"""

from collections.abc import Mapping

from rag_llm_system.application.preprocessing import terms
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
_TWIN = "_2"

_KEYWORDS = ("document_id", "chunk_id", "author_id", "author_full_name", "platform")


def chunk_collection_of(category: Category, embedder: Embedder) -> str:
    """The collection that holds this encoder's vectors of the category, live or not."""
    key = digest(encoder_name(embedder), embedder.dimension, embedder.max_tokens, terms.NAME)
    key = key[:_KEY_DIGITS]
    return f"{category.chunk_collection}{_SEPARATOR}{key}"


def twin_of(collection: str) -> str:
    """The other of the two collections that take turns in being live."""
    return collection.removesuffix(_TWIN) if collection.endswith(_TWIN) else collection + _TWIN


def own_collection(category: Category, embedder: Embedder, store: VectorStore) -> str:
    """Of the two of this encoder, the live one; where another encoder is live, the one that is there."""
    first = chunk_collection_of(category, embedder)
    second = twin_of(first)
    live = store.aliases().get(category.chunk_collection)
    if live in {first, second}:
        return live
    there = store.collections()
    return second if second in there and first not in there else first


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
        terms=terms.NAME,
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
