"""A change that was accepted leaves what a build from scratch gives; one that was refused, or died, leaves nothing."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings

from rag_llm_system.application.forget import remove_from_index
from rag_llm_system.application.indexing import Indexer, LoadReport
from rag_llm_system.application.indexing import candidate as candidates
from rag_llm_system.application.indexing.candidate import (
    documents_before,
    go_live,
    load_candidate,
    take_back,
)
from rag_llm_system.application.indexing.reports import Candidate
from rag_llm_system.domain.ports import VectorStore
from rag_llm_system.infrastructure.vector_stores.memory import MemoryVectorStore
from tests.unit.application.indexing.model_warehouse import (
    Entry,
    Settings,
    answering,
    built_from_scratch,
    cleaned_entries,
    exported,
)
from tests.unit.application.indexing.strategies import warehouses
from tests.unit.application.indexing.watched_store import Death, Killed, Moment, WatchedStore

FIRST = Settings()
QUICK = hypothesis_settings(max_examples=40, derandomize=True, database=None, deadline=None)


def article(number: int, *paragraphs: int) -> Entry:
    return Entry("articles", f"http://site.example/{number}", paragraphs or (number % 6, 2, 4))


def prepared(store: VectorStore, entries: Sequence[Entry], chosen: Settings = FIRST) -> LoadReport:
    """The candidate that these documents make, cleaned collections included."""
    documents = cleaned_entries(entries, chosen)
    indexer = Indexer(store, chosen.encoder, chosen.table)
    indexer.load_cleaned(documents)
    records = list(indexer.embed_changed(documents))
    return load_candidate(store, chosen.encoder, records, chosen.table)


def points(store: VectorStore) -> dict[str, list[tuple[str, dict[str, object]]]]:
    """What answers come from, without vectors, whose last bits move when they are copied."""
    return {
        name: found
        for name in store.aliases()
        if (found := [(r.id, dict(r.payload)) for r in store.scan(name)])
    }


def vectors(store: VectorStore) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    found = [r.vector for name in store.aliases() for r in store.scan(name, with_vectors=True)]
    return np.array(found, dtype=np.float64)


@pytest.fixture(params=["beside", "in place"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    name: str = request.param
    monkeypatch.setattr(candidates, "IN_PLACE_SHARE", 0.0 if name == "beside" else 100.0)
    return name


@pytest.mark.parametrize("share", [0.0, 100.0], ids=["beside", "in place"])
@QUICK
@given(before=warehouses, after=warehouses)
def test_an_accepted_candidate_is_what_a_build_from_scratch_gives(
    share: float, before: list[Entry], after: list[Entry]
) -> None:
    store, wanted = built_from_scratch(before, Settings()), built_from_scratch(after, Settings())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(candidates, "IN_PLACE_SHARE", share)
        report = prepared(store, after)
    go_live(store, report.candidate)
    assert points(store) == points(wanted)
    np.testing.assert_allclose(vectors(store), vectors(wanted), atol=1e-6)
    assert not [name for name in store.collections() if name.endswith("_before")]


@pytest.mark.parametrize("share", [0.0, 100.0], ids=["beside", "in place"])
@QUICK
@given(before=warehouses, after=warehouses)
def test_a_refused_candidate_leaves_the_index_as_it_was(
    share: float, before: list[Entry], after: list[Entry]
) -> None:
    store = built_from_scratch(before, Settings())
    was, aliases, collections = points(store), store.aliases(), set(store.collections())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(candidates, "IN_PLACE_SHARE", share)
        report = prepared(store, after)
    take_back(store, report.candidate)
    assert (points(store), store.aliases()) == (was, aliases)
    assert not [one for one in store.collections() if one.endswith(("_before", "_2"))]
    assert collections <= set(store.collections())


def test_the_next_good_run_completes_what_was_refused(way: str) -> None:
    before, after = [article(1), article(2)], [article(1, 5, 3), article(3)]
    store = built_from_scratch(before, Settings())
    take_back(store, prepared(store, after).candidate)
    go_live(store, prepared(store, after).candidate)
    assert points(store) == points(built_from_scratch(after, Settings()))


@pytest.mark.parametrize("moment", ["before", "half way", "after"])
def test_what_a_run_that_died_left_is_taken_back_by_the_next(way: str, moment: Moment) -> None:
    before, after = [article(1), article(2)], [article(1, 5, 3), article(3)]
    for call in range(1, 16):
        store = WatchedStore()
        go_live(store, prepared(store, before).candidate)
        was = points(store)
        store.start(Death(call, moment))
        with suppress(Killed):
            prepared(store, after)
        store.start()
        take_back(store)
        assert points(store) == was, f"killed at call {call}"
        go_live(store, prepared(store, after).candidate)
        assert points(store) == points(built_from_scratch(after, Settings()))


@pytest.mark.parametrize("moment", ["before", "half way", "after"])
def test_a_run_that_dies_while_it_takes_back_is_completed_by_the_next(
    way: str, moment: Moment
) -> None:
    for call in range(1, 8):
        store = WatchedStore()
        go_live(store, prepared(store, [article(1), article(2)]).candidate)
        was = points(store)
        report = prepared(store, [article(1, 5, 3), article(3)])
        store.start(Death(call, moment))
        with suppress(Killed):
            take_back(store, report.candidate)
        store.start()
        take_back(store)
        assert points(store) == was, f"killed at call {call}"


def test_until_it_is_accepted_a_copy_is_nobodys_to_see() -> None:
    store = built_from_scratch([article(1), article(2)], Settings())
    was = answering(store)
    report = prepared(store, [article(1, 5, 3), article(3)])
    chunks = {name: lines for name, lines in answering(store).items() if "chunks" in name}
    assert chunks == {name: lines for name, lines in was.items() if "chunks" in name}
    assert list(report.candidate.beside)


def test_a_small_change_is_written_in_place_and_a_great_one_beside() -> None:
    entries = [article(number) for number in range(40)]
    store = built_from_scratch(entries, Settings())
    edited = [replace(entries[0], title="Another title"), *entries[1:]]
    small = prepared(store, edited).candidate
    assert (list(small.beside), len(small.in_place)) == ([], 1)
    go_live(store, small)

    cut_otherwise = prepared(store, edited, Settings(table_number=1)).candidate
    assert (len(cut_otherwise.beside), cut_otherwise.in_place) == (1, ())


def test_a_run_without_changes_writes_nothing() -> None:
    store = built_from_scratch([article(1), article(2)], Settings())
    before = exported(store)
    report = prepared(store, [article(1), article(2)])
    assert report.candidate == Candidate()
    assert report.candidate.changes_nothing
    go_live(store, report.candidate)
    assert exported(store) == before


def test_two_collections_take_turns_and_there_is_never_a_third() -> None:
    store = built_from_scratch([article(1)], Settings())
    lives = []
    for number in (2, 3, 4):
        go_live(store, prepared(store, [article(number)]).candidate)
        lives.append(store.aliases()["article_chunks_embedded"])
    assert lives[0] == lives[2] != lives[1]
    assert len([one for one in store.collections() if one.startswith("article_chunks")]) == 2


def test_another_encoder_goes_live_when_accepted_and_one_can_go_back(way: str) -> None:
    first, second = Settings(), Settings(encoder_number=1)
    store = built_from_scratch([article(1), article(2)], first)
    go_live(store, prepared(store, [article(1, 5, 3), article(3)], first).candidate)
    was = points(store)

    report = prepared(store, [article(1, 5, 3), article(3)], second)
    assert report.switched
    assert points(store) == was
    take_back(store, report.candidate)
    assert points(store) == was

    go_live(store, prepared(store, [article(1, 5, 3), article(3)], second).candidate)
    go_live(store, prepared(store, [article(1, 5, 3)], first).candidate)
    assert answering(store).keys() == {"cleaned_articles", "article_chunks_embedded"}
    assert points(store) == points(built_from_scratch([article(1, 5, 3)], first))


def test_a_refused_first_index_is_nobodys_to_see_and_is_kept_for_the_next_run() -> None:
    store = MemoryVectorStore()
    take_back(store, prepared(store, [article(1)]).candidate)
    assert store.aliases() == {}
    report = prepared(store, [article(1)])
    assert report.written == 0
    go_live(store, report.candidate)
    assert points(store) == points(built_from_scratch([article(1)], Settings()))


def test_the_documents_before_are_those_of_the_index_in_use(way: str) -> None:
    entries = [article(1), article(2)]
    store = built_from_scratch(entries, Settings())
    report = prepared(store, [article(1, 5, 3), article(3)])
    added = article(3).raw.id
    found = documents_before(store, report.candidate)
    assert added not in found
    assert entries[0].raw.id in found


def test_what_was_forgotten_does_not_come_back_with_a_refusal(way: str) -> None:
    store = built_from_scratch([article(1), article(2)], Settings())
    report = prepared(store, [article(1, 5, 3), article(2, 3, 5)])
    remove_from_index([("articles", article(1).raw.id)], store, Settings().table)
    take_back(store, report.candidate)
    left = {r.payload["document_id"] for r in store.scan("article_chunks_embedded")}
    assert left == {article(2).raw.id}
