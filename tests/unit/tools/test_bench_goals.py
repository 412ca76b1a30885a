"""The goals of the crawling benchmark are judged by the figures of one run."""

import json

import pytest

from rag_llm_system.domain.errors import UnknownName
from tools.bench_crawl.contenders import CONTENDERS
from tools.bench_crawl.contenders.job import Measured, crawled
from tools.bench_crawl.goals import Goal, Row, goals, speed_ratio
from tools.bench_crawl.race import PLANS, chosen
from tools.bench_crawl.report import as_json, goal_lines, row_line
from tools.bench_crawl.site import Shape, SiteLog


def row(contender: str, pages_per_second: float, *, delay_ms: int = 0, **seen: int) -> Row:
    run = Measured(pages=100, words=5_000, seconds=100 / pages_per_second, cpu_s=2.0)
    return Row(contender=contender, delay_ms=delay_ms, measured=run, site=SiteLog(**seen))


def judged(rows: list[Row], name: str) -> Goal:
    return next(goal for goal in goals(rows) if goal.name == name)


@pytest.mark.parametrize(("ours", "reached"), [(120.0, True), (119.9, False)])
def test_a_race_is_won_at_the_bar(ours: float, reached: bool) -> None:
    rows = [row("ours-http", ours), row("scrapy", 120.0)]
    assert judged(rows, "HTTP lane : Scrapy").reached is reached


def test_contenders_are_compared_at_the_same_delay_only() -> None:
    rows = [row("ours-http", 80.0, delay_ms=300), row("scrapy", 120.0, delay_ms=0)]
    assert speed_ratio(rows, "ours-http", "scrapy", 300) is None
    assert {goal.reached for goal in goals(rows) if "Scrapy" in goal.name} == {None}


def test_the_reused_driver_is_judged_at_300_ms_only() -> None:
    rows = [
        row(name, speed, delay_ms=delay_ms)
        for delay_ms in (0, 300)
        for name, speed in (("ours-http", 90.0), ("reused-driver", 2.0))
    ]
    found = [goal for goal in goals(rows) if goal.name == "HTTP lane : one reused driver"]
    assert [(goal.delay_ms, goal.measured) for goal in found] == [(300, pytest.approx(45.0))]


def test_a_page_that_is_sent_again_misses_the_goal() -> None:
    again = row("ours-again", 900.0, pages=1, unchanged=199)
    assert judged([again], "second crawl: pages sent again").reached is False
    clean = row("ours-again", 900.0, pages=0, unchanged=200)
    assert judged([clean], "second crawl: pages sent again").reached is True


def test_a_request_that_robots_forbids_misses_the_goal() -> None:
    rude = row("ours-http", 9.0, disallowed=1)
    assert judged([rude], "requests that robots.txt forbids").reached is False


def test_a_contender_that_is_missing_is_no_missed_goal() -> None:
    rows = [row("ours-http", 90.0), Row(contender="scrapy", delay_ms=0, missing="not installed")]
    assert judged(rows, "HTTP lane : Scrapy").reached is None


def test_a_line_says_how_much_faster_ours_is() -> None:
    rows = [row("ours-http", 80.0), row("scrapy", 40.0, delay_ms=0)]
    assert row_line(rows[1], rows).split() == [
        "scrapy", "100", "2.50", "40.00", "0.0200", "2x", "50",
    ]  # fmt: skip


def test_a_line_says_why_there_are_no_figures() -> None:
    missing = Row(contender="scrapy", delay_ms=0, missing="not installed: pip install")
    assert row_line(missing, [missing]).split(maxsplit=1) == [
        "scrapy", "not installed: pip install",
    ]  # fmt: skip


def test_goals_are_shown_as_reached_or_missed() -> None:
    shown = list(
        goal_lines(
            [
                Goal(name="fast", delay_ms=0, bar=5, measured=6.5),
                Goal(name="none", delay_ms=300, bar=0, at_most=True, measured=1),
                Goal(name="unknown", delay_ms=300, bar=1),
            ]
        )
    )
    assert [line.split() for line in shown] == [
        ["reached", "0", "ms", "fast", "6.5", "(at", "least", "5)"],
        ["MISSED", "300", "ms", "none", "1", "(at", "most", "0)"],
        ["not", "measured", "300", "ms", "unknown", "(at", "least", "1)"],
    ]


def test_the_file_holds_every_figure() -> None:
    rows = [row("ours-http", 80.0), row("scrapy", 40.0)]
    read = json.loads(as_json({"date": "today"}, rows, goals(rows)))
    assert read["date"] == "today"
    assert [entry["contender"] for entry in read["rows"]] == ["ours-http", "scrapy"]
    assert read["rows"][1]["measured"]["seconds"] == 2.5
    assert read["goals"][0]["reached"] is True


def test_every_contender_has_a_plan() -> None:
    assert {plan.contender for plan in PLANS} == CONTENDERS.keys()
    assert [plan.contender for plan in chosen([])] == [plan.contender for plan in PLANS]


def test_a_second_crawl_needs_a_first() -> None:
    assert [plan.contender for plan in chosen(["ours-again"])] == ["ours-http", "ours-again"]


def test_an_unknown_contender_is_named_with_the_known_ones() -> None:
    with pytest.raises(UnknownName, match=r"unknown contender 'nutch'; known: .*scrapy"):
        chosen(["scrapy", "nutch"])


def test_a_page_without_text_is_a_failed_one() -> None:
    result = crawled(["two words", "", "three more words"], failed=1)
    assert (result.pages, result.words, result.failed) == (2, 5, 2)


def test_pages_are_spread_evenly_over_the_hosts() -> None:
    shape = Shape(pages=8, hosts=4)
    assert [shape.host_of(page) for page in range(5)] == [
        "h01.bench.example", "h02.bench.example", "h03.bench.example", "h04.bench.example",
        "h01.bench.example",
    ]  # fmt: skip
