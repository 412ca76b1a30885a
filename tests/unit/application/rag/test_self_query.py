"""Self-query by rules: what a question says plainly becomes a condition, and nothing else does."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_llm_system.application.rag.self_query import RuleSelfQuery, Vocabulary
from rag_llm_system.domain.queries import Condition, Range
from tests.unit.application.rag.self_query_data import (
    TODAY,
    VALUES,
    as_labelled,
    questions,
    vocabulary,
)

ENOUGH = 0.97
KNOWN = vocabulary()


def conditions(question: str, known: Vocabulary = KNOWN) -> dict[str, Condition]:
    read = RuleSelfQuery(known, today=lambda: TODAY).interpret(question)
    return {one.field: one for one in read.conditions}


def days(question: str) -> object:
    """Of articles by somebody, so that a date has something to belong to."""
    return conditions(f"articles by Ada Lovelace {question}")["published_on"].condition


@pytest.mark.parametrize("name", ["questions", "held_out"])
def test_labelled_questions_are_read_as_labelled(name: str) -> None:
    rows = questions(name)
    rules = RuleSelfQuery(KNOWN, today=lambda: TODAY)
    wrong = [
        row["question"]
        for row in rows
        if as_labelled(rules.interpret(row["question"])) != row["expected"]
    ]
    assert len(rows) >= 100
    assert len(wrong) <= (1 - ENOUGH) * len(rows), wrong


@pytest.mark.parametrize("row", questions("no_author"), ids=lambda row: row["question"])
def test_a_question_without_an_author_gets_none(row: dict[str, str]) -> None:
    assert "author_full_name" not in conditions(row["question"])


def test_a_condition_tells_what_it_means_and_which_words_say_so() -> None:
    found = conditions("What did Zoe Müller's posts on Medium say since March 2024?")
    assert [(one.label, one.evidence) for one in found.values()] == [
        ("by Zoë Müller", "Zoe Müller's posts"),
        ("on medium", "Medium"),
        ("in posts", "posts"),
        ("since March 2024", "since March 2024"),
    ]


def test_an_excluded_author_leaves_all_others() -> None:
    found = conditions("posts not by Ada Lovelace")["author_full_name"]
    assert found.label == "not by Ada Lovelace"
    assert set(found.condition) == set(VALUES["author_full_name"]) - {"Ada Lovelace"}


def test_excluding_the_only_author_is_no_condition() -> None:
    alone = Vocabulary({"author_full_name": ["Ada Lovelace"], "category": ["posts"]})
    assert set(conditions("posts not by Ada Lovelace", alone)) == {"category"}


def test_names_that_differ_in_accents_are_told_apart_where_the_question_does() -> None:
    both = Vocabulary({"author_full_name": ["Zoe Muller", "Zoë Müller"]})
    assert conditions("posts by Zoë Müller", both)["author_full_name"].condition == "Zoë Müller"
    either = conditions("posts by ZOE MÜLLER", both)["author_full_name"].condition
    assert either == ["Zoe Muller", "Zoë Müller"]


def test_a_possessive_may_be_part_of_a_name() -> None:
    known = Vocabulary({"author_full_name": ["Lenny's Notebook"]})
    found = conditions("articles from Lenny's Notebook", known)
    assert found["author_full_name"].condition == "Lenny's Notebook"


def test_an_organisation_goes_by_its_whole_name_alone() -> None:
    known = Vocabulary({"author_full_name": ["Lantern Research"], "category": ["posts"]})
    assert set(conditions("posts by Lantern", known)) == {"category"}
    assert "author_full_name" in conditions("posts by Lantern Research", known)


@pytest.mark.parametrize(
    ("written", "first", "last"),
    [
        ("in 2023", 20230101, 20231231),
        ("from 2023 to 2021", 20230101, 20231231),
        ("from 2021-2023", 20210101, 20231231),
        ("from March to May 2023", 20230301, 20230531),
        ("between November and January 2023", 20221101, 20230131),
        ("in 2024-02", 20240201, 20240229),
        ("on 2024-02-29", 20240229, 20240229),
        ("on March 5, 2024", 20240305, 20240305),
        ("on the 5th of March 2024", 20240305, 20240305),
        ("since July", 20230701, None),
        ("not before 2020", 20200101, None),
        ("no earlier than March 2020", 20200301, None),
        ("not after 2020", None, 20201231),
        ("older than 2020", None, 20191231),
        ("until June 2023", None, 20230630),
        ("from 2020 onwards", 20200101, None),
        ("after 2020 but before 2023", 20210101, 20221231),
        ("from last year", 20230101, 20231231),
        ("from last month", 20240501, 20240531),
        ("from last week", 20240603, 20240609),
        ("from this month", 20240601, 20240630),
        ("from the past year", 20230615, 20240615),
        ("from the last two weeks", 20240601, 20240615),
        ("written yesterday", 20240614, 20240614),
    ],
)
def test_dates_are_read(written: str, first: int | None, last: int | None) -> None:
    assert days(written) == Range(gte=first, lte=last)


@pytest.mark.parametrize(
    "written",
    [
        "2024-02-30",
        "since 2023-13",
        "about 2023",
        "as of 2023",
        "in 2050",
        "about last year",
        "on last year's bug",
        "today",
        "about life in the 90s",
        "v2023.1",
    ],
)
def test_what_is_no_date_of_publication_is_no_condition(written: str) -> None:
    found = conditions(f"articles by Ada Lovelace {written}")
    assert "published_on" not in found


def test_dates_that_contradict_one_another_are_no_condition() -> None:
    assert "published_on" not in conditions("posts by Ada after 2022 and before 2020")


@pytest.mark.parametrize(
    ("written", "first", "last"),
    [
        ("of the 90s", 1990, 1999),
        ("of the 1970s", 1970, 1979),
        ("from the mid eighties", 1984, 1986),
        ("from the 20s", 2020, 2029),
        ("since May 1999", 1999, None),
    ],
)
def test_films_are_found_by_year(written: str, first: int | None, last: int | None) -> None:
    assert conditions(f"films {written}")["year"].condition == Range(gte=first, lte=last)


def test_without_known_values_nothing_is_read() -> None:
    question = "sci-fi films of the 90s by Ada Lovelace on Medium with Tom Hanks in 2023"
    assert conditions(question, Vocabulary({}, numbers=())) == {}


@pytest.mark.parametrize(
    "question", ["", " ", "?", "'s", "by", "posts by", "not by and or", "the 's"]
)
def test_a_fragment_is_read_without_complaint(question: str) -> None:
    assert "author_full_name" not in conditions(question)


def test_relative_dates_follow_the_day_that_is_given() -> None:
    known = Vocabulary({"category": ["posts"]})
    rules = RuleSelfQuery(known, today=lambda: date(2020, 3, 31))
    found = rules.interpret("posts from the past month").conditions[-1]
    assert found.condition == Range(gte=20200229, lte=20200331)
    assert found.label == "from 29 February 2020 to 31 March 2020"


_WORDS = [word for row in questions("questions")[:60] for word in row["question"].split()]


@given(st.lists(st.sampled_from(_WORDS) | st.text(max_size=4)).map(" ".join))
def test_whatever_is_asked_only_known_values_are_conditions(question: str) -> None:
    for field, one in conditions(question).items():
        if not isinstance(one.condition, Range):
            named = [one.condition] if isinstance(one.condition, str) else one.condition
            assert set(named) <= set(VALUES[field])
        assert all(part in question for part in one.evidence.split(", ") if "," not in question)
