"""What holds for the index of any documents: spans, exports, shares of the work, and the switch of encoders."""

import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_llm_system.application.indexing import Indexer, LoadReport
from rag_llm_system.application.indexing.cleaned import REMOVABLE
from rag_llm_system.application.preprocessing.dispatchers import CleaningDispatcher
from rag_llm_system.domain.errors import DataError
from rag_llm_system.domain.ports import Record, VectorStore
from rag_llm_system.infrastructure.vector_stores.memory import MemoryVectorStore
from tests.unit.application.builders import cleaned
from tests.unit.application.indexing.model_warehouse import (
    AUTHORS,
    ENCODERS,
    PARAGRAPHS,
    TABLES,
    Entry,
    Settings,
    Version,
    answering,
    built_from_scratch,
    cleaned_entries,
    exported,
    run,
    version,
)
from tests.unit.application.indexing.strategies import warehouses
from tests.unit.application.indexing.watched_store import Death, Killed, Moment, WatchedStore

QUICK = settings(max_examples=30, derandomize=True, database=None, deadline=None)
ADA = AUTHORS[0]

choices = st.builds(
    Settings,
    table_number=st.sampled_from(range(len(TABLES))),
    encoder_number=st.sampled_from(range(len(ENCODERS))),
)


def article(number: int, *paragraphs: int, author: int = 0, site: str = "site") -> Entry:
    return Entry("articles", f"http://{site}.example/{number}", paragraphs or (0,), author=author)


def articles(count: int, site: str = "site") -> list[Entry]:
    return [article(number, number % len(PARAGRAPHS), site=site) for number in range(count)]


def of_author(entries: list[Entry], author: int) -> list[Entry]:
    return [entry for entry in entries if entry.author == author]


def loaded(store: VectorStore, entries: list[Entry], share: float) -> LoadReport:
    documents = cleaned_entries(entries, Settings())
    indexer = Indexer(store, Settings().encoder, Settings().table)
    return indexer.load_cleaned(documents, max_removed_share=share)


def watched(store: WatchedStore, versions: Sequence[Version]) -> list[bool]:
    """Grows by two with each call from now on: is any version found whole in this process, and in others?"""
    seen: list[bool] = []

    def look() -> None:
        for ids_of in (store.ids, store.published_ids):
            seen.append(any(one.points <= ids_of(one.collection) for one in versions))

    store.on_change = look
    return seen


@QUICK
@given(entries=warehouses, chosen=choices)
def test_every_window_is_a_slice_of_its_document_and_together_they_cover_it(
    entries: list[Entry], chosen: Settings
) -> None:
    store = built_from_scratch(entries, chosen)
    for document in cleaned_entries(entries, chosen):
        collection = chosen.table[document.category].chunk_collection
        covered: set[int] = set()
        for record in store.scan(collection, where={"document_id": document.id}):
            found = record.payload
            chunk = document.text[found["start"] : found["end"]]
            # the first window carries the content for all of its chunk
            assert found.get("content") == (None if found["window"] else chunk)
            assert chunk[found["window_start"] : found["window_end"]]
            first = found["start"] + found["window_start"]
            covered.update(range(first, found["start"] + found["window_end"]))
        written = {place for place, sign in enumerate(document.text) if not sign.isspace()}
        assert written <= covered


@QUICK
@given(entries=warehouses, chosen=choices, seed=st.integers(min_value=0, max_value=99))
def test_two_full_builds_export_the_same_bytes_in_whatever_order_documents_come(
    entries: list[Entry], chosen: Settings, seed: int
) -> None:
    shuffled = random.Random(seed).sample(entries, len(entries))  # noqa: S311 - any order will do
    first, second = (exported(built_from_scratch(some, chosen)) for some in (entries, shuffled))
    assert first == second


@QUICK
@given(before=warehouses, after=warehouses)
def test_a_run_for_one_author_makes_that_part_new_and_leaves_the_rest_as_it_was(
    before: list[Entry], after: list[Entry]
) -> None:
    others = [entry for entry in before if entry.author]
    taken = {entry.raw.id for entry in others}
    now = [entry for entry in of_author(after, 0) if entry.raw.id not in taken]
    store = built_from_scratch(before, Settings())

    run(store, cleaned_entries(now, Settings()), Settings(), authors=[ADA.id])

    assert answering(store) == answering(built_from_scratch([*others, *now], Settings()))


def test_a_run_for_nobody_removes_nothing() -> None:
    store = built_from_scratch(articles(3), Settings())
    before = exported(store)
    run(store, [], Settings(), authors=[])
    assert exported(store) == before


def test_a_run_for_everybody_without_documents_empties_the_index() -> None:
    store = built_from_scratch(articles(3), Settings())
    cleaned, _, chunks = run(store, [], Settings())
    assert (cleaned.gone, chunks.gone, answering(store)) == (3, 3, {})


def test_another_encoder_answers_only_when_nothing_is_missing_in_its_index() -> None:
    entries = [article(1, 0), article(2, 1, author=1), article(3, 2, author=1)]
    store = built_from_scratch(entries, Settings())
    old, new = answering(store), Settings(encoder_number=1)

    ada = run(store, cleaned_entries(of_author(entries, 0), new), new, authors=[ADA.id])[-1]
    assert (ada.switched, ada.waiting) == (False, 2)
    assert answering(store) == old

    everybody = run(store, cleaned_entries(entries, new), new)[-1]
    assert (everybody.switched, everybody.waiting) == (True, 0)
    assert answering(store) == answering(built_from_scratch(entries, new))


def test_the_aliases_of_all_categories_switch_in_one_call() -> None:
    entries = [article(1), Entry("posts", "http://site.example/p", (1,))]
    store = WatchedStore()
    run(store, cleaned_entries(entries, Settings()), Settings())
    store.start()
    run(store, cleaned_entries(entries, Settings(encoder_number=1)), Settings(encoder_number=1))
    assert store.calls.count("point_aliases") == 1


def test_going_back_to_an_encoder_embeds_only_what_changed_meanwhile() -> None:
    first, second = Settings(), Settings(encoder_number=1)
    before, after = [article(1, 0), article(2, 1), article(3, 2)], [article(1, 0), article(2, 3)]
    store = built_from_scratch(before, first)
    run(store, cleaned_entries(after, second), second)

    _, embedded, loaded_back = run(store, cleaned_entries(after, first), first)

    assert (embedded.why, embedded.unchanged_documents) == ({"edited": 1}, 1)
    assert (loaded_back.gone, loaded_back.switched) == (1, True)
    assert answering(store) == answering(built_from_scratch(after, first))


def test_an_index_of_another_encoder_is_followed_by_the_removal_of_the_last_document() -> None:
    store = built_from_scratch(articles(2), Settings())
    other = Settings(encoder_number=1)
    report = run(store, [], other)[-1]
    assert (report.switched, answering(store), dict(store.aliases())) == (True, {}, {})


@pytest.mark.parametrize("new", [0, 400])
def test_a_data_warehouse_without_the_indexed_documents_does_not_empty_the_index(new: int) -> None:
    """However many documents it has of its own."""
    indexed = articles(REMOVABLE * 5)
    store = MemoryVectorStore()
    loaded(store, indexed, share=0.3)

    with pytest.raises(DataError, match=r"100 of 100 documents of the index .*max_removed_share=1"):
        loaded(store, articles(new, site="other"), share=0.3)

    stored = {record.id for record in store.scan("cleaned_articles", fields=())}
    assert {entry.raw.id for entry in indexed} <= stored


@pytest.mark.parametrize(("share", "refused"), [(0.3, True), (0.4, False)])
def test_the_removed_share_is_judged_at_its_bar(share: float, refused: bool) -> None:
    store, indexed = MemoryVectorStore(), articles(100)
    loaded(store, indexed, share=1.0)
    if refused:
        with pytest.raises(DataError, match="40 of 100 documents"):
            loaded(store, indexed[40:], share)
    assert refused or loaded(store, indexed[40:], share).gone == 40


def test_a_few_documents_may_always_go() -> None:
    store = MemoryVectorStore()
    loaded(store, articles(REMOVABLE), share=0.0)
    assert loaded(store, [], share=0.0).gone == REMOVABLE


@pytest.mark.parametrize(
    "change", [{"platform": "elsewhere.example"}, {"author_full_name": "Ada Other"}]
)
def test_what_a_document_says_about_itself_counts_as_an_edit(change: dict[str, str]) -> None:
    store = MemoryVectorStore()
    (before,) = cleaned_entries([article(1)], Settings())
    run(store, [before], Settings())
    now = CleaningDispatcher().dispatch(article(1).raw.model_copy(update=change))
    assert now is not None
    cleaned, embedded, _ = run(store, [now], Settings())
    assert (cleaned.why, embedded.why) == ({"edited": 1}, {"edited": 1})


@pytest.mark.parametrize("moment", ["before", "half way", "after"])
@pytest.mark.parametrize("there_before", [[], [Entry("posts", "http://site.example/p", (1,))]])
def test_a_document_that_changes_its_category_is_found_wherever_runs_die(
    there_before: list[Entry], moment: Moment
) -> None:
    moving = article(1, 0, 2, 4)
    moved = replace(moving, category="posts")
    places = [one for entry in (moving, moved) if (one := version(entry, Settings()))]
    for call in range(1, 20):
        store = WatchedStore()
        run(store, cleaned_entries([moving, *there_before], Settings()), Settings())
        seen = watched(store, places)
        store.start(Death(call, moment))
        with suppress(Killed):
            run(store, cleaned_entries([moved, *there_before], Settings()), Settings())
        store.start()
        run(store, cleaned_entries([moved, *there_before], Settings()), Settings())
        assert all(seen), f"killed at call {call}"


@pytest.mark.parametrize("moment", ["before", "half way", "after"])
def test_a_half_written_document_of_another_author_keeps_its_old_version(moment: Moment) -> None:
    adas, bens = article(1, 1, 3), article(2, 0, 2, 4, author=1)
    rewritten = replace(bens, paragraphs=(5, 3, 1, 5))
    old_or_new = [one for entry in (bens, rewritten) if (one := version(entry, Settings()))]
    for call in range(1, 14):
        store = WatchedStore()
        run(store, cleaned_entries([adas, bens], Settings()), Settings())
        seen = watched(store, old_or_new)
        store.start(Death(call, moment))
        with suppress(Killed):
            run(store, cleaned_entries([adas, rewritten], Settings()), Settings())
        store.start()
        run(store, cleaned_entries([adas], Settings()), Settings(), authors=[ADA.id])
        assert all(seen), f"killed at call {call}"


def test_a_text_whose_letters_grow_when_folded_is_indexed() -> None:
    folded_to_three = cleaned("http://site.example/greek", "\u0390 " * 200)
    embedded = run(MemoryVectorStore(), [folded_to_three], Settings())[1]
    assert embedded.embedded_documents == 1


def test_lost_points_are_not_made_up_for_by_others_that_were_there() -> None:
    class Forgetful(MemoryVectorStore):
        def upsert(self, name: str, records: Sequence[Record]) -> int:
            return super().upsert(name, [r for r in records if r.payload["link"] != second.link])

    first, second = cleaned_entries([article(1, 0, 1, 2, 3), article(2, 4)], Settings())
    indexer = Indexer(MemoryVectorStore(), Settings().encoder, Settings().table)
    records = list(indexer.embed_changed([first, second]))
    store = Forgetful()
    run(store, [first], Settings())

    # a part of the first document again, and the second
    with pytest.raises(DataError, match="1 of 2 points were not stored"):
        Indexer(store, Settings().encoder, Settings().table).load_chunks([records[0], records[-1]])
