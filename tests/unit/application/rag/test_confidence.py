"""Confidence: high where cosine and words agree, low where neither says much."""

import pytest

from rag_llm_system.application.rag.confidence import MIN_EVIDENCE, confidence_in, evidence
from tests.unit.application.rag.retrieved import chunk

QUESTION = "How does the embedded server stop?"
TEXT = "The embedded server stops by itself."


@pytest.mark.parametrize(
    ("score", "content", "level"),
    [
        (0.7, TEXT, "high"),
        (0.7, "Nothing of the kind.", "high"),
        (0.5, TEXT, "high"),
        (0.55, "Nothing of the kind.", "medium"),
        (0.4, TEXT, "medium"),
        (0.4, "Nothing of the kind.", "low"),
    ],
)
def test_the_level_follows_from_cosine_and_shared_words(
    score: float, content: str, level: str
) -> None:
    assert confidence_in(QUESTION, [chunk(1, content, score=score)]).level == level


def test_the_best_passage_counts_and_the_value_stays_in_its_range() -> None:
    passages = [chunk(1, "Bread.", score=-0.2), chunk(2, TEXT, score=1.0)]
    assert confidence_in(QUESTION, passages).value == 1.0
    assert confidence_in(QUESTION, passages[:1]).value == 0.0


def test_a_passage_that_shares_the_words_is_about_the_question_in_spite_of_its_cosine() -> None:
    assert evidence("What is a window?", chunk(1, "A window is a part.", score=0.2)) >= MIN_EVIDENCE
    assert evidence("What is a window?", chunk(1, "Bread needs time.", score=0.3)) < MIN_EVIDENCE


def test_headings_and_titles_are_words_of_a_passage() -> None:
    below = chunk(1, "By itself.", score=0.3, title="The embedded server", headings=("Stopping",))
    assert evidence(QUESTION, below) == pytest.approx(0.5)


def test_a_question_of_stop_words_has_its_cosine_alone() -> None:
    assert evidence("What is it?", chunk(1, TEXT, score=0.4)) == 0.4


@pytest.mark.parametrize(
    ("question", "is_named"),
    [
        ("What does Store.save do?", True),
        ("What does `save` do?", True),
        ("What does save() do?", True),
        ("What may I save, and in which Stores?", False),
    ],
)
def test_code_that_defines_what_is_named_is_about_the_question(
    question: str, is_named: bool
) -> None:
    code = chunk(1, "def s(): ...", score=0.1, symbols=("Store", "Store.save", "save"))
    assert (evidence(question, code) >= MIN_EVIDENCE) == is_named
