"""A category is one entry of the table: text in, search hit out, with nothing else to change."""

from pathlib import Path

import pytest

from rag_llm_system.application.indexing import Indexer
from rag_llm_system.application.preprocessing.categories import (
    CATEGORIES,
    Category,
    category_named,
)
from rag_llm_system.application.preprocessing.chunking_data_handlers import (
    Piece,
    Tokens,
    by_sentence,
)
from rag_llm_system.application.preprocessing.cleaning_data_handlers import clean_prose
from rag_llm_system.application.preprocessing.dispatchers import CleaningDispatcher
from rag_llm_system.application.rag.retriever import ContextRetriever
from rag_llm_system.domain.errors import UnknownName
from rag_llm_system.domain.queries import Query
from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
from rag_llm_system.infrastructure.tracing.off import OffTracer
from rag_llm_system.infrastructure.vector_stores.memory import MemoryVectorStore
from tests.unit.application.builders import document

SAMPLES = Path(__file__).parents[3] / "data" / "categories"
RECIPES = Category(
    "recipes",
    clean=clean_prose,
    chunk=by_sentence,
    chunk_size=Tokens(20, 0),
    filterable=("minutes",),
)


def test_the_documented_collections_follow_from_the_names() -> None:
    assert [(c.cleaned_collection, c.chunk_collection) for c in CATEGORIES.values()] == [
        ("cleaned_articles", "article_chunks_embedded"),
        ("cleaned_posts", "post_chunks_embedded"),
        ("cleaned_repositories", "repository_chunks_embedded"),
        ("cleaned_movies", "movie_chunks_embedded"),
        ("cleaned_preferences", "preference_chunks_embedded"),
    ]


def test_every_category_has_a_sample() -> None:
    assert {path.stem for path in SAMPLES.glob("*.txt")} == set(CATEGORIES)


@pytest.mark.parametrize("category", [*CATEGORIES.values(), RECIPES], ids=lambda c: c.name)
def test_a_sample_becomes_a_hit(category: Category) -> None:
    sample = SAMPLES / f"{category.name}.txt"
    text = sample.read_text(encoding="utf-8") if sample.exists() else "Knead. Wait. Bake."
    table = {category.name: category}
    store, embedder = MemoryVectorStore(), HashingEmbedder()
    raw = document("http://a.example/1", text, category=category.name, metadata={"minutes": 30})
    cleaned = CleaningDispatcher(table).dispatch(raw)
    assert cleaned is not None
    indexer = Indexer(store, embedder, table)
    indexer.load_chunks(indexer.embed_changed([cleaned]))

    retriever = ContextRetriever(store, embedder, OffTracer(), table)
    found = retriever.search(Query(text=text[:60], where={"minutes": 30}), k=1)

    assert [(c.category, c.link) for c in found] == [(category.name, "http://a.example/1")]


def test_an_unknown_category_names_the_known_ones() -> None:
    with pytest.raises(
        UnknownName, match="unknown category 'article'; known: articles, movies, posts"
    ):
        category_named("article")


def test_a_document_of_white_space_is_empty() -> None:
    assert CleaningDispatcher().dispatch(document("http://a.example/1", " \n\n ")) is None


@pytest.mark.parametrize("name", ["movies", "preferences"])
def test_a_film_and_a_preference_are_one_chunk_each(name: str) -> None:
    category = CATEGORIES[name]
    text = category.clean((SAMPLES / f"{name}.txt").read_text(encoding="utf-8"))
    pieces = list(category.chunk(text, category.chunk_size, HashingEmbedder().token_spans, ""))
    assert pieces == [Piece(0, len(text))]


def test_films_are_found_by_year_genre_and_cast() -> None:
    assert CATEGORIES["movies"].filterable == ("genres", "cast")
    assert CATEGORIES["movies"].filterable_numbers == ("year",)


@pytest.mark.parametrize("name", ["articles", "posts"])
def test_what_was_published_is_found_by_day(name: str) -> None:
    raw = document(
        "http://a.example/1", "Text.", category=name, metadata={"published_at": "2024-01-31T08:00Z"}
    )
    cleaned = CleaningDispatcher().dispatch(raw)
    assert cleaned is not None
    assert cleaned.metadata["published_on"] == 20240131
    assert "published_on" in CATEGORIES[name].filterable_numbers
