"""What breaks an index is refused, what does it no harm passes, and the same index always gets the same verdict."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from rag_llm_system.application.evaluation.gate import Gate
from rag_llm_system.application.evaluation.gate_report import GateConfig
from rag_llm_system.application.evaluation.golden import GoldenQuestion
from rag_llm_system.application.indexing.candidate import go_live, load_candidate, take_back
from rag_llm_system.application.preprocessing.chunking_data_handlers import Piece
from rag_llm_system.domain.documents import Document
from rag_llm_system.domain.errors import UnknownName
from rag_llm_system.infrastructure.embedders.hashing import HashingEmbedder
from tests.unit.application.evaluation.gate_warehouse import (
    CONFIG,
    DOCUMENTS,
    Confused,
    Warehouse,
    shuffled,
    sized,
    written,
)

ALL = [written(number) for number in range(DOCUMENTS)]


def only_the_beginning(text: str, *_: object) -> Iterator[Piece]:
    """A chunker that forgets all but a few letters."""
    yield Piece(0, min(12, len(text)))


@pytest.fixture
def indexed() -> Warehouse:
    """All documents, examined and live."""
    house = Warehouse()
    loaded = house.load(ALL)
    examined = house.examined(loaded)
    assert examined.report.passed
    go_live(house.store, loaded.candidate)
    house.accepted = examined.results
    return house


def test_a_broken_chunker_is_refused_and_the_index_in_use_stays(indexed: Warehouse) -> None:
    before = indexed.live()
    broken = replace(indexed.table["articles"], chunk=only_the_beginning)
    worse = replace(indexed, table={"articles": broken})

    loaded = worse.load(ALL)
    report = worse.examined(loaded).report
    take_back(worse.store, loaded.candidate)

    assert not report.passed
    assert "mrr@10 by vectors fell by" in report.reasons[0]
    assert indexed.live() == before
    assert indexed.examined(indexed.load(ALL)).report.passed


def test_the_questions_that_got_worse_are_named_with_what_was_expected_and_what_came_first(
    indexed: Warehouse,
) -> None:
    broken = replace(indexed.table["articles"], chunk=only_the_beginning)
    worse = replace(indexed, table={"articles": broken})
    report = worse.examined(worse.load(ALL)).report
    assert 1 < len(report.worse) <= 10
    named = report.worse[0]
    assert named.rank_before == 1
    assert named.rank != 1
    assert named.expected.startswith("http://site.example/")
    assert named.first != named.expected
    assert len({row.question for row in report.worse}) == len(report.worse)


def test_a_wrong_model_is_refused_by_what_was_accepted_of_the_right_one(indexed: Warehouse) -> None:
    wrong = replace(indexed, encoder=Confused("confused", dimension=256, max_tokens=64))
    loaded = wrong.load(ALL)
    assert loaded.switched
    assert not wrong.examined(loaded).report.passed


def test_a_wrong_model_is_refused_by_the_floors_where_nothing_was_accepted_yet(
    indexed: Warehouse,
) -> None:
    wrong = replace(
        indexed, encoder=Confused("confused", dimension=256, max_tokens=64), accepted={}
    )
    report = wrong.examined(wrong.load(ALL)).report
    assert "at least 0.5 is wanted" in report.reasons[0]


def test_an_emptied_collection_that_the_run_does_not_mend_is_refused(indexed: Warehouse) -> None:
    """As a run for one author does not, which embeds that author's documents alone."""
    live = indexed.live()
    indexed.store.delete(live, [record.id for record in indexed.store.scan(live)])
    loaded = load_candidate(indexed.store, indexed.encoder, [], indexed.table)
    report = indexed.examined(loaded).report
    assert not report.passed
    assert report.reasons[-1] == "it finds nothing at all"


def test_an_emptied_collection_that_the_run_mends_passes(indexed: Warehouse) -> None:
    live = indexed.live()
    indexed.store.delete(live, [record.id for record in indexed.store.scan(live)])
    loaded = indexed.load(ALL)
    assert indexed.examined(loaded).report.passed
    go_live(indexed.store, loaded.candidate)
    assert indexed.store.count("article_chunks_embedded") > DOCUMENTS


def test_shuffled_vectors_in_the_index_in_use_are_refused(indexed: Warehouse) -> None:
    live = indexed.live()
    records = list(indexed.store.scan(live, with_vectors=True))
    indexed.store.upsert(live, shuffled(records))
    loaded = indexed.load(ALL)
    assert loaded.candidate.changes_nothing
    report = indexed.examined(loaded).report
    assert not report.passed
    assert "over 40 questions" in report.reasons[0]


def test_shuffled_vectors_of_a_new_index_are_refused(indexed: Warehouse) -> None:
    loaded = replace(indexed, table=sized(100, 300)).load(ALL)
    [copy] = loaded.candidate.beside.values()
    indexed.store.upsert(copy, shuffled(list(indexed.store.scan(copy, with_vectors=True))))
    assert not indexed.examined(loaded).report.passed


def test_without_accepted_results_the_index_in_use_is_asked_now(indexed: Warehouse) -> None:
    indexed.accepted = {}
    loaded = replace(indexed, table=sized(100, 300)).load(ALL)
    [copy] = loaded.candidate.beside.values()
    indexed.store.upsert(copy, shuffled(list(indexed.store.scan(copy, with_vectors=True))))
    report = indexed.examined(loaded).report
    assert not report.passed
    assert {figure.compared for figure in report.figures} == {40}


@pytest.mark.parametrize(
    ("documents", "sizes"),
    [
        ([written(0, more="One sentence more."), *ALL[1:]], (200, 400)),
        ([*ALL, *(written(number) for number in range(DOCUMENTS, 3 * DOCUMENTS))], (200, 400)),
        (ALL[:40], (200, 400)),
        (ALL, (300, 500)),
    ],
    ids=["an edit", "three times as many documents", "fewer documents", "other chunk sizes"],
)
def test_a_harmless_change_passes(
    indexed: Warehouse, documents: Sequence[Document], sizes: tuple[int, int]
) -> None:
    changed = replace(indexed, table=sized(*sizes))
    report = changed.examined(changed.load(documents)).report
    assert report.passed, report.reasons


def test_another_encoder_that_is_as_good_passes(indexed: Warehouse) -> None:
    other = replace(indexed, encoder=HashingEmbedder(dimension=320, max_tokens=64))
    assert other.examined(other.load(ALL)).report.passed


@pytest.mark.parametrize("sizes", [(200, 400), (60, 90)], ids=["good", "bad"])
def test_ten_repeats_give_the_same_report(indexed: Warehouse, sizes: tuple[int, int]) -> None:
    loaded = replace(indexed, table=sized(*sizes)).load(ALL)
    reports = [indexed.examined(loaded).report for _ in range(10)]
    assert all(report == reports[0] for report in reports)


def test_few_questions_refuse_nothing_but_an_index_that_finds_nothing() -> None:
    house = Warehouse()
    loaded = house.load(ALL[:3])
    report = house.examined(loaded).report
    assert report.passed
    assert "too few to judge by" in report.notes[-1]
    go_live(house.store, loaded.candidate)
    live = house.live()
    house.store.delete(live, [record.id for record in house.store.scan(live)])
    nothing = house.examined(loaded).report
    assert (nothing.passed, nothing.reasons) == (False, ("it finds nothing at all",))


def test_an_index_of_another_encoder_is_judged_when_it_is_complete(indexed: Warehouse) -> None:
    other = replace(indexed, encoder=HashingEmbedder("other", dimension=64, max_tokens=64))
    loaded = load_candidate(other.store, other.encoder, [], other.table)
    assert loaded.waiting == DOCUMENTS
    examined = other.examined(loaded)
    assert (examined.report.passed, examined.results) == (True, {})
    assert "not complete yet" in examined.report.notes[0]


def test_questions_about_what_is_gone_are_left_out_and_counted(indexed: Warehouse) -> None:
    loaded = indexed.load(ALL[:40])
    gone = [
        GoldenQuestion(question="What was there?", link=f"http://gone.example/{n}") for n in "ab"
    ]
    gate = Gate(indexed.store, indexed.searches, CONFIG, indexed.table)
    report = gate.examine(loaded.candidate, [*gone, *indexed.questions()], indexed.accepted).report
    assert report.passed
    assert report.notes == ("2 questions name links that are not indexed any more: left out",)


def test_a_floor_of_an_unknown_measure_or_way_is_an_error(indexed: Warehouse) -> None:
    with pytest.raises(ValueError, match="unknown measure 'precision'; known: recall@10"):
        GateConfig(floors={"vectors": {"precision": 0.5}})
    with pytest.raises(UnknownName, match="unknown way of searching 'words'; known: vectors"):
        indexed.examined(indexed.load(ALL), config=GateConfig(floors={"words": {"mrr@10": 0.1}}))
