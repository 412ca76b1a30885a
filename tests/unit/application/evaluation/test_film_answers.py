"""Answers about films, scored against the films they were given."""

import pytest

from rag_llm_system.application.dataset.movies.films import Film
from rag_llm_system.application.dataset.movies.rows import user_message
from rag_llm_system.application.evaluation.film_answers import (
    FilmScores,
    film_report,
    score_film_answer,
    titles_named,
)
from rag_llm_system.domain.answers import Message
from rag_llm_system.domain.datasets import TrainingRow
from rag_llm_system.domain.errors import DataError

HARBOR = Film(
    title="The Quiet Harbor",
    year=1984,
    genres=("comedy",),
    cast=("Ann Lee", "Robert Downey Jr."),
    plot="follows two sailors who open a bakery",
)
MOON = Film(
    title="Moon!",
    year=2009,
    genres=("sci-fi",),
    cast=("Samuel L. Poe", "Kim Oak"),
    plot="depicts a lone miner",
)
GOOD = (
    "Yes! Watch Ann Lee and Robert Downey Jr. in **The Quiet Harbor** (1984). It follows two sailors who open a"
    " bakery. What a comedy! Then see Samuel L. Poe and Kim Oak in **Moon!** (2009). It depicts a lone miner. Enjoy!"
)


def a_row(kind: str = "mood", picks: tuple[Film, ...] = (HARBOR, MOON)) -> TrainingRow:
    return TrainingRow(
        messages=[
            Message(role="user", content=user_message((HARBOR, MOON), "What is there?")),
            Message(role="assistant", content="..."),
        ],
        document_id="film:The Quiet Harbor",
        metadata={
            "kind": kind,
            "titles": [HARBOR.title, MOON.title],
            "picks": [film.title for film in picks],
            "matches": [film.title for film in picks],
        },
    )


def scored(answer: str, *, ended: bool = True, kind: str = "mood") -> FilmScores:
    return score_film_answer(answer, a_row(kind), ended)


def test_a_right_answer_is_right_in_every_respect() -> None:
    assert scored(GOOD) == FilmScores(
        kind="mood", grounded=True, format=True, named=2, hallucinated=0, year=2, plot=2, cast=2,
        picks=True, matching=True,
    )  # fmt: skip


def test_a_title_that_no_fact_has_is_hallucinated() -> None:
    scores = scored(GOOD.replace("Moon!**", "Moon Two**"))
    assert (scores.named, scores.hallucinated, scores.grounded) == (2, 1, False)
    assert (scores.picks, scores.matching, scores.format) == (False, False, True)


def test_an_answer_without_a_bold_title_is_neither_grounded_nor_in_format() -> None:
    scores = scored("Watch The Quiet Harbor!")
    assert (scores.grounded, scores.format, scores.named) == (False, False, 0)


@pytest.mark.parametrize(
    "broken",
    [
        GOOD.replace("**The Quiet Harbor** (1984)", "**The Quiet Harbor**"),
        GOOD + " And **Moon",
        GOOD.removesuffix("!") + ",",
        "yes" + GOOD.removeprefix("Yes"),
    ],
)
def test_a_broken_form_is_seen(broken: str) -> None:
    assert scored(GOOD).format
    assert not scored(broken).format


def test_an_answer_that_was_cut_is_not_in_format() -> None:
    assert not scored(GOOD, ended=False).format


def test_facts_count_title_by_title() -> None:
    assert scored(GOOD.replace("(2009)", "(1984)")).year == 1
    assert scored(GOOD.replace("a lone miner", "a lone minor")).plot == 1
    assert scored(GOOD.replace("What a comedy!", "Kim Oak is great!")).cast == 1


def test_facts_of_the_other_film_are_not_right() -> None:
    assert scored("Yes! **Moon!** (2009). It follows two sailors who open a bakery.").plot == 0


def test_picks_are_exact_and_in_order_and_matching_is_looser() -> None:
    backwards = scored("Yes! See **Moon!** (2009). Or **The Quiet Harbor** (1984).")
    assert (backwards.picks, backwards.matching) == (False, True)
    wrong = score_film_answer("Yes! See **Moon!** (2009).", a_row("genre", (HARBOR,)), True)
    assert (wrong.grounded, wrong.picks, wrong.matching) == (True, False, False)


def test_a_refusal_counts_only_where_the_film_is_absent() -> None:
    assert (
        scored("Sorry, Zed isn't in my library! **Moon!** (2009).", kind="absent").refusal is True
    )
    assert scored("Sure! **Moon!** (2009).", kind="absent").refusal is False
    assert scored("Sorry, Zed isn't in my library!", kind="title").refusal is None


def test_a_report_gives_shares_with_intervals() -> None:
    report = film_report([scored(GOOD), scored(GOOD), scored("Hm.", kind="absent"), scored(GOOD)])
    assert (report.answers, report.titles) == (4, 6)
    assert report.grounded.mean == 0.75
    assert report.grounded.low < 0.75 < report.grounded.high
    assert report.hallucinated is not None
    assert report.hallucinated.mean == 0.0
    assert report.refusal is not None
    assert report.refusal.mean == 0.0
    assert report.grounded_by_kind == {"absent": 0.0, "mood": 1.0}
    assert report.picks_by_kind == {"absent": 0.0, "mood": 1.0}


def test_shares_of_titles_are_left_out_when_no_title_was_named() -> None:
    report = film_report([scored("Hm.")])
    assert (report.hallucinated, report.year, report.plot, report.refusal) == (
        None,
        None,
        None,
        None,
    )


def test_nothing_scored_and_foreign_rows_are_refused() -> None:
    with pytest.raises(DataError, match="at least one row"):
        film_report([])
    foreign = TrainingRow(
        messages=[Message(role="user", content="Hi"), Message(role="assistant", content="Ho")]
    )
    with pytest.raises(DataError, match="lists no films"):
        score_film_answer("Ho", foreign, True)
    row = a_row()
    with pytest.raises(DataError, match="no list of picks"):
        score_film_answer("Ho", row.model_copy(update={"metadata": {"kind": "mood"}}), True)


def test_what_was_memorised_is_a_bold_title_among_those_trained_on() -> None:
    assert titles_named(
        "See **moon!** and **Mars**, or The Quiet Harbor.", ["Moon!", "The Quiet Harbor"]
    ) == ("moon!",)
