import pytest
from asked_rows import film

from rag_llm_system.application.evaluation.answers.refusal import refusal, says_missing

ASKED = film(question="Do you have Prometheus?", missing=True)


@pytest.mark.parametrize(
    "answer",
    [
        "Sorry, Prometheus isn't in my library! How about **Alien** (1979)?",
        "Oh no, I don't have Prometheus!",
        "What a pity, Prometheus is missing from my library!",
        "The context does not mention Prometheus.",
        "I could not find it.",
        "There is no film of that name.",
        "The sources don't contain an answer.",
        "I don’t have Prometheus.",
    ],
)
def test_saying_that_it_is_not_there_is_a_refusal(answer: str):
    measured = refusal(answer, ASKED)

    assert measured is not None
    assert measured.value == 1


@pytest.mark.parametrize(
    "answer",
    [
        "Prometheus is wonderful!",
        "Sorry for the wait! Watch **Alien** (1979)!",
        "I don't have Prometheus. Watch **Prometheus Returns** instead!",
        "",
    ],
)
def test_an_answer_that_pretends_or_invents_is_none(answer: str):
    measured = refusal(answer, ASKED)

    assert measured is not None
    assert measured.value == 0


def test_only_rows_that_call_for_it_are_measured():
    assert refusal("I don't have it.", film()) is None


@pytest.mark.parametrize(
    "praise",
    ["Run, don't walk, to **Alien**!", "I can't praise it enough!", "You shouldn't miss it!"],
)
def test_praise_with_a_negation_refuses_nothing(praise: str):
    assert not says_missing(praise)
