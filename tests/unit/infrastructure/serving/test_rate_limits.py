"""How often one caller may ask."""

from hypothesis import given
from hypothesis import strategies as st

from rag_llm_system.infrastructure.serving.limits import RateLimit


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_minutes_worth_may_come_at_once_and_no_more() -> None:
    limit = RateLimit(3, clock=Clock())
    assert [limit.wait_s("ada") for _ in range(4)] == [0, 0, 0, 20]


def test_callers_do_not_wait_for_one_another() -> None:
    limit = RateLimit(1, clock=Clock())
    assert limit.wait_s("ada") == 0
    assert limit.wait_s("grace") == 0


def test_who_waits_as_long_as_told_may_ask() -> None:
    clock = Clock()
    limit = RateLimit(2, clock=clock)
    limit.wait_s("ada"), limit.wait_s("ada")
    clock.now += limit.wait_s("ada")
    assert limit.wait_s("ada") == 0


def test_asking_too_early_does_not_make_the_wait_longer() -> None:
    limit = RateLimit(1, clock=Clock())
    limit.wait_s("ada")
    assert limit.wait_s("ada") == limit.wait_s("ada") == 60


def test_zero_means_no_limit() -> None:
    limit = RateLimit(0, clock=Clock())
    assert {limit.wait_s("ada") for _ in range(1000)} == {0}


def test_the_caller_that_was_silent_longest_is_forgotten_first() -> None:
    limit = RateLimit(1, clock=Clock(), max_callers=2)
    limit.wait_s("ada"), limit.wait_s("grace"), limit.wait_s("ada"), limit.wait_s("edsger")
    assert limit.callers == 2
    assert limit.wait_s("ada") > 0
    assert limit.wait_s("grace") == 0


@given(st.integers(1, 100), st.lists(st.floats(0, 30), max_size=200))
def test_no_more_pass_than_a_minutes_worth_and_the_rate(per_minute: int, gaps: list[float]) -> None:
    clock = Clock()
    limit = RateLimit(per_minute, clock=clock)
    passed = 0
    for gap in gaps:
        clock.now += gap
        passed += limit.wait_s("ada") == 0
    assert passed <= per_minute + sum(gaps) * per_minute / 60 + 1e-6
