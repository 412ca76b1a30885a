"""Intervals hold what they say, are repeatable and notice a difference that is there."""

import numpy as np
import pytest

from rag_llm_system.application.evaluation.bootstrap import mean_interval, paired_difference
from rag_llm_system.domain.errors import DataError


def drawn(count: int, seed: int, *, mean: float = 0.5, spread: float = 0.2) -> dict[str, float]:
    values = np.random.default_rng(seed).normal(mean, spread, count)
    return {f"q{number}": float(value) for number, value in enumerate(values)}


def test_an_interval_is_that_of_the_normal_distribution_where_values_are_normal() -> None:
    values = drawn(400, seed=1)
    found = mean_interval(values)
    sample = np.array(list(values.values()))
    half = 1.96 * sample.std() / 400**0.5
    assert found.mean == pytest.approx(sample.mean())
    assert found.low == pytest.approx(sample.mean() - half, abs=half / 10)
    assert found.high == pytest.approx(sample.mean() + half, abs=half / 10)


def test_about_95_of_100_intervals_hold_the_true_mean() -> None:
    found = [mean_interval(drawn(100, seed), resamples=1000) for seed in range(100)]
    assert 88 <= sum(each.low <= 0.5 <= each.high for each in found) <= 99


def test_the_same_seed_gives_the_same_interval_whatever_the_order_of_the_queries() -> None:
    values = drawn(50, seed=2)
    backwards = dict(reversed(values.items()))
    assert mean_interval(values, seed=3) == mean_interval(backwards, seed=3)
    assert mean_interval(values, seed=3) != mean_interval(values, seed=4)


def test_one_query_or_equal_ones_leave_no_doubt() -> None:
    found = mean_interval({"q": 0.25})
    assert (found.mean, found.low, found.high) == (0.25, 0.25, 0.25)


def test_a_small_loss_on_every_query_is_significant_where_the_intervals_overlap() -> None:
    before = drawn(200, seed=5)
    after = {query: value - 0.01 for query, value in before.items()}
    assert mean_interval(after).high > mean_interval(before).low
    found = paired_difference(after, before)
    assert found.mean == pytest.approx(-0.01)
    assert found.high < 0


def test_noise_is_seldom_taken_for_a_difference() -> None:
    pairs = [(drawn(100, seed), drawn(100, 1000 + seed)) for seed in range(100)]
    found = [paired_difference(a, b, resamples=1000) for a, b in pairs]
    assert sum(not each.low < 0 < each.high for each in found) <= 10


def test_runs_of_other_queries_are_not_compared() -> None:
    with pytest.raises(
        DataError, match=r"not of the same queries: 2 are in one alone, such as 'b'"
    ):
        paired_difference({"a": 1.0, "b": 1.0}, {"a": 1.0, "c": 1.0})
    with pytest.raises(DataError, match="no query was measured"):
        paired_difference({}, {})


def test_more_queries_than_are_drawn_at_once_give_an_interval_too() -> None:
    found = mean_interval(drawn(6000, seed=8))
    assert found.high - found.low == pytest.approx(2 * 1.96 * 0.2 / 6000**0.5, rel=0.1)
