"""Self-query knows what the index holds now."""

from datetime import date

from rag_llm_system.application.indexing import Indexer
from rag_llm_system.application.rag.self_query import (
    CurrentSelfQuery,
    CurrentVocabulary,
    RuleSelfQuery,
)
from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
from rag_llm_system.infrastructure.vector_stores.memory import MemoryVectorStore
from tests.unit.application.builders import cleaned


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def add(store: MemoryVectorStore, link: str, author: str) -> None:
    indexer = Indexer(store, HashingEmbedder())
    indexer.load_chunks(indexer.embed_changed([cleaned(link, "Text.", author_full_name=author)]))


def test_an_author_who_came_later_is_known_after_a_while() -> None:
    store, clock = MemoryVectorStore(), Clock()
    add(store, "http://a.example/1", "Ada Lovelace")
    asked = CurrentSelfQuery(
        CurrentVocabulary(store, clock=clock),
        lambda known: RuleSelfQuery(known, today=lambda: date(2026, 11, 21)),
    )
    assert asked.interpret("articles by Ada Lovelace").where["author_full_name"] == "Ada Lovelace"

    add(store, "http://a.example/2", "Grace Hopper")
    assert not asked.interpret("articles by Grace Hopper").where.get("author_full_name")
    clock.now = 11.0
    assert asked.interpret("articles by Grace Hopper").where["author_full_name"] == "Grace Hopper"


def test_a_vocabulary_is_kept_while_the_index_stays_as_it_is() -> None:
    store, clock = MemoryVectorStore(), Clock()
    add(store, "http://a.example/1", "Ada Lovelace")
    made: list[object] = []

    def reading(known):
        made.append(known)
        return RuleSelfQuery(known, today=lambda: date(2026, 11, 21))

    asked = CurrentSelfQuery(CurrentVocabulary(store, clock=clock), reading)
    for clock.now in (0.0, 20.0, 40.0):
        asked.interpret("articles by Ada Lovelace")
    assert len(made) == 1
