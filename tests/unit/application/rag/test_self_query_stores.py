"""Self-query and the stores: what is known comes from them, and conditions are given up when nothing meets them."""

from rag_llm_system.application.indexing import Indexer
from rag_llm_system.application.rag.self_query import (
    RuleSelfQuery,
    Vocabulary,
    index_counts,
    relaxed,
    vocabulary_of,
)
from rag_llm_system.domain.queries import Interpretation
from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
from rag_llm_system.infrastructure.vector_stores.memory import MemoryVectorStore
from tests.unit.application.builders import cleaned
from tests.unit.application.rag.self_query_data import TODAY, vocabulary


def store_of_two() -> MemoryVectorStore:
    store = MemoryVectorStore()
    indexer = Indexer(store, HashingEmbedder())
    film = {"year": 1999, "genres": ["Drama", "Noir"], "cast": ["Tom Hanks"]}
    file = {"language": "python", "repository": "lanternlab/atlas", "source_file": "a.py"}
    documents = [
        cleaned("http://a.example/1", "Text.", author_full_name="Zoë Müller"),
        cleaned("http://a.example/2", "Film.", category="movies", metadata=film),
        cleaned("http://a.example/3", "x = 1", category="repositories", metadata=file),
    ]
    indexer.load_chunks(indexer.embed_changed(documents))
    return store


def test_the_vocabulary_is_what_the_chunks_say() -> None:
    known = vocabulary_of(store_of_two())
    assert known.values == {
        "author_full_name": ("The Project", "Zoë Müller"),
        "platform": ("site.example",),
        "category": ("articles", "movies", "repositories"),
        "language": ("python",),
        "repository": ("lanternlab/atlas",),
        "kind": ("code",),
        "genres": ("Drama", "Noir"),
        "cast": ("Tom Hanks",),
    }
    assert known.numbers == {"published_on", "year"}


def test_an_empty_store_knows_nothing() -> None:
    known = vocabulary_of(MemoryVectorStore())
    assert RuleSelfQuery(known, today=lambda: TODAY).interpret("posts by Ada") == Interpretation()


def test_the_counts_tell_that_documents_came() -> None:
    before = index_counts(MemoryVectorStore())
    after = index_counts(store_of_two())
    assert set(before.values()) == {0}
    assert before.keys() == after.keys()
    assert after["movie_chunks_embedded"] == 1


def asked(question: str, known: Vocabulary | None = None) -> Interpretation:
    return RuleSelfQuery(known or vocabulary(), today=lambda: TODAY).interpret(question)


def test_conditions_are_given_up_one_by_one_the_author_last() -> None:
    read = asked("What did Zoë Müller write on Medium in 2021?")
    weaker = list(relaxed(read))
    assert [sorted(one.where) for one, _ in weaker] == [
        ["author_full_name", "platform"],
        ["author_full_name"],
        [],
    ]
    assert [note for _, note in weaker][:2] == [
        "nothing by Zoë Müller on medium from 2021: searched without the date",
        "nothing by Zoë Müller on medium from 2021: searched without the date and the platform",
    ]


def test_of_a_film_the_year_goes_first_and_the_cast_last() -> None:
    weaker = relaxed(asked("horror films with Tom Hanks before 1980"))
    assert [sorted(one.where) for one, _ in weaker] == [
        ["cast", "category", "genres"],
        ["cast", "genres"],
        ["cast"],
        [],
    ]


def test_without_conditions_there_is_nothing_weaker() -> None:
    assert list(relaxed(Interpretation())) == []
