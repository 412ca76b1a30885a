"""When a page that scripts make counts as complete, told by looks at it and a clock."""

from collections.abc import Callable, Iterable

import pytest

from rag_llm_system.infrastructure.fetchers.browser_waiting import Look, Next, Patience

RICH, THIN, VIEW = 4_000, 40, 800


def look(
    chars: int = RICH, height: int = VIEW, *, complete: bool = True, scripted: bool = True
) -> Look:
    return Look(complete=complete, scripted=scripted, chars=chars, height=height, view=VIEW)


def steps(
    looks: Callable[[float], Look],
    waiting: Callable[[float], float | None] = lambda _: None,
    *,
    settle_s: float = 8.0,
    max_scrolls: int = 20,
) -> list[tuple[float, Next]]:
    """What is decided at each tenth of a second until the page is done; "wait" is left out."""
    patience = Patience(0.0, settle_s=settle_s, max_scrolls=max_scrolls)
    decided: list[tuple[float, Next]] = []
    for tenth in range(1_000):
        now_s = tenth / 10
        step = patience.after(looks(now_s), now_s=now_s, waiting_s=waiting(now_s))
        if step != "wait":
            decided.append((now_s, step))
        if step == "done":
            return decided
    raise AssertionError("never done")


def done_at(decided: Iterable[tuple[float, Next]]) -> float:
    return next(at for at, step in decided if step == "done")


def test_a_page_without_scripts_is_done_when_it_is_loaded() -> None:
    assert steps(lambda _: look(THIN, 9_000, scripted=False)) == [(0.0, "done")]
    assert steps(lambda now: look(complete=now >= 1, scripted=False)) == [(1.0, "done")]


def test_text_that_came_with_the_document_is_watched_for_a_moment() -> None:
    assert steps(lambda _: look()) == [(0.3, "done")]


@pytest.mark.parametrize("arrives_s", [0.2, 1.0, 2.5])
def test_text_that_scripts_bring_late_is_waited_for(arrives_s: float) -> None:
    decided = steps(lambda now: look(RICH if now >= arrives_s else THIN))
    assert done_at(decided) == pytest.approx(arrives_s + 0.5, abs=0.15)


def test_text_that_arrives_in_pieces_is_waited_for_to_the_last() -> None:
    decided = steps(lambda now: look(RICH + int(min(now, 3.0) * 5) * 100))
    assert 3.0 <= done_at(decided) <= 3.7


def test_text_that_a_request_will_bring_is_waited_for() -> None:
    answered_s = 2.0
    decided = steps(
        lambda now: look(RICH + (900 if now >= answered_s else 0)),
        lambda now: now if now < answered_s else None,
    )
    assert done_at(decided) == pytest.approx(answered_s + 0.5, abs=0.15)


def test_a_request_without_an_end_is_not_waited_for_when_there_is_text() -> None:
    assert done_at(steps(lambda _: look(), lambda now: now)) == pytest.approx(4.0)


def test_a_shell_without_text_is_given_up_after_some_seconds() -> None:
    assert done_at(steps(lambda _: look(THIN))) == pytest.approx(3.0)


def test_nothing_keeps_a_visit_beyond_its_limit() -> None:
    assert done_at(steps(lambda _: look(THIN), lambda _: 0.0, settle_s=5.0)) == 5.0
    assert done_at(steps(lambda _: look(complete=False), settle_s=5.0)) == 5.0
    assert done_at(steps(lambda now: look(RICH + int(now * 100)), settle_s=5.0)) == 5.0


def test_a_long_page_is_scrolled_once() -> None:
    decided = steps(lambda _: look(height=9_000))
    assert [step for _, step in decided] == ["scroll", "done"]
    assert done_at(decided) < 1.0
    assert [step for _, step in steps(lambda _: look(height=9_000), max_scrolls=0)] == ["done"]


def test_text_that_a_request_brings_to_a_long_page_is_waited_for() -> None:
    answered_s = 2.0
    decided = steps(
        lambda now: look(RICH, height=9_000 + (900 if now >= answered_s else 0)),
        lambda now: now if now < answered_s else None,
    )
    assert [step for _, step in decided] == ["scroll", "scroll", "done"]
    assert done_at(decided) > answered_s + 0.4


class Feed:
    """A list that grows by one batch, some time after it was scrolled to its end."""

    def __init__(self, batches: int, delay_s: float, *, by_request: bool) -> None:
        self.left, self.delay_s, self.by_request = batches, delay_s, by_request
        self.height, self.asked_at = 9_000, -1.0

    def run(self, *, max_scrolls: int = 20) -> tuple[int, float]:
        """How many batches came, and when the visit was over."""
        patience, start = Patience(0.0, settle_s=8.0, max_scrolls=max_scrolls), self.left
        for tenth in range(2_000):
            now_s = tenth / 10
            if 0 <= self.asked_at <= now_s - self.delay_s:
                self.left, self.height, self.asked_at = self.left - 1, self.height + 5_000, -1.0
            waiting = now_s - self.asked_at if self.asked_at >= 0 and self.by_request else None
            seen = look(self.height, self.height)
            step = patience.after(seen, now_s=now_s, waiting_s=waiting)
            if step == "done":
                return start - self.left, now_s
            if step == "scroll" and self.left and self.asked_at < 0:
                self.asked_at = now_s
        raise AssertionError("never done")


@pytest.mark.parametrize(("delay_s", "over_s"), [(0.2, 5.0), (0.8, 6.5), (3.0, 18.0)])
def test_a_list_that_grows_by_requests_is_read_to_its_end(delay_s: float, over_s: float) -> None:
    batches, seconds = Feed(5, delay_s, by_request=True).run()
    assert batches == 5
    assert seconds < over_s


def test_a_list_that_grows_by_timers_is_read_while_they_are_short() -> None:
    batches, seconds = Feed(5, 0.3, by_request=False).run()
    assert batches == 5
    assert seconds < 6


def test_a_page_that_never_stops_changing_is_left_in_the_end() -> None:
    ticker = steps(lambda now: look(RICH + int(now * 10) % 7, height=9_000), settle_s=5.0)
    assert done_at(ticker) == pytest.approx(5.0, abs=0.2)
    chat = steps(lambda now: look(RICH, height=9_000 + int(now * 4) * 50), max_scrolls=3)
    assert [step for _, step in chat] == ["scroll"] * 3 + ["done"]
    assert done_at(chat) < 15


def test_scrolling_ends_at_the_limit_with_the_last_batch_read() -> None:
    batches, _ = Feed(1_000, 0.2, by_request=True).run(max_scrolls=7)
    assert batches == 7


@pytest.mark.parametrize(
    ("title", "words", "chars", "is_challenge"),
    [
        ("Just a moment...", "Enable JavaScript and cookies to continue", 60, True),
        ("site.example", "Verify you are human by completing the action below.", 90, True),
        ("Checking your browser before accessing site.example", "", 0, True),
        ("Just a moment: how challenges work", "An article.", 9_000, False),
        ("Home", "Welcome to my site.", 60, False),
    ],
)
def test_pages_that_ask_to_wait_are_told_from_pages_about_them(
    title: str, words: str, chars: int, is_challenge: bool
) -> None:
    seen = look(chars)._replace(title=title, words=words)
    assert seen.is_challenge == is_challenge
