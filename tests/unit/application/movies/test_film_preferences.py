"""What users tell is found from then on, for them alone, and stays when the pipelines run."""

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rag_llm_system.application.indexing import Indexer, cleaned_documents
from rag_llm_system.application.movies.preferences import Preferences
from rag_llm_system.application.movies.told import MAX_CHARS
from rag_llm_system.application.preprocessing.dispatchers import CleaningDispatcher
from rag_llm_system.application.warehouse import documents_of
from rag_llm_system.domain.errors import DataError, StoreLocked
from rag_llm_system.domain.films import Preference
from rag_llm_system.infrastructure.db.memory import MemoryDocumentStore
from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
from rag_llm_system.infrastructure.vector_stores.faiss_adapter import FAISSAdapter
from rag_llm_system.infrastructure.vector_stores.memory import MemoryVectorStore
from tests.unit.application.builders import cleaned, document
from tests.unit.application.movies.offered_films import memory_preferences

TASTES = (
    "I like science fiction with good characters",
    "More musicals with dancing",
    "Nothing with ghosts at night",
    "Science fiction on other planets",
)


def with_tastes(preferences: Preferences, user: str = "ada") -> Preferences:
    for text in TASTES:
        preferences.add(user, text)
    return preferences


def texts(preferences: list[Preference]) -> list[str]:
    return [one.text for one in preferences]


def test_the_three_nearest_tastes_come_best_first_with_their_cosine() -> None:
    found = with_tastes(memory_preferences()).similar("ada", "science fiction with characters")
    assert len(found) == 3
    assert found[0].text == TASTES[0]
    assert 1.0 >= found[0].similarity > found[1].similarity > 0.2


def test_preferences_are_listed_in_the_order_in_which_they_were_told() -> None:
    days = iter(range(1, 29))
    preferences = memory_preferences(now=lambda: datetime(2026, 11, next(days), tzinfo=UTC))
    assert texts(with_tastes(preferences).all("ada")) == list(TASTES)


def test_nobody_finds_what_another_user_told() -> None:
    preferences = with_tastes(memory_preferences())
    mine = preferences.add("bob", "seen: Heat")
    assert preferences.similar("bob", TASTES[0]) == []
    assert preferences.all("bob") == [mine]
    assert preferences.seen("ada") == []
    assert not preferences.remove("ada", mine.id)
    assert preferences.seen("bob") == ["Heat"]


def test_what_was_seen_is_kept_as_titles_and_is_no_taste() -> None:
    preferences = memory_preferences()
    told = preferences.tell("ada", "I've already seen alien, Heat and Black Mirror")
    assert [(one.kind, one.text) for one in told] == [
        ("seen", "Alien"), ("seen", "Heat"), ("seen", "Black Mirror"),
    ]  # fmt: skip
    assert sorted(preferences.seen("ada")) == ["Alien", "Black Mirror", "Heat"]
    assert preferences.similar("ada", "Heat") == []


def test_the_same_sentence_is_kept_once() -> None:
    preferences = memory_preferences()
    first = preferences.add("ada", "I like  noir")
    assert preferences.add("ada", "i like noir").id == first.id
    assert preferences.all("ada") == [first]


def test_what_was_removed_is_gone_from_the_index_and_the_data_warehouse() -> None:
    documents = MemoryDocumentStore()
    preferences = with_tastes(memory_preferences(documents=lambda: documents))
    first = next(one for one in preferences.all("ada") if one.text == TASTES[0])
    assert preferences.remove("ada", first.id)
    assert not preferences.remove("ada", first.id)
    assert documents.count("preferences") == 3
    assert TASTES[0] not in {one.text for one in preferences.similar("ada", TASTES[0])}
    assert TASTES[0] not in texts(preferences.all("ada"))


def test_the_pipelines_keep_what_was_told_and_embed_none_of_it_again() -> None:
    store, documents = MemoryVectorStore(), MemoryDocumentStore()
    preferences = with_tastes(memory_preferences(store, lambda: documents))
    indexer = Indexer(store, HashingEmbedder())
    clean = map(CleaningDispatcher().dispatch, documents_of(None, documents))
    report = indexer.load_cleaned(one for one in clean if one is not None)
    indexer.load_chunks(indexer.embed_changed(cleaned_documents(store)))
    assert (report.removed, report.written, indexer.report.embedded) == (0, 0, 0)
    assert preferences.similar("ada", TASTES[0])[0].text == TASTES[0]
    assert len(preferences.all("ada")) == len(TASTES)


def test_keeping_a_preference_touches_nothing_else_of_the_index() -> None:
    store = MemoryVectorStore()
    indexer = Indexer(store, HashingEmbedder())
    indexer.load_cleaned([cleaned("https://a.example/1", "An article about films.")])
    indexer.load_chunks(indexer.embed_changed(cleaned_documents(store)))
    with_tastes(memory_preferences(store), "The Project")
    assert (store.count("cleaned_articles"), store.count("article_chunks_embedded")) == (1, 1)


def test_what_a_killed_run_left_in_the_data_warehouse_is_indexed_by_the_next() -> None:
    documents = MemoryDocumentStore()
    preferences = memory_preferences(documents=lambda: documents)
    kept = preferences.add("ada", "I like noir")
    stored = next(documents.find("preferences"))
    author = {"author_id": stored.author_id, "author_full_name": stored.author_full_name}
    lost = document("preference:lost", "I like heist films", category="preferences", **author)
    documents.save([lost.model_copy(update={"metadata": {"kind": "taste", "told_at": 1.0}})])
    preferences.add("ada", "I like westerns")
    assert set(texts(preferences.all("ada"))) == {
        kept.text,
        "I like heist films",
        "I like westerns",
    }


@pytest.mark.parametrize(
    ("user", "text", "says"),
    [
        ("ada", " \u200b ", "is empty"),
        ("ada", "x" * (MAX_CHARS + 1), "501 characters; 500 are the most"),
        ("", "I like noir", "1 to 200 printable characters"),
        ("a\x00b", "I like noir", "printable characters"),
    ],
)
def test_what_cannot_be_kept_is_refused_in_one_line(user: str, text: str, says: str) -> None:
    with pytest.raises(DataError, match=says):
        memory_preferences().add(user, text)


def test_a_user_has_so_many_preferences_and_no_more() -> None:
    preferences = memory_preferences(limit=2)
    preferences.tell("ada", "seen: Heat, Alien")
    preferences.add("ada", "seen: Heat")
    preferences.add("bob", "seen: Heat")
    with pytest.raises(DataError, match="has 2 preferences, and 2 are the most"):
        preferences.add("ada", "I like noir")


def test_processes_take_turns_and_their_readers_find_what_was_written(tmp_path: Path) -> None:
    documents = MemoryDocumentStore()

    def process() -> Preferences:
        return memory_preferences(
            FAISSAdapter(tmp_path),
            lambda: documents,
            writing=lambda: closing(FAISSAdapter(tmp_path)),
            patience_s=0.0,
        )

    server, shell = process(), process()
    server.add("ada", "I like noir")
    shell.add("ada", "seen: Heat")
    assert server.seen("ada") == ["Heat"]
    assert texts(server.all("ada")) == texts(shell.all("ada"))
    with closing(FAISSAdapter(tmp_path)) as pipeline:
        pipeline.claim()
        with pytest.raises(StoreLocked, match="is being written by process"):
            server.add("bob", "I like noir")
        assert server.similar("ada", "noir")[0].text == "I like noir"
    assert server.all("bob") == []
    assert documents.count("preferences") == 2
    server.add("bob", "I like noir")
    assert shell.similar("bob", "noir")[0].text == "I like noir"
