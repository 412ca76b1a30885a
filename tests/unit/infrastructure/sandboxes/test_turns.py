"""Threads share things in the order in which they asked for them."""

import threading
from collections.abc import Callable
from concurrent.futures import Future

import pytest

from rag_llm_system.infrastructure.sandboxes.turns import Closed, Turns

DEADLINE_S = 10.0


def in_a_thread(work: Callable[[], str]) -> Future[str]:
    """The outcome of work that a thread of its own does."""
    outcome: Future[str] = Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except Closed as error:
            outcome.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return outcome


def waiting(turns: Turns[str], count: int) -> list[Future[str]]:
    """So many threads that wait for a turn, in that order."""
    threads = []
    for number in range(1, count + 1):
        threads.append(in_a_thread(turns.take))
        while turns.waiting < number:
            threading.Event().wait(0.001)
    return threads


def test_what_was_in_use_last_is_given_out_first() -> None:
    turns = Turns(["one", "two"])

    first, second = turns.take(), turns.take()
    turns.give_back(second)
    turns.give_back(first)

    assert turns.take() == first


def test_whoever_has_waited_longest_is_next() -> None:
    turns = Turns(["the only one"])
    taken = turns.take()
    threads = waiting(turns, 3)

    for thread in threads:
        assert not thread.done()
        turns.give_back(taken)
        taken = thread.result(DEADLINE_S)


def test_who_comes_now_does_not_overtake_who_waits() -> None:
    turns = Turns(["the only one"])
    taken = turns.take()
    [first] = waiting(turns, 1)
    turns.give_back(taken)

    late = in_a_thread(turns.take)

    assert first.result(DEADLINE_S) == "the only one"
    assert not late.done()
    turns.give_back("the only one")
    assert late.result(DEADLINE_S) == "the only one"


def test_closing_tells_everybody() -> None:
    turns = Turns(["one", "two", "three"])
    taken = [turns.take(), turns.take()]

    assert turns.close() == ["one"]

    with pytest.raises(Closed):
        turns.take()
    assert [turns.give_back(one) for one in taken] == [False, False]
    assert turns.close() == []


def test_closing_wakes_those_who_wait() -> None:
    turns = Turns(["the only one"])
    turns.take()
    threads = waiting(turns, 2)

    turns.close()

    assert all(isinstance(one.exception(DEADLINE_S), Closed) for one in threads)
