"""Confidence follows from the scores: more that speaks for a film never makes it less sure."""

import pytest

from rag_llm_system.application.movies.confidence import Evidence, confidence

PARTS = ("wish", "kind", "liked", "words", "genres", "taste")


@pytest.mark.parametrize("part", PARTS)
def test_a_better_score_never_makes_it_less_sure(part: str) -> None:
    steps = [confidence(Evidence(**{part: n / 10}, is_constrained=True)) for n in range(-3, 11)]
    assert steps == sorted(steps)
    assert steps[0] < steps[-1]


def test_it_stays_between_nothing_and_almost_certain() -> None:
    best = Evidence(wish=1, kind=1, liked=1, words=1, genres=1, taste=1, is_constrained=True)
    assert confidence(best) == 0.98
    assert confidence(Evidence(wish=-1, words=0, unliked=1)) == 0
    assert confidence(Evidence()) == 0


def test_nearness_to_a_film_that_is_not_liked_makes_it_less_sure() -> None:
    assert confidence(Evidence(wish=0.5, unliked=0.6)) < confidence(Evidence(wish=0.5, unliked=0.2))


def test_a_part_that_was_not_asked_for_does_not_count() -> None:
    assert confidence(Evidence(wish=0.4)) == confidence(Evidence(wish=0.4, liked=None, taste=None))
