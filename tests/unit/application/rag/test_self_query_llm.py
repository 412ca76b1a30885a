"""Self-query by a language model: only what the stores know becomes a condition."""

import json
import logging

import pytest

from rag_llm_system.application.rag.self_query import LLMSelfQuery, RuleSelfQuery
from rag_llm_system.domain.queries import Interpretation, Range
from rag_llm_system.infrastructure.llms.scripted import ScriptedLLM
from tests.unit.application.rag.self_query_data import TODAY, as_labelled, vocabulary

KNOWN = vocabulary()


def read(answer: str, question: str = "Which?") -> Interpretation:
    return LLMSelfQuery(ScriptedLLM([answer]), KNOWN, today=lambda: TODAY).interpret(question)


def test_known_values_become_conditions_and_unknown_ones_are_dropped() -> None:
    answer = {
        "authors": ["zoe muller", "Somebody Else"],
        "platforms": ["Medium", "myspace"],
        "categories": ["article"],
        "languages": ["C++"],
        "published_from": "2023-01-01",
        "published_to": "2023-12-31",
        "invented": 1,
    }
    assert as_labelled(read(json.dumps(answer))) == {
        "author_full_name": "Zoë Müller",
        "platform": "medium",
        "category": "articles",
        "language": "cpp",
        "published_on": {"gte": 20230101, "lte": 20231231},
    }


def test_films_are_asked_for_by_genre_cast_and_year() -> None:
    answer = '{"genres": ["sci-fi"], "cast": ["keanu reeves"], "year_from": 1990, "year_to": 1999}'
    found = read(f"Here it is:\n```json\n{answer}\n```").where
    assert found == {
        "genres": ["Science Fiction"],
        "cast": ["Keanu Reeves"],
        "year": Range(gte=1990, lte=1999),
    }


def test_an_author_may_be_excluded() -> None:
    found = read('{"not_authors": ["Ada Lovelace"]}')
    assert as_labelled(found) == {"author_full_name": {"not": ["Ada Lovelace"]}}
    assert read('{"authors": ["Ada Lovelace"], "not_authors": ["Ada Lovelace"]}').conditions


def test_ends_the_wrong_way_round_are_no_condition() -> None:
    assert read('{"year_from": 1999, "year_to": 1990}') == Interpretation()


@pytest.mark.parametrize(
    "answer", ["I cannot say.", "", "{", '{"authors": "Ada"}', '{"year_from": 99999}', "[]", "} {"]
)
def test_a_bad_answer_leaves_it_to_the_rules_and_says_so(
    answer: str, caplog: pytest.LogCaptureFixture
) -> None:
    question = "posts by Ada Lovelace"
    with caplog.at_level(logging.WARNING):
        found = read(answer, question)
    assert found == RuleSelfQuery(KNOWN, today=lambda: TODAY).interpret(question)
    assert "scripted answered with no valid conditions" in caplog.text


def test_the_model_is_told_the_question_the_day_and_the_short_lists() -> None:
    llm = ScriptedLLM(["{}"])
    assert LLMSelfQuery(llm, KNOWN, today=lambda: TODAY).interpret("Who?") == Interpretation()
    told = llm.asked[0][1].content
    assert f"Today: {TODAY}" in told
    assert "platform: github, linkedin" in told
    assert told.endswith("Question: Who?\n\nJSON:")
    assert "Zoë Müller" not in told
