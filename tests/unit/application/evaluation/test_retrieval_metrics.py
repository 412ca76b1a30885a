"""The measures are those of trec_eval; every expected figure here was computed by hand."""

from math import log2

import pytest

from rag_llm_system.application.evaluation.metrics import (
    METRICS,
    mean,
    ndcg,
    per_query,
    recall,
    reciprocal_rank,
)

TEN = tuple(str(number) for number in range(10))


def test_ndcg_is_the_gain_by_that_of_the_best_ranking() -> None:
    grades = {"a": 1, "c": 2, "d": 0}
    gain, best = 1 / log2(2) + 2 / log2(4), 2 / log2(2) + 1 / log2(3)
    assert ndcg(["a", "b", "c"], grades) == pytest.approx(gain / best)
    assert gain / best == pytest.approx(0.7602, abs=1e-4)
    assert ndcg(["c", "a", "b"], grades) == 1.0


def test_ndcg_sees_the_first_ten_only() -> None:
    ranked = [*TEN, "10"]
    assert ndcg(ranked, {"10": 1}) == 0.0
    assert ndcg(ranked, {"9": 1}) == pytest.approx(1 / log2(11))
    assert ndcg(ranked, dict.fromkeys(ranked, 1)) == 1.0


def test_a_grade_below_zero_is_no_gain_and_no_loss() -> None:
    assert ndcg(["junk", "a"], {"junk": -2, "a": 1}) == pytest.approx(1 / log2(3))
    assert recall(["junk"], {"junk": -2, "a": 1}, 10) == 0.0
    assert reciprocal_rank(["junk", "a"], {"junk": -2, "a": 1}) == 0.5


def test_recall_is_the_share_of_the_relevant_documents() -> None:
    grades = {"0": 1, "9": 3, "absent": 1, "5": 0}
    assert recall(TEN, grades, 10) == pytest.approx(2 / 3)
    assert recall(TEN, grades, 9) == pytest.approx(1 / 3)


def test_the_reciprocal_rank_is_that_of_the_first_relevant_document() -> None:
    assert reciprocal_rank(TEN, {"0": 0, "2": 1, "3": 2}) == pytest.approx(1 / 3)
    assert reciprocal_rank(TEN, {"9": 1}) == pytest.approx(0.1)
    assert reciprocal_rank([*TEN, "late"], {"late": 1}) == 0.0


@pytest.mark.parametrize("metric", METRICS)
def test_a_query_that_found_nothing_counts_as_does_one_with_nothing_to_find(metric: str) -> None:
    judged = {"found": {"a": 1}, "not found": {"a": 1}, "nothing to find": {"a": 0}}
    measured = per_query(metric, {"found": ["a"], "nothing to find": ["a"]}, judged)
    assert measured == {"found": 1.0, "not found": 0.0, "nothing to find": 0.0}
    assert mean(measured) == pytest.approx(1 / 3)
    assert mean({}) == 0.0


def test_recall_at_100_sees_what_recall_at_10_does_not() -> None:
    ranking = {"q": [*TEN, "late"]}
    assert per_query("recall@10", ranking, {"q": {"late": 1}}) == {"q": 0.0}
    assert per_query("recall@100", ranking, {"q": {"late": 1}}) == {"q": 1.0}
