import threading
from contextlib import ExitStack, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_llm_system.domain.errors import BackendError, ConfigurationError, DataError, Overloaded
from rag_llm_system.infrastructure.llms.breaker import CircuitBreaker


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> CircuitBreaker:
    return CircuitBreaker("the server", failures=3, pause_s=15, clock=clock)


def ask(breaker: CircuitBreaker, error: BaseException | None = None) -> None:
    with breaker.question() as answers:
        answers()
        if error:
            raise error


def fail(breaker: CircuitBreaker, times: int) -> None:
    for _ in range(times):
        with suppress(BackendError), breaker.question():
            raise BackendError("gone")


def test_after_the_last_failure_in_a_row_questions_fail_at_once(
    breaker: CircuitBreaker, clock: Clock
) -> None:
    fail(breaker, 3)
    clock.now += 2.5
    with pytest.raises(
        BackendError, match=r"^the server failed 3 times in a row; asked again in 13 s$"
    ):
        ask(breaker)
    assert breaker.state == "open"


def test_a_whole_answer_ends_the_row(breaker: CircuitBreaker) -> None:
    fail(breaker, 2)
    ask(breaker)
    fail(breaker, 2)
    assert breaker.state == "closed"


def test_the_beginning_of_an_answer_does_not_end_the_row(breaker: CircuitBreaker) -> None:
    for _ in range(3):
        with suppress(BackendError):
            ask(breaker, BackendError("died in the middle"))
    assert breaker.state == "open"


@pytest.mark.parametrize(
    "error",
    [
        DataError("too long"),
        ConfigurationError("no such model"),
        Overloaded("later"),
        GeneratorExit(),
        KeyboardInterrupt(),
    ],
)
def test_what_says_nothing_about_the_server_is_not_counted(
    breaker: CircuitBreaker, error: BaseException
) -> None:
    fail(breaker, 2)
    for _ in range(9):
        with suppress(type(error)):
            ask(breaker, error)
    assert breaker.state == "closed"
    fail(breaker, 1)
    assert breaker.state == "open"


def test_one_question_finds_out_and_the_others_do_not_wait_for_it(
    breaker: CircuitBreaker, clock: Clock
) -> None:
    fail(breaker, 3)
    clock.now += 15
    assert breaker.state == "half-open"
    with breaker.question() as answers:
        with pytest.raises(BackendError, match="asked again right now, by another question"):
            ask(breaker)
        answers()
        ask(breaker)
    assert breaker.state == "closed"


def test_a_probe_that_fails_starts_the_pause_again(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 15
    fail(breaker, 1)
    with pytest.raises(BackendError, match="failed 4 times in a row; asked again in 15 s"):
        ask(breaker)


def test_a_probe_that_is_given_up_lets_the_next_question_find_out(
    breaker: CircuitBreaker, clock: Clock
) -> None:
    fail(breaker, 3)
    clock.now += 15
    with suppress(GeneratorExit), breaker.question():
        raise GeneratorExit
    assert breaker.state == "half-open"
    ask(breaker)
    assert breaker.state == "closed"


def test_questions_that_fail_late_do_not_make_the_pause_longer(
    breaker: CircuitBreaker, clock: Clock
) -> None:
    with suppress(BackendError), breaker.question():
        fail(breaker, 3)
        clock.now += 10
        raise BackendError("late")
    clock.now += 5
    assert breaker.state == "half-open"


def test_threads_that_ask_at_once_make_one_probe(breaker: CircuitBreaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 15
    together, let_in = threading.Barrier(8), []

    def probe() -> None:
        together.wait()
        with suppress(BackendError), ExitStack() as stack:
            stack.enter_context(breaker.question())
            let_in.append(threading.get_ident())
            together.wait()
            return
        together.wait()

    threads = [threading.Thread(target=probe) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(let_in) == 1


@given(st.lists(st.sampled_from(["answer", "failure", "refusal", "second"]), max_size=60))
def test_it_is_open_exactly_while_it_refuses(events: list[str]) -> None:
    clock = Clock()
    breaker = CircuitBreaker("the server", failures=2, pause_s=3, clock=clock)
    outcomes: dict[str, BaseException | None] = {
        "answer": None,
        "failure": BackendError("gone"),
        "refusal": DataError("no"),
    }
    for event in events:
        if event == "second":
            clock.now += 1
            continue
        before, reached = breaker.state, False
        with suppress(BackendError, DataError), breaker.question():
            reached = True
            if error := outcomes[event]:
                raise error
        assert reached == (before != "open")
        if event == "answer" and reached:
            assert breaker.state == "closed"
